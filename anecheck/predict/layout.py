"""How large a tensor is: packed, and as the engine lays it out in memory."""

from __future__ import annotations

from math import prod

from anecheck.mil.types import BITS, ListType, StateType, TensorType, Type


def packed_bytes(kind: Type) -> int:
    """The bytes of a value without gaps. A dimension that is unknown counts as 1, and what has no size as 0."""
    return _bytes(kind, 1)


def engine_bytes(kind: Type, alignment: int) -> int:
    """The bytes of a value whose last axis is padded to a multiple of `alignment` bytes, and whose other axes are not.

    A last axis of 1 takes 32 times its size in fp16 and 64 times in int8, with the 64 bytes of Apple's "Deploying
    Transformers on the Apple Neural Engine". Unknown dimensions count as in `packed_bytes`.
    """
    return _bytes(kind, alignment)


def _bytes(kind: Type, alignment: int) -> int:
    if isinstance(kind, StateType):
        return _bytes(kind.wrapped, alignment)
    if isinstance(kind, ListType):
        return _count(kind.length) * _bytes(kind.element, alignment)
    if not isinstance(kind, TensorType):
        return 0
    sizes = [_count(size) for size in kind.shape]
    bits = BITS.get(kind.dtype, 0)
    if alignment == 1:
        return (bits * prod(sizes) + 7) // 8
    row = (bits * (sizes[-1] if sizes else 1) + 7) // 8
    return prod(sizes[:-1]) * (-(-row // alignment) * alignment)


def _count(size: int | None) -> int:
    return size if size is not None and size >= 0 else 1
