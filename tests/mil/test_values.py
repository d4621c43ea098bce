"""Elements of constants: what bytes they are packed into, and what comes out of the bytes."""

from __future__ import annotations

import math
import struct
from typing import Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from anecheck.mil.types import BITS, TensorType
from anecheck.mil.values import FORMATS, Scalar, TensorValue, pack, unpack

INTEGERS = tuple(name for name in BITS if name.startswith(("int", "uint")))
SUB_BYTE = tuple(name for name in INTEGERS if BITS[name] < 8)
CODES = ("bf16", "fp8e4m3fn", "fp8e5m2")
FLOATS: dict[str, Literal[16, 32, 64]] = {"fp16": 16, "fp32": 32, "fp64": 64}


def limits(dtype: str) -> tuple[int, int]:
    """The least and the greatest integer of a type."""
    bits = BITS[dtype]
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if dtype.startswith("int") else (0, 2**bits - 1)


@pytest.mark.parametrize(
    ("dtype", "elements", "packed"),
    [
        ("bool", (True, False, True), "010001"),
        ("fp16", (1.0, -2.0, 65504.0, 2.0**-24), "003c00c0ff7b0100"),
        ("fp16", (math.inf, -math.inf, -0.0), "007c00fc0080"),
        ("fp32", (1.0, -0.5), "0000803f000000bf"),
        ("fp64", (1.5,), "000000000000f83f"),
        ("bf16", (0x3F80, 0xFFFF), "803fffff"),
        ("fp8e4m3fn", (0x38, 0xFF), "38ff"),
        ("fp8e5m2", (0x3C,), "3c"),
        ("int8", (-128, -1, 0, 127), "80ff007f"),
        ("int16", (-2, 258), "feff0201"),
        ("int32", (-1, 16909060), "ffffffff04030201"),
        ("int64", (-2,), "feffffffffffffff"),
        ("uint8", (0, 255), "00ff"),
        ("uint16", (65535, 1), "ffff0100"),
        ("uint32", (4294967295,), "ffffffff"),
        ("uint64", (18446744073709551615,), "ffffffffffffffff"),
        # Elements below a byte follow each other from the lowest bit up; the last byte is padded with zeros.
        ("uint1", (1, 0, 1, 1, 0, 0, 0, 0, 1), "0d01"),
        ("uint2", (1, 2, 3, 0), "39"),
        ("uint3", (1, 2, 3, 4, 5, 6, 7, 0), "d1581f"),
        ("uint3", (7,), "07"),
        ("uint4", (1, 15, 8), "f108"),
        ("uint6", (63, 1, 32), "7f0002"),
        ("int4", (-8, 7, -1), "780f"),
        ("uint4", (), ""),
        ("fp16", (), ""),
    ],
)
def test_elements_become_little_endian_bytes(dtype: str, elements: tuple[Scalar, ...], packed: str) -> None:
    assert pack(dtype, elements).hex() == packed


@pytest.mark.parametrize(
    ("dtype", "packed", "elements"),
    [
        ("fp16", "003c", (1.0,)),
        ("bf16", "803f", (0x3F80,)),
        ("fp8e5m2", "3cff", (0x3C, 0xFF)),
        ("bool", "0001", (False, True)),
        ("int8", "80", (-128,)),
        ("int4", "78", (-8, 7)),
        ("uint4", "f108", (1, 15, 8, 0)),
        ("uint1", "81", (1, 0, 0, 0, 0, 0, 0, 1)),
        ("uint3", "d1581f", (1, 2, 3, 4, 5, 6, 7, 0)),
        ("uint3", "3f", (7, 7)),
        ("uint6", "7f0002", (63, 1, 32, 0)),
    ],
)
def test_bytes_become_elements_padding_included(dtype: str, packed: str, elements: tuple[Scalar, ...]) -> None:
    unpacked = unpack(dtype, bytes.fromhex(packed))
    assert unpacked == elements
    assert list(map(type, unpacked)) == list(map(type, elements))


def test_a_tensor_has_as_many_elements_as_its_shape_says_without_the_padding() -> None:
    assert TensorValue(TensorType("uint4", (3,)), b"\xf1\x08").elements() == (1, 15, 8)
    assert TensorValue(TensorType("uint1", ()), b"\x01").elements() == (1,)
    assert TensorValue(TensorType("uint4", (None,)), b"\xf1\x08").elements() == (1, 15, 8, 0)


