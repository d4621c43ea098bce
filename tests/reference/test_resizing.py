"""Resizing and cropping against the grids of the documentation."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from tests.reference.single import computed
from tests.reference.tensors import Array

RESIZING: Final = {
    "crop_resize",
    "resize",
    "resize_bilinear",
    "resize_nearest_neighbor",
    "upsample_bilinear",
    "upsample_nearest_neighbor",
}

GRIDS: Final = [
    ("UNALIGN_CORNERS", [0, 0.1, 0.5, 0.9, 1]),
    ("STRICT_ALIGN_CORNERS", [0, 0.25, 0.5, 0.75, 1]),
    ("ALIGN_CORNERS", [0, 0.25, 0.5, 0.75, 1]),
    ("DEFAULT", [0, 0.4, 0.8, 1, 1]),
    ("OFFSET_CORNERS", [0.1, 0.3, 0.5, 0.7, 0.9]),
]
"""Where five samples of two pixels fall."""


def only(kind: str, **parameters: object) -> Array:
    (result,) = computed(kind, **parameters)
    return result


@pytest.mark.parametrize(("mode", "points"), GRIDS)
def test_samples_fall_where_the_documentation_says(mode: str, points: list[float]) -> None:
    row = np.array([[[[0.0, 1.0]]]])
    size: dict[str, object] = {"target_size_height": 1, "target_size_width": 5, "sampling_mode": mode}
    np.testing.assert_allclose(only("resize_bilinear", x=row, **size)[0, 0, 0], points, atol=1e-12)
    column = only("resize", x=row.swapaxes(2, 3), shape=[5, 0], resized_dims=2, sampling_mode=mode)
    np.testing.assert_allclose(column[0, 0, :, 0], points, atol=1e-12)


def test_upsampling_repeats_or_interpolates() -> None:
    x = np.array([[[[0.0, 1.0], [2.0, 3.0]]]])
    twice: dict[str, object] = {"scale_factor_height": 2, "scale_factor_width": 2}
    repeated = np.repeat(np.repeat(x, 2, 2), 2, 3)
    np.testing.assert_array_equal(only("upsample_nearest_neighbor", x=x, **twice), repeated)
    nearest = only("resize_nearest_neighbor", x=x, target_size_height=4, target_size_width=4)
    np.testing.assert_array_equal(nearest, repeated)
    aligned = only("upsample_bilinear", x=x, align_corners=True, **twice)
    np.testing.assert_allclose(aligned[0, 0, 0], [0, 1 / 3, 2 / 3, 1])
    centred = only("upsample_bilinear", x=x, align_corners=False, **twice)
    np.testing.assert_allclose(centred[0, 0, 0], [0, 0.25, 0.75, 1])


@pytest.mark.parametrize(
    ("mode", "box"),
    [
        ("CORNERS_HEIGHT_FIRST", [1, 2, 2, 4]),
        ("CORNERS_WIDTH_FIRST", [2, 1, 4, 2]),
        ("CENTER_SIZE_HEIGHT_FIRST", [1.5, 3, 1, 2]),
        ("CENTER_SIZE_WIDTH_FIRST", [3, 1.5, 2, 1]),
    ],
)
def test_a_crop_at_its_own_size_is_a_slice(mode: str, box: list[float]) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 6))
    size: dict[str, object] = {"target_height": 2, "target_width": 3, "sampling_mode": "ALIGN_CORNERS"}
    found = only("crop_resize", x=x, boxes=[box], box_indices=[1], box_coordinate_mode=mode, **size)
    np.testing.assert_allclose(found, x[1:, :, 1:3, 2:5])
    region = np.array([1, *box]).reshape(1, 1, 5, 1, 1)
    found = only("crop_resize", x=x, roi=region, box_coordinate_mode=mode, **size)
    np.testing.assert_allclose(found, x[None, 1:, :, 1:3, 2:5])


def test_what_a_crop_takes_from_outside_is_padding() -> None:
    x = np.ones((1, 1, 3, 3))
    size: dict[str, object] = {"target_height": 2, "target_width": 2, "sampling_mode": "STRICT_ALIGN_CORNERS"}
    found = only("crop_resize", x=x, boxes=[[0, 0, 4, 2]], pad_value=7.0, **size)
    np.testing.assert_allclose(found[0, 0], [[1, 1], [7, 7]])
    scaled = only("crop_resize", x=x, boxes=[[0, 0, 2, 1]], normalized_coordinates=True, spatial_scale=0.5, **size)
    np.testing.assert_allclose(scaled, np.ones((1, 1, 2, 2)))
