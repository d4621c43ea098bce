"""Tensors as numpy holds them: types, values written in a program, and rounding to a type."""

from __future__ import annotations

import zlib
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from anecheck.mil.types import BITS, TensorType
from anecheck.mil.values import BlobValue, ListValue, TensorValue, Value

Array: TypeAlias = npt.NDArray[Any]


class InterpreterError(Exception):
    """A program that the reference cannot execute: unknown, ill-formed, or out of a tensor's range."""


_WIDTHS: Final = {"fp16": "float16", "fp32": "float32", "fp64": "float64"}
_UNREADABLE: Final = frozenset({"bf16", "fp8e4m3fn", "fp8e5m2"})


def numpy_type(dtype: str) -> np.dtype[Any]:
    """The numpy type that holds elements of a MIL type; sub-byte integers take a whole byte."""
    if dtype in _WIDTHS:
        return np.dtype(_WIDTHS[dtype])
    if dtype == "string":
        return np.dtype(object)
    if dtype not in BITS or dtype in _UNREADABLE:
        raise InterpreterError(f"the reference has no numbers of type {dtype}")
    if dtype != "bool" and BITS[dtype] < 8:
        return np.dtype("int8" if dtype.startswith("int") else "uint8")
    return np.dtype(dtype)


def widen(array: Array) -> Array:
    """The form in which operations compute: floats as float64, integers as int64, booleans and strings as they are."""
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    return array.astype(np.int64) if array.dtype.kind in "iu" else array


def rounded(array: Array, dtype: str, *, exact: bool = False) -> Array:
    """An operation's result as its type holds it; with `exact`, floating-point numbers stay float64.

    Floats become integers by truncation, and what is too large becomes infinite.
    """
    target = numpy_type(dtype)
    if exact and target.kind == "f":
        target = np.dtype(np.float64)
    with np.errstate(all="ignore"):
        return array.astype(target)


def constant(value: Value) -> Array:
    """A value of a program as an array. Blobs, whose file is not read, are random numbers that depend on their place."""
    if isinstance(value, BlobValue):
        return _blob(value)
    if isinstance(value, ListValue):
        items = [constant(item) for item in value.items]
        return np.array([item.item() for item in items], dtype=items[0].dtype if items else np.dtype(object))
    if not isinstance(value, TensorValue):
        raise InterpreterError(f"the reference has no {type(value).__name__}")
    shape = static_shape(value.type)
    elements = value.elements()[: int(np.prod(shape))]
    return np.array(elements, dtype=numpy_type(value.type.dtype)).reshape(shape)


def static_shape(kind: TensorType) -> tuple[int, ...]:
    """The sizes of a tensor whose dimensions are all known."""
    sizes = tuple(size for size in kind.shape if size is not None and size >= 0)
    if len(sizes) != kind.rank:
        raise InterpreterError(f"{kind} has no fixed shape")
    return sizes


def _blob(value: BlobValue) -> Array:
    random = np.random.default_rng(zlib.crc32(f"{value.path}:{value.offset}".encode()))
    target, shape = numpy_type(value.type.dtype), static_shape(value.type)
    if target.kind == "f":
        return random.standard_normal(shape).astype(target)
    if target.kind == "b":
        return random.random(shape) < 0.5
    bits = min(BITS[value.type.dtype], 31)
    low = -(1 << (bits - 1)) if value.type.dtype.startswith("int") else 0
    return random.integers(low, low + (1 << bits), shape).astype(target)
