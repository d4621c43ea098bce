"""Values that stand in a program: numbers and strings written out, and references into the weight file."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from anecheck.mil.types import BITS, DictType, ListType, TensorType, TupleType

Scalar: TypeAlias = int | float | bool | str

FORMATS: Final = {
    "bool": "?",
    "fp16": "e",
    "fp32": "f",
    "fp64": "d",
    "int8": "b",
    "int16": "h",
    "int32": "i",
    "int64": "q",
    "uint8": "B",
    "uint16": "H",
    "uint32": "I",
    "uint64": "Q",
    # No format of the struct module fits these; their codes are handed out as unsigned integers.
    "bf16": "H",
    "fp8e4m3fn": "B",
    "fp8e5m2": "B",
}
"""The `struct` format of one element, for every type that fills whole bytes."""


class TensorValue(NamedTuple):
    """A tensor written out in the program.

    `data` holds the elements in row-major order: packed little-endian bytes, or the strings themselves. Bytes keep a
    program comparable bit by bit (NaN included) and are not unpacked before somebody asks.
    """

    type: TensorType
    data: bytes | tuple[str, ...]

    def elements(self) -> tuple[Scalar, ...]:
        """Unpack the elements, flat and in row-major order.

        bf16 and fp8 elements come as their bit patterns.

        Raises:
            ValueError: the data is no whole number of elements.
        """
        if isinstance(self.data, tuple):
            return self.data
        elements = unpack(self.type.dtype, self.data)
        # What follows the last of sub-byte elements is padding.
        return elements[: self.type.element_count] if BITS[self.type.dtype] < 8 else elements


class BlobValue(NamedTuple):
    """A tensor kept in the weight file.

    `path` is as the program spells it (`@model_path/weights/weight.bin`); `offset` is the position in bytes of the
    blob's 64-byte header.
    """

    type: TensorType
    path: str
    offset: int


@dataclass(frozen=True, slots=True)
class ListValue:
    """A list written out in the program."""

    type: ListType
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class TupleValue:
    """A tuple written out in the program."""

    type: TupleType
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class DictValue:
    """A dictionary written out in the program, in its own order."""

    type: DictType
    items: tuple[tuple[Value, Value], ...]


Value: TypeAlias = TensorValue | BlobValue | ListValue | TupleValue | DictValue


def pack(dtype: str, elements: tuple[Scalar, ...] | list[Scalar]) -> bytes:
    """Pack elements into little-endian bytes; sub-byte integers follow each other from the lowest bit up.

    Raises:
        ValueError: an element does not fit `dtype`, or `dtype` has no packed form.
    """
    if dtype in FORMATS:
        try:
            return struct.pack(f"<{len(elements)}{FORMATS[dtype]}", *elements)
        except (struct.error, OverflowError) as error:
            raise ValueError(f"{error} ({dtype})") from error
    bits = _sub_byte_bits(dtype)
    mask = (1 << bits) - 1
    lowest = -(1 << (bits - 1)) if dtype.startswith("int") else 0
    codes = [element & mask for element in elements if isinstance(element, int) and lowest <= element <= lowest + mask]
    if len(codes) != len(elements):
        raise ValueError(f"{dtype} holds integers from {lowest} to {lowest + mask}")
    return b"".join(  # eight elements fill `bits` bytes
        sum(code << (place * bits) for place, code in enumerate(group)).to_bytes((len(group) * bits + 7) // 8, "little")
        for group in (codes[start : start + 8] for start in range(0, len(codes), 8))
    )


def unpack(dtype: str, data: bytes) -> tuple[Scalar, ...]:
    """Undo `pack`. Padding bits at the end of sub-byte data come out as elements; the caller knows the count.

    Raises:
        ValueError: `data` is no whole number of elements, or `dtype` has no packed form.
    """
    if dtype in FORMATS:
        size = struct.calcsize(f"<{FORMATS[dtype]}")
        if len(data) % size:
            raise ValueError(f"{len(data)} bytes are no whole number of {dtype} elements")
        return struct.unpack(f"<{len(data) // size}{FORMATS[dtype]}", data)
    bits = _sub_byte_bits(dtype)
    mask, signed = (1 << bits) - 1, dtype.startswith("int")
    codes: list[int] = []
    for start in range(0, len(data), bits):
        group = data[start : start + bits]
        packed = int.from_bytes(group, "little")
        codes += [(packed >> (place * bits)) & mask for place in range(len(group) * 8 // bits)]
    return tuple(code - (1 << bits) if signed and code >> (bits - 1) else code for code in codes)


def _sub_byte_bits(dtype: str) -> int:
    bits = BITS.get(dtype)
    if bits is None or bits >= 8:
        raise ValueError(f"{dtype} has no packed form")
    return bits
