"""Shapes: reshaping, joining, splitting, repeating, padding and filling."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np

from tests.reference.table import Call, operation
from tests.reference.tensors import Array


@operation("reshape")
def reshape(call: Call) -> Array:
    x, shape = call.tensor("x"), call.integers("shape")
    # A 0 takes the size of the dimension at the same distance from the end; 1 where there is none.
    sizes = [1] * len(shape) + list(x.shape)
    shape = [sizes[place - len(shape)] if size == 0 else size for place, size in enumerate(shape)]
    known = int(np.prod([size for size in shape if size != -1]))
    if shape.count(-1) > 1 or (x.size % known if -1 in shape else x.size != known):
        raise call.fail(f"{list(x.shape)} does not become {shape}")
    return x.reshape(shape)


@operation("reshape_like")
def reshape_like(call: Call) -> Array:
    shape: list[int] = []
    parts = zip(*(call.unwidened(name) for name in ("ref_tensors", "begins", "ends", "end_masks")), strict=True)
    for reference, begin, end, whole in parts:
        shape += reference.shape[int(begin) : None if whole else int(end)]
    return call.tensor("x").reshape(shape)


@operation("expand_dims")
def expand_dims(call: Call) -> Array:
    return np.expand_dims(call.tensor("x"), tuple(call.integers("axes")))


@operation("squeeze")
def squeeze(call: Call) -> Array:
    x = call.tensor("x")
    return np.squeeze(x, tuple(axis for axis in call.axes("axes", x.ndim) if x.shape[axis] == 1))


@operation("flatten2d")
def flatten2d(call: Call) -> Array:
    x = call.tensor("x")
    return x.reshape(int(np.prod(x.shape[: call.integer("axis", 1)])), -1)


@operation("shape")
def shape(call: Call) -> Array:
    return np.array(call.tensor("x").shape, dtype=np.int64)


@operation("transpose")
def transpose(call: Call) -> Array:
    x = call.tensor("x")
    return np.transpose(x, call.axes("perm", x.ndim))


@operation("concat")
def concat(call: Call) -> Array:
    values = call.tensors("values")
    axis = call.axis("axis", values[0].ndim)
    if not call.flag("interleave"):
        return np.concatenate(values, axis)
    joined = np.stack(values, axis + 1)
    return joined.reshape(*joined.shape[:axis], -1, *joined.shape[axis + 2 :])


@operation("stack")
def stack(call: Call) -> Array:
    values = call.tensors("values")
    return np.stack(values, call.axis("axis", values[0].ndim + 1))


@operation("split")
def split(call: Call) -> tuple[Array, ...]:
    x = call.tensor("x")
    axis = call.axis("axis", x.ndim)
    count = call.integer("num_splits", 1)
    sizes = call.integers("split_sizes", [x.shape[axis] // count] * count)
    if sum(sizes) != x.shape[axis]:
        raise call.fail(f"{x.shape[axis]} elements do not split into {sizes}")
    ends = [0, *accumulate(sizes)]
    return tuple(np.take(x, range(begin, end), axis) for begin, end in pairwise(ends))


@operation("tile")
def tile(call: Call) -> Array:
    return np.tile(call.tensor("x"), call.integers("reps"))


@operation("reverse")
def reverse(call: Call) -> Array:
    x = call.tensor("x")
    return np.flip(x, call.axes("axes", x.ndim))


@operation("reverse_sequence")
def reverse_sequence(call: Call) -> Array:
    x: Array = call.tensor("x").copy()
    batch, sequence = call.axis("batch_axis", x.ndim, 0), call.axis("seq_axis", x.ndim, 0)
    view = np.moveaxis(x, (batch, sequence), (0, 1))
    for rows, length in zip(view, call.integers("lengths"), strict=True):
        rows[:length] = rows[:length][::-1].copy()
    return x


@operation("pad")
def pad(call: Call) -> Array:
    x, amounts = call.tensor("x"), call.integers("pad")
    widths = [(0, 0)] * (x.ndim - len(amounts) // 2) + list(zip(amounts[::2], amounts[1::2], strict=True))
    mode = call.text("mode", "constant")
    if mode == "constant":
        return np.pad(x, widths, constant_values=call.number("constant_val", 0.0))
    if mode == "reflect":
        if any(max(width) >= size for width, size in zip(widths, x.shape, strict=True) if max(width)):
            raise call.fail(f"{amounts} reflect beyond {list(x.shape)}")
        return np.pad(x, widths, mode="reflect")
    if mode == "replicate":
        return np.pad(x, widths, mode="edge")
    raise call.fail(f"there is no mode {mode}")


@operation("fill")
def fill(call: Call) -> Array:
    return np.full(call.integers("shape"), call.tensor("value") if call.has("value") else 0.0)


@operation("fill_like")
def fill_like(call: Call) -> Array:
    return np.full(call.tensor("ref_tensor").shape, call.tensor("value") if call.has("value") else 0.0)


@operation("range_1d")
def range_1d(call: Call) -> Array:
    start, end = call.pair("start", "end")
    return np.arange(start.item(), end.item(), call.tensor("step").item())
