"""The size of a value, worked out by hand: packed, and with its last axis padded to whole steps of 64 bytes."""

from __future__ import annotations

import pytest

from anecheck.mil.types import VARIADIC, DictType, ListType, StateType, TensorType, TupleType, Type
from anecheck.predict.layout import engine_bytes, packed_bytes


def tensor(dtype: str, *shape: int | None) -> TensorType:
    return TensorType(dtype, shape)


@pytest.mark.parametrize(
    ("kind", "packed", "laid_out"),
    [
        (tensor("fp16", 1, 8, 1, 32), 8 * 32 * 2, 8 * 64),  # 32 elements of 2 bytes fill a step
        (tensor("fp16", 1, 8, 1, 33), 8 * 33 * 2, 8 * 128),  # one element more takes another
        (tensor("fp16", 1, 8, 3, 30), 8 * 3 * 30 * 2, 8 * 3 * 64),
        (tensor("fp16", 1, 48, 1, 1), 48 * 2, 48 * 64),
        (tensor("int8", 1, 48, 1, 1), 48, 48 * 64),
        (tensor("fp32", 1, 48, 1, 1), 48 * 4, 48 * 64),
        (tensor("bool", 5, 65), 5 * 65, 5 * 128),
        (tensor("int32", 2, 16), 2 * 16 * 4, 2 * 64),
        (tensor("fp64", 2, 9), 2 * 9 * 8, 2 * 128),
        (tensor("uint4", 3, 5), 8, 3 * 64),  # 15 nibbles are 7.5 bytes, without gaps between rows
        (tensor("uint1", 2, 9), 3, 2 * 64),
        (tensor("uint6", 2, 100), 150, 2 * 128),  # a row of 600 bits is 75 bytes
        (tensor("fp16"), 2, 64),  # a scalar is a row of one
        (tensor("fp16", 0, 8), 0, 0),
        (tensor("fp16", 8, 0), 0, 0),
        (tensor("string", 4), 0, 0),
        (tensor("fp16", None, 3, None), 3 * 2, 3 * 64),
        (tensor("fp16", VARIADIC), 2, 64),
        (StateType(tensor("fp16", 4, 40)), 4 * 40 * 2, 4 * 128),
        (ListType(tensor("fp16", 2, 3), 7), 7 * 2 * 3 * 2, 7 * 2 * 64),
        (ListType(tensor("fp16", 2, 3), None), 2 * 3 * 2, 2 * 64),
        (ListType(tensor("fp16", 2, 3), VARIADIC), 2 * 3 * 2, 2 * 64),
        (ListType(tensor("fp16", 2, 3), 0), 0, 0),
        (DictType(tensor("int64"), tensor("fp32")), 0, 0),
        (TupleType((tensor("fp16", 2),)), 0, 0),
    ],
    ids=str,
)
def test_sizes(kind: Type, packed: int, laid_out: int) -> None:
    assert packed_bytes(kind) == packed
    assert engine_bytes(kind, 64) == laid_out


@pytest.mark.parametrize(("dtype", "times"), [("fp16", 32), ("int8", 64)])
def test_a_last_axis_of_one_costs_what_apple_says(dtype: str, times: int) -> None:
    kind = tensor(dtype, 1, 512, 1, 1)
    assert engine_bytes(kind, 64) == times * packed_bytes(kind)


def test_no_alignment_is_no_padding() -> None:
    for kind in (tensor("fp16", 1, 48, 1, 1), tensor("uint4", 3, 5), tensor("int8", 7)):
        assert engine_bytes(kind, 1) == packed_bytes(kind)
