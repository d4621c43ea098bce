"""Parts of tensors: slices, windows and crops."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tests.reference.table import Call, operation
from tests.reference.tensors import Array


def _part(call: Call, x: Array) -> tuple[slice | int, ...]:
    """Where `begin`, `end`, `stride` and the masks point in `x`, in numpy's terms."""
    nothing = [0] * x.ndim
    begin, end, stride = call.integers("begin"), call.integers("end"), call.integers("stride", [1] * x.ndim)
    open_begin, open_end = call.integers("begin_mask", nothing), call.integers("end_mask", nothing)
    point = call.integers("squeeze_mask", nothing)
    if not len(begin) == len(end) == len(stride) == x.ndim:
        raise call.fail(f"begin {begin}, end {end} and stride {stride} do not fit rank {x.ndim}")
    if any(point[axis] and not -x.shape[axis] <= begin[axis] < x.shape[axis] for axis in range(x.ndim)):
        raise call.fail(f"begin {begin} lies outside {list(x.shape)}")
    return tuple(
        begin[axis]
        if point[axis]
        else slice(None if open_begin[axis] else begin[axis], None if open_end[axis] else end[axis], stride[axis])
        for axis in range(x.ndim)
    )


@operation("slice_by_index")
def slice_by_index(call: Call) -> Array:
    x = call.tensor("x")
    return np.asarray(x[_part(call, x)])


@operation("slice_update")
def slice_update(call: Call) -> Array:
    x, update = call.pair("x", "update")
    part = _part(call, x)
    if x[part].shape != update.shape:
        raise call.fail(f"the slice is {list(x[part].shape)}, the update {list(update.shape)}")
    result: Array = x.copy()
    result[part] = update
    return result


@operation("slice_by_size")
def slice_by_size(call: Call) -> Array:
    x, size = call.tensor("x"), call.integers("size")
    begin = [
        first + limit if first < 0 else first for first, limit in zip(call.integers("begin"), x.shape, strict=True)
    ]
    end = [limit if length == -1 else first + length for first, length, limit in zip(begin, size, x.shape, strict=True)]
    if any(not 0 <= first <= last <= limit for first, last, limit in zip(begin, end, x.shape, strict=True)):
        raise call.fail(f"from {begin} to {end} reaches outside {list(x.shape)}")
    return x[tuple(slice(first, last) for first, last in zip(begin, end, strict=True))]


@operation("sliding_windows")
def sliding_windows(call: Call) -> Array:
    x = call.tensor("x")
    axis = call.axis("axis", x.ndim)
    windows = np.moveaxis(sliding_window_view(x, call.integer("size"), axis), -1, axis + 1)
    return np.take(windows, range(0, windows.shape[axis], call.integer("stride", 1)), axis)


@operation("crop")
def crop(call: Call) -> Array:
    x = call.tensor("x")
    (top, bottom), (left, right) = call.integers("crop_height"), call.integers("crop_width")
    return x[..., top : x.shape[-2] - bottom, left : x.shape[-1] - right]
