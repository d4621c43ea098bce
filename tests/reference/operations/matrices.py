"""Products of matrices, attention, and parts of matrices."""

from __future__ import annotations

from math import sqrt

import numpy as np

from tests.reference.operations.activations import normalised_exponentials
from tests.reference.table import Call, operation
from tests.reference.tensors import Array


@operation("matmul")
def matmul(call: Call) -> Array:
    x, y = call.pair()
    if call.flag("transpose_x"):
        x = np.swapaxes(x, -1, -2)
    if call.flag("transpose_y"):
        y = np.swapaxes(y, -1, -2)
    return np.asarray(np.matmul(x, y))


@operation("linear")
def linear(call: Call) -> Array:
    x, weight = call.pair("x", "weight")
    bias = call.optional("bias")
    product = np.asarray(np.matmul(x, weight.T))
    return product if bias is None else product + bias


@operation("einsum")
def einsum(call: Call) -> Array:
    return np.asarray(np.einsum(call.text("equation").replace(" ", ""), *call.tensors("values")))


@operation("scaled_dot_product_attention")
def scaled_dot_product_attention(call: Call) -> Array:
    query, key = call.pair("query", "key")
    scores = np.asarray(np.matmul(query, np.swapaxes(key, -1, -2))) / sqrt(query.shape[-1])
    mask = call.optional("attn_mask")
    if mask is not None:
        scores = scores + (np.where(mask, 0, -np.inf) if mask.dtype.kind == "b" else mask)
    return np.asarray(np.matmul(normalised_exponentials(scores, -1), call.tensor("value")))


@operation("band_part")
def band_part(call: Call) -> Array:
    x = call.tensor("x")
    lower, upper = call.integer("lower", -1), call.integer("upper", -1)
    below = np.arange(x.shape[-2])[:, None] - np.arange(x.shape[-1])[None, :]
    inside = ((lower < 0) | (below <= lower)) & ((upper < 0) | (-below <= upper))
    return np.where(inside, x, np.zeros_like(x))
