"""The reference's operations against independent formulas, where coremltools folds nothing: loops, identities, examples."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Final, TypeVar

import numpy as np
import pytest

from tests.reference.single import computed
from tests.reference.table import TABLE
from tests.reference.tensors import Array
from tests.reference.test_operations import CASES
from tests.reference.test_programs import IN_PROGRAMS
from tests.reference.test_recurrent import RECURRENT
from tests.reference.test_resizing import RESIZING
from tests.reference.test_weights import WEIGHTS

RANDOM: Final = np.random.default_rng(1)
COVERED: Final[set[str]] = set()
Test = TypeVar("Test", bound=Callable[..., None])


def covers(*kinds: str) -> Callable[[Test], Test]:
    COVERED.update(kinds)
    return lambda test: test


def normal(*shape: int) -> Array:
    return RANDOM.standard_normal(shape)


def only(kind: str, **parameters: object) -> Array:
    (result,) = computed(kind, **parameters)
    return result


def same(found: Array, expected: object) -> None:
    np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-12, atol=1e-12, strict=False)
    assert found.shape == np.asarray(expected).shape


def test_every_operation_is_tested() -> None:
    tested = {kind for kind, cases in CASES.items() if cases} | COVERED | IN_PROGRAMS | RECURRENT | RESIZING | WEIGHTS
    assert sorted(set(TABLE) - tested) == []
    assert sorted(tested - set(TABLE)) == []


@covers("conv")
def test_a_convolution_of_one_row_is_numpys_with_the_kernel_turned_round() -> None:
    x, w = normal(12), normal(5)
    expected = np.convolve(x, w[::-1], "valid")
    same(only("conv", x=x.reshape(1, 1, 12), weight=w.reshape(1, 1, 5)), expected.reshape(1, 1, -1))


@pytest.mark.parametrize("pad_type", ["valid", "custom", "same", "same_lower"])
@pytest.mark.parametrize(("groups", "stride", "dilation"), [(1, 1, 1), (2, 2, 1), (1, 1, 2), (4, 3, 2)])
def test_convolution_sums_over_channels_and_kernel(pad_type: str, groups: int, stride: int, dilation: int) -> None:
    x, w, bias = normal(2, 4, 7, 8), normal(8, 4 // groups, 3, 2), normal(8)
    covered = [2 * dilation + 1, dilation + 1]
    total = [
        max((-(-size // stride) - 1) * stride + reach - size, 0) for size, reach in zip((7, 8), covered, strict=True)
    ]
    pads = {
        "valid": [0, 0, 0, 0],
        "custom": [1, 0, 2, 1],
        "same": [total[0] // 2, total[0] - total[0] // 2, total[1] // 2, total[1] - total[1] // 2],
        "same_lower": [total[0] - total[0] // 2, total[0] // 2, total[1] - total[1] // 2, total[1] // 2],
    }[pad_type]
    padded = np.zeros((2, 4, 7 + pads[0] + pads[1], 8 + pads[2] + pads[3]))
    padded[:, :, pads[0] : pads[0] + 7, pads[2] : pads[2] + 8] = x
    height, width = ((padded.shape[2 + axis] - covered[axis]) // stride + 1 for axis in (0, 1))
    expected = np.zeros((2, 8, height, width))
    for n, out, row, column in np.ndindex(expected.shape):
        first = out // (8 // groups) * (4 // groups)
        expected[n, out, row, column] = bias[out] + sum(
            w[out, c, i, j] * padded[n, first + c, row * stride + i * dilation, column * stride + j * dilation]
            for c, i, j in np.ndindex(w.shape[1:])
        )
    found = only(
        "conv", x=x, weight=w, bias=bias, groups=groups, strides=[stride] * 2, dilations=[dilation] * 2,
        pad_type=pad_type, pad=pads,
    )  # fmt: skip
    same(found, expected)


@covers("conv_transpose")
@pytest.mark.parametrize(("groups", "stride", "dilation", "pad"), [(1, 1, 1, 0), (2, 2, 1, 1), (1, 2, 2, 1)])
def test_the_transposed_convolution_is_the_adjoint_of_the_convolution(
    groups: int, stride: int, dilation: int, pad: int
) -> None:
    size = 4 * stride + 2 * dilation + 1 - 2 * pad  # whole strides, so that every element is seen
    x, w = normal(1, 4, size, size), normal(6, 4 // groups, 3, 3)
    window: dict[str, object] = {
        "weight": w, "groups": groups, "strides": [stride] * 2, "dilations": [dilation] * 2, "pad_type": "custom",
        "pad": [pad] * 4,
    }  # fmt: skip
    forward = only("conv", x=x, **window)
    y = normal(*forward.shape)
    same(np.sum(only("conv_transpose", x=y, **window) * x), np.sum(forward * y))


def test_a_transposed_convolution_of_one_row_is_numpys_full_one() -> None:
    x, w = normal(6), normal(4)
    full = np.convolve(x, w)
    parameters: dict[str, object] = {"x": x.reshape(1, 1, 6), "weight": w.reshape(1, 1, 4)}
    same(only("conv_transpose", **parameters)[0, 0], full)
    same(only("conv_transpose", pad_type="same", **parameters)[0, 0], full[1:7])
    assert only("conv_transpose", pad_type="same", strides=[2], **parameters).shape == (1, 1, 12)


@covers("max_pool", "avg_pool", "l2_pool")
@pytest.mark.parametrize(("stride", "pads", "rounded_up"), [(1, (0, 0), False), (2, (1, 0), False), (2, (1, 1), True)])
def test_pools_combine_what_lies_under_the_window(stride: int, pads: tuple[int, int], rounded_up: bool) -> None:
    x = normal(1, 2, 8)
    padded = 8 + sum(pads)
    count = (padded - 3) // stride + 1
    if rounded_up and (padded - 3) % stride and count * stride < 8 + pads[0]:
        count += 1
    most, mean, inner, length = (np.zeros((1, 2, count)) for _ in range(4))
    for channel, place in product(range(2), range(count)):
        window = range(place * stride, min(place * stride + 3, padded))
        values = [x[0, channel, at - pads[0]] for at in window if 0 <= at - pads[0] < 8]
        most[0, channel, place], inner[0, channel, place] = max(values), np.mean(values)
        mean[0, channel, place] = sum(values) / (len(window) if rounded_up else 3)
        length[0, channel, place] = np.sqrt(sum(value**2 for value in values))
    window_of: dict[str, object] = {
        "x": x, "kernel_sizes": [3], "strides": [stride], "pad_type": "custom", "pad": list(pads), "ceil_mode": rounded_up,
    }  # fmt: skip
    same(only("max_pool", **window_of), most)
    same(only("avg_pool", **window_of), mean)
    same(only("avg_pool", exclude_padding_from_average=True, **window_of), inner)
    same(only("l2_pool", **window_of), length)


@covers("batch_norm", "instance_norm")
def test_norms_over_batch_and_instance() -> None:
    x, gamma, beta, mean = normal(2, 3, 4, 5), normal(3), normal(3), normal(3)
    variance = np.abs(normal(3))
    batch, instance = np.zeros_like(x), np.zeros_like(x)
    for n, c in np.ndindex(2, 3):
        batch[n, c] = gamma[c] * (x[n, c] - mean[c]) / np.sqrt(variance[c] + 0.1) + beta[c]
        spread = np.sqrt(np.mean((x[n, c] - x[n, c].mean()) ** 2) + 1e-5)
        instance[n, c] = gamma[c] * (x[n, c] - x[n, c].mean()) / spread + beta[c]
    same(only("batch_norm", x=x, mean=mean, variance=variance, gamma=gamma, beta=beta, epsilon=0.1), batch)
    same(only("instance_norm", x=x, gamma=gamma, beta=beta), instance)


@covers("local_response_norm")
def test_local_response_norm_looks_at_neighbouring_channels() -> None:
    x, expected = normal(1, 5, 3), np.zeros((1, 5, 3))
    for channel in range(5):
        total = sum(x[0, other] ** 2 for other in range(5) if abs(other - channel) <= 1)
        expected[0, channel] = x[0, channel] / (2 + 0.5 / 3 * total) ** 0.25
    same(only("local_response_norm", x=x, size=3, alpha=0.5, beta=0.25, k=2.0), expected)


@covers("depth_to_space", "space_to_depth", "pixel_shuffle", "pixel_unshuffle")
def test_blocks_of_pixels_become_channels_and_back() -> None:
    x = normal(2, 12, 3, 5)
    deep, shuffled = np.zeros((2, 3, 6, 10)), np.zeros((2, 3, 6, 10))
    for n, c, row, column in np.ndindex(deep.shape):
        place = row % 2 * 2 + column % 2
        deep[n, c, row, column] = x[n, place * 3 + c, row // 2, column // 2]
        shuffled[n, c, row, column] = x[n, c * 4 + place, row // 2, column // 2]
    same(only("depth_to_space", x=x, block_size=2), deep)
    same(only("space_to_depth", x=deep, block_size=2), x)
    same(only("pixel_shuffle", x=x, upscale_factor=2), shuffled)
    same(only("pixel_unshuffle", x=shuffled, downscale_factor=2), x)


@covers("space_to_batch", "batch_to_space")
def test_blocks_of_pixels_become_batches_and_back() -> None:
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    batches = only("space_to_batch", x=x, block_shape=[2, 2], paddings=[[0, 0], [2, 0]])
    assert batches.shape == (4, 1, 2, 3)
    same(batches[1, 0], [[0, 1, 3], [0, 9, 11]])
    same(only("batch_to_space", x=batches, block_shape=[2, 2], crops=[[0, 0], [2, 0]]), x)


@covers("sliding_windows", "crop", "slice_update", "reverse_sequence", "reshape_like")
def test_parts_of_tensors() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    same(only("sliding_windows", x=x, axis=2, size=2, stride=2), x.reshape(2, 3, 2, 2))
    same(only("sliding_windows", x=np.arange(5), axis=0, size=3), [[0, 1, 2], [1, 2, 3], [2, 3, 4]])
    same(only("crop", x=x[None], crop_height=[1, 0], crop_width=[1, 2]), x[None, :, 1:, 1:2])
    expected = x.copy()
    expected[:, 1:3, ::2] = -1
    update: dict[str, object] = {
        "update": -np.ones((2, 2, 2)),
        "begin": [0, 1, 0],
        "end": [2, 3, 4],
        "stride": [1, 1, 2],
    }
    same(only("slice_update", x=x, **update), expected)
    turned = [[3, 2, 1, 4], [6, 5, 7, 8]]
    same(only("reverse_sequence", x=[[1, 2, 3, 4], [5, 6, 7, 8]], lengths=[3, 2], seq_axis=1, batch_axis=0), turned)
    shapes: dict[str, object] = {"begins": (0, 1), "ends": (2, 0), "end_masks": (False, True)}
    same(only("reshape_like", x=x, ref_tensors=(normal(4, 2, 9), normal(7, 3)), **shapes), x.reshape(4, 2, 3))


@covers("one_hot", "silu")
def test_values_set_by_position_and_concatenated_in_turn() -> None:
    same(only("one_hot", indices=[2, 0], one_hot_vector_size=3), [[0, 0, 1], [1, 0, 0]])
    on_top: dict[str, object] = {"axis": 0, "on_value": 2.0, "off_value": 0.5}
    same(only("one_hot", indices=[1, 0], one_hot_vector_size=2, **on_top), [[0.5, 2], [2, 0.5]])
    x = normal(9)
    same(only("silu", x=x), x / (1 + np.exp(-x)))
    two = ([[1, 2], [3, 4]], [[7, 8], [9, 10]])
    same(only("concat", values=two, axis=0, interleave=True), [[1, 2], [7, 8], [3, 4], [9, 10]])
    same(only("cumsum", x=[1, 2, 3], exclusive=True), [0, 1, 3])
    same(only("cumsum", x=[1, 2, 3], exclusive=True, reverse=True), [5, 3, 0])


MODES: Final[dict[str, Callable[[float, float], float]]] = {
    "update": lambda _, new: new,
    "add": lambda old, new: old + new,
    "sub": lambda old, new: old - new,
    "mul": lambda old, new: old * new,
    "div": lambda old, new: old / new,
    "max": max,
    "min": min,
}


@covers("scatter", "scatter_nd")
@pytest.mark.parametrize("mode", MODES)
def test_scatters_combine_updates_one_after_the_other(mode: str) -> None:
    data, updates, indices = normal(4, 3), normal(5, 3), [1, 3, 1, 0, 1]
    expected = data.copy()
    for update, index in zip(updates, indices, strict=True):
        expected[index] = [MODES[mode](old, new) for old, new in zip(expected[index], update, strict=True)]
    same(only("scatter", data=data, indices=indices, updates=updates, mode=mode), expected)
    same(only("scatter", data=data.T, indices=indices, updates=updates.T, axis=1, mode=mode), expected.T)
    rows = np.array(indices)[:, None]
    same(only("scatter_nd", data=data, indices=rows, updates=updates, mode=mode), expected)
    along = np.repeat(rows, 3, 1)
    same(only("scatter_along_axis", data=data, indices=along, updates=updates, mode=mode), expected)


@covers("gather_nd")
def test_gather_nd_takes_what_the_rows_of_indices_point_at() -> None:
    x = normal(2, 3, 4)
    same(only("gather_nd", x=x, indices=[[0, 2], [1, 1]]), [x[0, 2], x[1, 1]])
    same(only("gather_nd", x=x, indices=[[[2, 0]], [[1, 3]]], batch_dims=1), [[x[0, 2, 0]], [x[1, 1, 3]]])


@covers("non_maximum_suppression")
def test_boxes_drop_worse_boxes_that_overlap_them() -> None:
    boxes = np.array([[[0, 0, 2, 2], [0.1, 0, 2, 2], [5, 5, 2, 2], [5, 5.2, 2, 2]]], float)
    scores = np.array([[[0.5], [0.9], [0.3], [0.2]]])
    common: dict[str, object] = {"iou_threshold": 0.5, "max_boxes": 3}
    found = computed("non_maximum_suppression", boxes=boxes.swapaxes(1, 2), scores=scores.swapaxes(1, 2), **common)
    same(found[0][0].T, [boxes[0, 1], boxes[0, 2], [0, 0, 0, 0]])
    same(found[1], [[[0.9, 0.3, 0]]])
    same(found[2], [[1, 2, -1]])
    old = computed(
        "non_maximum_suppression", opset="CoreML6", boxes=boxes, scores=scores, score_threshold=0.4, **common
    )
    same(old[2], [[1, -1, -1]])
    same(old[3], [1])
