"""Resampling images at the points of a grid."""

from __future__ import annotations

import numpy as np

from tests.reference.table import Call, operation
from tests.reference.tensors import Array


def grid(size: float, count: int, mode: str) -> Array:
    """Where `count` samples fall among `size` pixels, the first of which lies at 0."""
    steps = np.arange(count)
    if mode == "DEFAULT":
        points = steps * (size / count)
    elif mode in {"STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"}:
        points = steps * ((size - 1) / max(count - 1, 1))
        if mode == "ALIGN_CORNERS" and count == 1:
            points = np.array([(size - 1) / 2])
    elif mode == "OFFSET_CORNERS":
        points = (steps + 0.5) * (max(1, size - 1) / count)
    elif mode == "UNALIGN_CORNERS":
        points = (steps + 0.5) * (size / count) - 0.5
    else:
        raise ValueError(f"there is no sampling mode {mode}")
    return np.asarray(np.clip(points, 0, size - 1))


def interpolated(x: Array, points: Array, axis: int) -> Array:
    """The values of `x` at fractional positions along an axis, linear between pixels."""
    below = np.clip(np.floor(points).astype(int), 0, x.shape[axis] - 1)
    above = np.minimum(below + 1, x.shape[axis] - 1)
    share = (points - below).reshape(-1, *(1,) * (x.ndim - axis % x.ndim - 1))
    return np.asarray(np.take(x, below, axis) * (1 - share) + np.take(x, above, axis) * share)


def _bilinear(x: Array, height: int, width: int, mode: str) -> Array:
    rows = interpolated(x, grid(x.shape[-2], height, mode), -2)
    return interpolated(rows, grid(x.shape[-1], width, mode), -1)


def _nearest(x: Array, height: int, width: int) -> Array:
    rows = np.arange(height) * x.shape[-2] // height
    columns = np.arange(width) * x.shape[-1] // width
    return np.asarray(np.take(np.take(x, rows, -2), columns, -1))


def _scaled_sizes(call: Call, x: Array) -> tuple[int, int]:
    height, width = call.number("scale_factor_height", 1.0), call.number("scale_factor_width", 1.0)
    return int(x.shape[-2] * height), int(x.shape[-1] * width)


@operation("resize_bilinear")
def resize_bilinear(call: Call) -> Array:
    height, width = call.integer("target_size_height", 1), call.integer("target_size_width", 1)
    return _bilinear(call.tensor("x"), height, width, call.text("sampling_mode", "DEFAULT"))


@operation("resize_nearest_neighbor")
def resize_nearest_neighbor(call: Call) -> Array:
    return _nearest(call.tensor("x"), call.integer("target_size_height"), call.integer("target_size_width"))


@operation("upsample_nearest_neighbor")
def upsample_nearest_neighbor(call: Call) -> Array:
    x = call.tensor("x")
    return _nearest(x, *_scaled_sizes(call, x))


@operation("upsample_bilinear")
def upsample_bilinear(call: Call) -> Array:
    x, aligned = call.tensor("x"), call.flag("align_corners", default=True)
    if call.flag("half_pixel_centers", default=not aligned) == aligned:
        if aligned:
            raise call.fail("aligned corners have no half-pixel centres")
        return _bilinear(x, *_scaled_sizes(call, x), "DEFAULT")
    return _bilinear(x, *_scaled_sizes(call, x), "STRICT_ALIGN_CORNERS" if aligned else "UNALIGN_CORNERS")


@operation("resize")
def resize(call: Call) -> Array:
    x, count = call.tensor("x"), call.integer("resized_dims")
    if count != 2:
        raise call.fail("the reference resizes two dimensions")
    sizes = call.integers("shape")[-count:]
    height, width = (wanted or size for wanted, size in zip(sizes, x.shape[-count:], strict=True))
    if call.text("interpolation_mode", "LINEAR") == "LINEAR":
        return _bilinear(x, height, width, call.text("sampling_mode", "DEFAULT"))
    if call.text("sampling_mode", "DEFAULT") != "DEFAULT":
        raise call.fail("the reference takes nearest neighbours in the sampling mode DEFAULT only")
    return _nearest(x, height, width)


def _corners(call: Call, box: Array, height: int, width: int) -> tuple[float, float, float, float]:
    """The first row and column of a box and its last, in pixels."""
    mode = call.text("box_coordinate_mode", "CORNERS_HEIGHT_FIRST")
    a, b, c, d = (float(coordinate) for coordinate in box)
    if mode.endswith("WIDTH_FIRST"):
        a, b, c, d = b, a, d, c
    top, left, bottom, right = (
        (a - c / 2, b - d / 2, a + c / 2, b + d / 2) if mode.startswith("CENTER") else (a, b, c, d)
    )
    scale = call.number("spatial_scale", 1.0)
    tall, wide = (height - 1, width - 1) if call.flag("normalized_coordinates") else (1, 1)
    return top * tall * scale, left * wide * scale, bottom * tall * scale, right * wide * scale


def _cropped(call: Call, image: Array, box: Array) -> Array:
    """A box of an image [c, h, w], resampled; points outside of the image have the padding value."""
    count_y, count_x = call.integer("target_height", 1), call.integer("target_width", 1)
    mode, pad = call.text("sampling_mode", "DEFAULT"), call.number("pad_value", 0.0)
    top, left, bottom, right = _corners(call, box, *image.shape[1:])
    rows = top + grid(bottom - top + 1, count_y, mode)
    columns = left + grid(right - left + 1, count_x, mode)
    values = interpolated(interpolated(image, rows, 1), columns, 2)
    inside_y, inside_x = (rows >= 0) & (rows <= image.shape[1] - 1), (columns >= 0) & (columns <= image.shape[2] - 1)
    return np.where(inside_y[:, None] & inside_x[None, :], values, pad)


@operation("crop_resize")
def crop_resize(call: Call) -> Array:
    x = call.tensor("x")
    if call.has("boxes"):
        boxes = call.tensor("boxes")
        images = call.integers("box_indices", range(len(boxes)))
        return np.stack([_cropped(call, x[image], box) for image, box in zip(images, boxes, strict=True)])
    regions = call.tensor("roi")[:, 0, :, 0, 0]  # up to iOS 16, with or without the image's number in front
    if regions.shape[1] == 4:
        return np.stack([[_cropped(call, image, box) for image in x] for box in regions])
    return np.stack([[_cropped(call, x[int(region[0])], region[1:])] for region in regions])
