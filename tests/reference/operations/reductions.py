"""Reductions along axes, and running sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from tests.reference.table import TABLE, Call, Compute, operation
from tests.reference.tensors import Array

Reduction = Callable[[Array, tuple[int, ...], bool], Array]


def _log_sum_exp(x: Array, axes: tuple[int, ...], keep: bool) -> Array:
    largest = np.max(x, axis=axes, keepdims=True)
    total = np.log(np.sum(np.exp(x - largest), axis=axes, keepdims=True)) + largest
    return np.asarray(total if keep else np.squeeze(total, axis=axes))


REDUCTIONS: Final[dict[str, Reduction]] = {
    "reduce_l1_norm": lambda x, axes, keep: np.sum(np.abs(x), axis=axes, keepdims=keep),
    "reduce_l2_norm": lambda x, axes, keep: np.sqrt(np.sum(np.square(x), axis=axes, keepdims=keep)),
    "reduce_log_sum": lambda x, axes, keep: np.log(np.sum(x, axis=axes, keepdims=keep)),
    "reduce_log_sum_exp": _log_sum_exp,
    "reduce_max": lambda x, axes, keep: np.max(x, axis=axes, keepdims=keep),
    "reduce_mean": lambda x, axes, keep: np.mean(x, axis=axes, keepdims=keep),
    "reduce_min": lambda x, axes, keep: np.min(x, axis=axes, keepdims=keep),
    "reduce_prod": lambda x, axes, keep: np.prod(x, axis=axes, keepdims=keep),
    "reduce_sum": lambda x, axes, keep: np.sum(x, axis=axes, keepdims=keep),
    "reduce_sum_square": lambda x, axes, keep: np.sum(np.square(x), axis=axes, keepdims=keep),
}


def _reduction(function: Reduction) -> Compute:
    def compute(call: Call) -> Array:
        x = call.tensor("x")
        result = np.asarray(function(x, call.axes("axes", x.ndim), call.flag("keep_dims")))
        return result.astype(x.dtype)  # of integers, integers

    return compute


TABLE.update({name: _reduction(function) for name, function in REDUCTIONS.items()})


def _position(call: Call, sign: int) -> Array:
    x = call.tensor("x")
    axis = call.axis("axis", x.ndim, -1)
    return np.asarray(np.argmax(sign * x, axis=axis, keepdims=call.flag("keep_dims")))


@operation("reduce_argmax")
def reduce_argmax(call: Call) -> Array:
    return _position(call, 1)


@operation("reduce_argmin")
def reduce_argmin(call: Call) -> Array:
    return _position(call, -1)


@operation("cumsum")
def cumsum(call: Call) -> Array:
    x = call.tensor("x")
    axis = call.axis("axis", x.ndim, 0)
    ordered = np.flip(x, axis) if call.flag("reverse") else x
    total = np.cumsum(ordered, axis=axis)
    if call.flag("exclusive"):
        total = total - ordered
    return np.asarray(np.flip(total, axis) if call.flag("reverse") else total)
