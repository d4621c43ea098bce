"""Arithmetic, comparison, logic and mathematical functions, element by element."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from tests.reference.table import TABLE, Call, Compute, operation
from tests.reference.tensors import Array, numpy_type, rounded

_error_function = np.vectorize(math.erf, otypes=[np.float64])

UNARY: Final[dict[str, Callable[[Array], Array]]] = {
    "abs": np.abs,
    "acos": np.arccos,
    "asin": np.arcsin,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "erf": _error_function,
    "exp": np.exp,
    "exp2": lambda x: np.power(2, x),
    "floor": np.floor,
    "identity": lambda x: x,
    "logical_not": np.logical_not,
    "round": np.rint,  # halves go to the even neighbour
    "sign": np.sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "square": np.square,
    "tan": np.tan,
    "tanh": np.tanh,
}

BINARY: Final[dict[str, Callable[[Array, Array], Array]]] = {
    "add": np.add,
    "equal": np.equal,
    "floor_div": np.floor_divide,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "mod": np.mod,  # takes the sign of the divisor
    "mul": np.multiply,
    "not_equal": np.not_equal,
    "pow": np.power,
    "sub": np.subtract,
}


def _unary(function: Callable[[Array], Array]) -> Compute:
    return lambda call: np.asarray(function(call.tensor("x")))


def _binary(function: Callable[[Array, Array], Array]) -> Compute:
    return lambda call: np.asarray(function(*call.pair()))


TABLE.update({name: _unary(function) for name, function in UNARY.items()})
TABLE.update({name: _binary(function) for name, function in BINARY.items()})


@operation("real_div")
def real_div(call: Call) -> Array:
    x, y = call.pair()
    quotient = np.asarray(np.true_divide(x, y))
    return quotient.astype(x.dtype) if x.dtype.kind == "i" else quotient


@operation("cast")
def cast(call: Call) -> Array:
    dtype, declared = call.text("dtype"), call.operation.outputs[0].type
    if getattr(declared, "dtype", None) != dtype:
        raise call.fail(f"to {dtype}, declared as {declared}")
    x = call.tensor("x")
    # The interpreter rounds floats, and leaves them alone where it computes exactly.
    return x.astype(np.float64) if numpy_type(dtype).kind == "f" else rounded(x, dtype)


@operation("clip")
def clip(call: Call) -> Array:
    return np.asarray(np.clip(call.tensor("x"), call.number("alpha"), call.number("beta")))


@operation("threshold")
def threshold(call: Call) -> Array:
    return np.asarray(np.maximum(*call.pair("x", "alpha")))


@operation("inverse")
def inverse(call: Call) -> Array:
    return np.asarray(1 / (call.tensor("x") + call.number("epsilon", 1e-4)))


@operation("rsqrt")
def rsqrt(call: Call) -> Array:
    return np.asarray(1 / np.sqrt(call.tensor("x") + call.number("epsilon", 1e-12)))


@operation("log")
def log(call: Call) -> Array:
    return np.asarray(np.log(call.tensor("x") + call.number("epsilon", 1e-45)))
