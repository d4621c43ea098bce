"""Normalisations."""

from __future__ import annotations

import numpy as np

from tests.reference.operations.activations import per_channel
from tests.reference.table import Call, operation
from tests.reference.tensors import Array


def _standardised(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    mean, variance = np.mean(x, axis=axes, keepdims=True), np.var(x, axis=axes, keepdims=True)
    return np.asarray((x - mean) / np.sqrt(variance + epsilon))


def _scaled(call: Call, x: Array, shape: tuple[int, ...]) -> Array:
    """Apply `gamma` and `beta`, shaped to broadcast, where they are given."""
    gamma, beta = call.optional("gamma"), call.optional("beta")
    if gamma is not None:
        x = x * gamma.reshape(shape)
    return x if beta is None else x + beta.reshape(shape)


@operation("batch_norm")
def batch_norm(call: Call) -> Array:
    x = call.tensor("x")
    mean, variance = (per_channel(call.tensor(name), x.ndim) for name in ("mean", "variance"))
    normal = (x - mean) / np.sqrt(variance + call.number("epsilon", 1e-5))
    return _scaled(call, np.asarray(normal), mean.shape)


@operation("instance_norm")
def instance_norm(call: Call) -> Array:
    x = call.tensor("x")
    normal = _standardised(x, tuple(range(2, x.ndim)), call.number("epsilon", 1e-5))
    return _scaled(call, normal, (1, -1, *(1,) * (x.ndim - 2)))


@operation("layer_norm")
def layer_norm(call: Call) -> Array:
    x = call.tensor("x")
    axes = call.axes("axes", x.ndim)
    shape = tuple(size if axis in axes else 1 for axis, size in enumerate(x.shape))
    return _scaled(call, _standardised(x, axes, call.number("epsilon", 1e-5)), shape)


@operation("l2_norm")
def l2_norm(call: Call) -> Array:
    x = call.tensor("x")
    total = np.sum(np.square(x), axis=(-3, -2, -1), keepdims=True)
    return np.asarray(x / np.sqrt(total + call.number("epsilon", 1e-6)))


@operation("local_response_norm")
def local_response_norm(call: Call) -> Array:
    x, size = call.tensor("x"), call.integer("size")
    squares = np.pad(np.square(x), [(0, 0), (size // 2, (size - 1) // 2), *((0, 0),) * (x.ndim - 2)])
    total = np.asarray(sum(squares[:, first : first + x.shape[1]] for first in range(size)))
    base = call.number("k", 1.0) + call.number("alpha", 1e-4) / size * total
    return np.asarray(x / np.power(base, call.number("beta", 0.75)))