def test_a_tensor_of_strings_has_the_strings_as_elements() -> None:
    assert TensorValue(TensorType("string", (2,)), ("a", "")).elements() == ("a", "")


def test_not_a_number_stays_what_it_is_bit_by_bit() -> None:
    value = TensorValue(TensorType("fp16", (1,)), pack("fp16", (math.nan,)))
    assert value == TensorValue(TensorType("fp16", (1,)), b"\x00\x7e")
    (element,) = value.elements()
    assert isinstance(element, float)
    assert math.isnan(element)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_beyond_their_type_are_refused(dtype: str) -> None:
    least, greatest = limits(dtype)
    assert pack(dtype, (least, greatest)) == pack(dtype, [least, greatest])
    for outside in (least - 1, greatest + 1):
        with pytest.raises(ValueError, match=dtype):
            pack(dtype, (outside,))


@pytest.mark.parametrize(
    ("dtype", "element"),
    [
        ("fp16", 65520.0),
        ("fp32", 1e39),
        ("bf16", 1.5),
        ("bf16", 65536),
        ("fp8e4m3fn", 256),
        ("fp8e5m2", -1),
        ("int32", 0.5),
        ("int4", 0.5),
        ("uint1", "1"),
        ("fp32", "1"),
    ],
)
def test_what_does_not_fit_is_refused(dtype: str, element: Scalar) -> None:
    with pytest.raises(ValueError, match=dtype):
        pack(dtype, (element,))


@pytest.mark.parametrize("dtype", ["string", "unknown", "unused_type", "int3", ""])
def test_types_without_a_packed_form_are_refused(dtype: str) -> None:
    with pytest.raises(ValueError, match="has no packed form"):
        pack(dtype, ())
    with pytest.raises(ValueError, match="has no packed form"):
        unpack(dtype, b"")


@pytest.mark.parametrize("dtype", [name for name in FORMATS if BITS[name] > 8])
def test_bytes_that_are_no_whole_number_of_elements_are_refused(dtype: str) -> None:
    size = BITS[dtype] // 8
    with pytest.raises(ValueError, match=f"{size + 1} bytes are no whole number of {dtype} elements"):
        unpack(dtype, bytes(size + 1))


def test_every_type_that_has_a_size_has_a_packed_form_of_that_size() -> None:
    for dtype, bits in BITS.items():
        assert len(pack(dtype, [0] * 8)) == bits, dtype
        assert TensorType(dtype, (8,)).byte_count == bits


@given(
    st.sampled_from(INTEGERS).flatmap(lambda dtype: st.tuples(st.just(dtype), st.lists(st.integers(*limits(dtype)))))
)
def test_integers_survive_a_round_trip(case: tuple[str, list[int]]) -> None:
    dtype, elements = case
    assert unpack(dtype, pack(dtype, tuple(elements)))[: len(elements)] == tuple(elements)


@given(st.sampled_from(CODES), st.lists(st.integers(0, 255)))
def test_codes_of_small_floats_survive_a_round_trip(dtype: str, codes: list[int]) -> None:
    assert unpack(dtype, pack(dtype, tuple(codes))) == tuple(codes)


@given(
    st.sampled_from(sorted(FLOATS)).flatmap(
        lambda dtype: st.tuples(st.just(dtype), st.lists(st.floats(width=FLOATS[dtype], allow_nan=False)))
    )
)
def test_floats_survive_a_round_trip_with_sign_and_infinity(case: tuple[str, list[float]]) -> None:
    dtype, elements = case
    result = unpack(dtype, pack(dtype, tuple(elements)))
    assert struct.pack(f"{len(elements)}d", *result) == struct.pack(f"{len(elements)}d", *elements)


@given(st.sampled_from(sorted(FORMATS)), st.binary(max_size=64))
def test_whole_bytes_survive_a_round_trip(dtype: str, data: bytes) -> None:
    data = data[: len(data) // 8 * 8]
    if dtype == "bool":
        data = bytes(byte & 1 for byte in data)
    elements = unpack(dtype, data)
    assume(not any(math.isnan(element) for element in elements if isinstance(element, float)))  # loses its payload
    assert pack(dtype, elements) == data


@given(st.sampled_from(SUB_BYTE), st.binary(max_size=12))
def test_packed_bits_survive_a_round_trip(dtype: str, data: bytes) -> None:
    data = data[: len(data) // BITS[dtype] * BITS[dtype]]
    assert pack(dtype, unpack(dtype, data)) == data
