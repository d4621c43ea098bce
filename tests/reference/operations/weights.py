"""Compressed weights and quantized tensors."""

from __future__ import annotations

import numpy as np

from tests.reference.table import Call, operation
from tests.reference.tensors import Array, numpy_type


def _along(call: Call, parameter: str, like: Array, default: float | None = None) -> Array:
    """A scalar, or a vector along `axis` of a tensor."""
    if default is not None and not call.has(parameter):
        return np.asarray(default)
    vector = call.tensor(parameter)
    if vector.ndim == 0:
        return vector
    axis = call.axis("axis", like.ndim)
    return vector.reshape([-1 if place == axis else 1 for place in range(like.ndim)])


@operation("dequantize")
def dequantize(call: Call) -> Array:
    codes = call.tensor("input")
    return np.asarray(_along(call, "scale", codes) * (codes - _along(call, "zero_point", codes, 0)))


@operation("quantize")
def quantize(call: Call) -> Array:
    x = call.tensor("input")
    limits = np.iinfo(numpy_type(call.text("output_dtype")))
    codes = np.rint(x / _along(call, "scale", x)) + _along(call, "zero_point", x, 0)
    return np.asarray(np.clip(codes, limits.min, limits.max)).astype(np.int64)


@operation("constexpr_affine_dequantize")
def constexpr_affine_dequantize(call: Call) -> Array:
    codes = call.tensor("quantized_data")
    return np.asarray(_along(call, "scale", codes) * (codes - _along(call, "zero_point", codes)))


@operation("constexpr_cast")
def constexpr_cast(call: Call) -> Array:
    return call.tensor("source_val")


def _spread(blocks: Array, shape: tuple[int, ...]) -> Array:
    """Repeat each element over its block, so that `blocks` fills `shape`."""
    for axis, size in enumerate(shape):
        blocks = np.repeat(blocks, size // blocks.shape[axis], axis)
    return blocks


@operation("constexpr_blockwise_shift_scale")
def constexpr_blockwise_shift_scale(call: Call) -> Array:
    data, scale = call.tensor("data"), call.tensor("scale")
    offset = call.tensor("offset") if call.has("offset") else np.zeros_like(scale)
    return np.asarray(_spread(scale, data.shape) * (data - _spread(offset, data.shape)))


@operation("constexpr_lut_to_dense")
def constexpr_lut_to_dense(call: Call) -> Array:
    """Values looked up by their codes.

    Up to iOS 17 the codes are packed into bytes from the lowest bit up and `shape` is given; later each block of codes has
    a table of its own, whose last two dimensions are the codes and the values, or vectors of values, that they stand for.
    """
    indices, table = call.tensor("indices"), call.tensor("lut")
    if call.has("shape"):
        shape = call.integers("shape")
        width = (len(table) - 1).bit_length()
        bits = np.unpackbits(indices.astype(np.uint8), bitorder="little")[: int(np.prod(shape)) * width]
        codes = bits.reshape(-1, width).astype(np.int64) @ (1 << np.arange(width))
        return np.take(table, codes).reshape(shape)
    blocks = _spread(table, (*indices.shape, *table.shape[-2:]))
    vectors = np.take_along_axis(blocks, indices[..., None, None], -2)[..., 0, :]
    if not call.has("vector_axis"):
        return np.asarray(vectors[..., 0])
    axis = call.axis("vector_axis", indices.ndim)
    interleaved = np.moveaxis(vectors, -1, axis + 1)  # the values of a vector are neighbours along the axis
    return interleaved.reshape([-1 if place == axis else size for place, size in enumerate(indices.shape)])


@operation("constexpr_sparse_to_dense")
def constexpr_sparse_to_dense(call: Call) -> Array:
    """Values put where the mask has ones; up to iOS 17 the mask is packed into bytes and `shape` is given."""
    values, mask = call.tensor("nonzero_data"), call.tensor("mask")
    if call.has("shape"):
        shape = call.integers("shape")
        bits = np.unpackbits(mask.astype(np.uint8), bitorder="little")
        mask = bits[: int(np.prod(shape))].reshape(shape)
    result = np.zeros(mask.shape, dtype=values.dtype)
    result[mask != 0] = values
    return result
