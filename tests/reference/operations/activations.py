"""Activation functions."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from typing import Final

import numpy as np

from tests.reference.operations.elementwise import UNARY
from tests.reference.table import TABLE, Call, Compute, operation
from tests.reference.tensors import Array


def sigmoid(x: Array) -> Array:
    return np.asarray(np.exp(-np.logaddexp(0, -x)))


def soft_plus(x: Array) -> Array:
    return np.asarray(np.logaddexp(0, x))


PLAIN: Final[dict[str, Callable[[Array], Array]]] = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x),
    "softplus": soft_plus,
    "softsign": lambda x: x / (1 + np.abs(x)),
}

WITH_SLOPE: Final[dict[str, Callable[[Array, float], Array]]] = {
    "elu": lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
    "leaky_relu": lambda x, alpha: np.where(x >= 0, x, alpha * x),
    "thresholded_relu": lambda x, alpha: np.where(x >= alpha, x, 0),
}

WITH_SLOPE_AND_OFFSET: Final[dict[str, Callable[[Array, float, float], Array]]] = {
    "clamped_relu": lambda x, alpha, beta: np.minimum(beta, np.where(x >= 0, x, alpha * x)),
    "linear_activation": lambda x, alpha, beta: alpha * x + beta,
    "scaled_tanh": lambda x, alpha, beta: alpha * np.tanh(beta * x),
    "sigmoid_hard": lambda x, alpha, beta: np.clip(alpha * x + beta, 0, 1),
}

GELU: Final[dict[str, Callable[[Array], Array]]] = {
    "EXACT": lambda x: 0.5 * x * (1 + UNARY["erf"](x / sqrt(2))),
    "TANH_APPROXIMATION": lambda x: 0.5 * x * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))),
    "SIGMOID_APPROXIMATION": lambda x: x * sigmoid(1.702 * x),
}


def _plain(function: Callable[[Array], Array]) -> Compute:
    return lambda call: np.asarray(function(call.tensor("x")))


def _with_slope(function: Callable[[Array, float], Array]) -> Compute:
    return lambda call: np.asarray(function(call.tensor("x"), call.number("alpha")))


def _with_both(function: Callable[[Array, float, float], Array]) -> Compute:
    return lambda call: np.asarray(function(call.tensor("x"), call.number("alpha"), call.number("beta")))


TABLE.update({name: _plain(function) for name, function in PLAIN.items()})
TABLE.update({name: _with_slope(function) for name, function in WITH_SLOPE.items()})
TABLE.update({name: _with_both(function) for name, function in WITH_SLOPE_AND_OFFSET.items()})


@operation("gelu")
def gelu(call: Call) -> Array:
    return np.asarray(GELU[call.text("mode", "EXACT")](call.tensor("x")))


@operation("softmax")
def softmax(call: Call) -> Array:
    x = call.tensor("x")
    return normalised_exponentials(x, call.axis("axis", x.ndim, -1))


def normalised_exponentials(x: Array, axis: int) -> Array:
    """The exponentials of `x`, scaled to sum up to 1 along `axis`."""
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return np.asarray(powers / np.sum(powers, axis=axis, keepdims=True))


def per_channel(vector: Array, rank: int) -> Array:
    """A vector with an element for each channel, shaped to broadcast along axis 1 of a tensor of `rank`."""
    return vector.reshape(1, -1, *(1,) * (rank - 2))


@operation("prelu")
def prelu(call: Call) -> Array:
    x, alpha = call.pair("x", "alpha")
    return np.where(x > 0, x, per_channel(alpha, x.ndim) * x)


@operation("softplus_parametric")
def softplus_parametric(call: Call) -> Array:
    x, alpha = call.pair("x", "alpha")
    beta = call.tensor("beta")
    return np.asarray(per_channel(alpha, x.ndim) * soft_plus(per_channel(beta, x.ndim) * x))
