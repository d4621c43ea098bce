"""The types of MIL values: tensors, lists, tuples, dictionaries and states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

VARIADIC: Final = -1
"""The size of a dimension that stands for any number of dimensions."""

BITS: Final = {
    "bool": 8,
    "fp8e4m3fn": 8,
    "fp8e5m2": 8,
    "fp16": 16,
    "bf16": 16,
    "fp32": 32,
    "fp64": 64,
    "int4": 4,
    "int8": 8,
    "int16": 16,
    "int32": 32,
    "int64": 64,
    "uint1": 1,
    "uint2": 2,
    "uint3": 3,
    "uint4": 4,
    "uint6": 6,
    "uint8": 8,
    "uint16": 16,
    "uint32": 32,
    "uint64": 64,
}
"""Bits that one element takes in a program's weights. Sub-byte elements are packed without gaps; strings have no size."""


@dataclass(frozen=True, slots=True)
class TensorType:
    """A tensor of `dtype` ("fp16", "int32", "uint4", "string" …) and `shape`.

    A dimension is a size in elements, `None` where it is only known when the model runs, or `VARIADIC`.
    A scalar is a tensor of rank 0.
    """

    dtype: str
    shape: tuple[int | None, ...]

    @property
    def rank(self) -> int:
        """How many dimensions there are; 0 for a scalar."""
        return len(self.shape)

    @property
    def is_static(self) -> bool:
        """Whether every dimension is known before the model runs."""
        return all(size is not None and size >= 0 for size in self.shape)

    @property
    def element_count(self) -> int | None:
        """The number of elements, or `None` where a dimension is unknown."""
        count = 1
        for size in self.shape:
            if size is None or size < 0:
                return None
            count *= size
        return count

    @property
    def byte_count(self) -> int | None:
        """The packed size in bytes, rounded up; `None` for unknown dimensions and for types without a size."""
        bits, count = BITS.get(self.dtype), self.element_count
        return None if bits is None or count is None else (bits * count + 7) // 8

    def __str__(self) -> str:
        if None not in self.shape and VARIADIC not in self.shape:
            return f"{self.dtype}{list(self.shape)}"  # the same, sooner
        return f"{self.dtype}[{', '.join(map(dimension_text, self.shape))}]"


@dataclass(frozen=True, slots=True)
class ListType:
    """A list of `element`, of fixed `length` or, with `None`, of any."""

    element: Type
    length: int | None

    def __str__(self) -> str:
        return f"list<{self.element}, {dimension_text(self.length)}>"


@dataclass(frozen=True, slots=True)
class TupleType:
    """A tuple with an element of each of `elements`."""

    elements: tuple[Type, ...]

    def __str__(self) -> str:
        return f"tuple<{', '.join(map(str, self.elements))}>"


@dataclass(frozen=True, slots=True)
class DictType:
    """A dictionary from `key` to `value`."""

    key: Type
    value: Type

    def __str__(self) -> str:
        return f"dict<{self.key}, {self.value}>"


@dataclass(frozen=True, slots=True)
class StateType:
    """A buffer that outlives a prediction, holding a `wrapped` tensor."""

    wrapped: Type

    def __str__(self) -> str:
        return f"state<{self.wrapped}>"


Type: TypeAlias = TensorType | ListType | TupleType | DictType | StateType


def dimension_text(size: int | None) -> str:
    """Spell a dimension as MIL text does: `?` where it is unknown, `...` where it is variadic."""
    if size is None:
        return "?"
    return "..." if size == VARIADIC else str(size)
