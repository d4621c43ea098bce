"""Casts that are superfluous, trips to integers, and vocabularies scored everywhere."""

from __future__ import annotations

import pytest

from tests.rules.patterns.findings import function, messages


def casts(first: str, between: str, last: str, extra: str = "", results: str = "y") -> str:
    return function(
        f"tensor<{first}, [1, 8]> x",
        f"""
        tensor<{between}, [1, 8]> m = cast(dtype = string("{between}"), x = x);
        tensor<{last}, [1, 8]> y = cast(dtype = string("{last}"), x = m);
        {extra}
        """,
        results,
    )


@pytest.mark.parametrize(
    ("types", "said"),
    [
        (("fp16", "fp32", "fp16"), "info: cast from fp16 to fp32 and then to fp16, where neither is needed"),
        (("bool", "fp16", "bool"), "info: cast from bool to fp16 and then to bool, where neither is needed"),
        (("bool", "int32", "fp16"), "warning: cast from bool to int32 and then to fp16, where one cast would do"),
        (("uint8", "fp16", "fp32"), "info: cast from uint8 to fp16 and then to fp32, where one cast would do"),
        (("fp16", "fp32", "int32"), "warning: cast from fp16 to fp32 and then to int32, where one cast would do"),
        (("int8", "fp16", "uint8"), ""),
        (("fp32", "fp16", "fp32"), ""),
        (("int32", "int16", "int32"), ""),
        (("int16", "fp16", "int16"), ""),
        (("fp16", "bool", "fp16"), ""),
    ],
)
def test_two_casts_in_a_row(types: tuple[str, str, str], said: str) -> None:
    assert messages("ANE246", casts(*types)) == ({"y": said} if said else {})


def test_a_value_between_that_others_use_is_made_in_any_case() -> None:
    seen = ("tensor<fp32, [1, 8]> z = exp(x = m);", "y, z")
    assert messages("ANE246", casts("fp16", "fp32", "fp16", *seen)) == {
        "y": "info: cast from fp16 to fp32 and then to fp16, where the value is there already"
    }
    assert messages("ANE246", casts("bool", "fp16", "fp32", "tensor<fp16, [1, 8]> z = exp(x = m);", "y, z")) == {}


def test_a_cast_to_the_same_type() -> None:
    program = function("tensor<fp16, [1, 8]> x", 'tensor<fp16, [1, 8]> y = cast(dtype = string("fp16"), x = x);')
    assert messages("ANE246", program) == {"y": "info: cast from fp16 to fp16"}


def round_trip(between: str, last: str = "j", results: str = "y", kind: str = "int32") -> str:
    return function(
        f"tensor<fp16, [1, 8]> x, tensor<{kind}, [1, 8]> n",
        f"""
        tensor<{kind}, [1, 8]> i = cast(dtype = string("{kind}"), x = x);
        {between}
        tensor<fp16, [1, 8]> y = cast(dtype = string("fp16"), x = {last});
        """,
        results,
    )


@pytest.mark.parametrize(
    ("program", "speaks"),
    [
        pytest.param(round_trip("", "i"), True, id="nothing between"),
        pytest.param(round_trip("tensor<int32, [1, 8]> j = mul(x = i, y = int32(3));"), True, id="a constant"),
        pytest.param(round_trip("tensor<int32, [1, 8]> j = add(x = i, y = n);"), False, id="a run-time operand"),
        pytest.param(round_trip("tensor<int32, [1, 8]> j = floor_div(x = i, y = int32(3));"), False, id="a division"),
        pytest.param(round_trip("", "i", "y, i"), False, id="integers that are returned"),
        pytest.param(round_trip("", "i", kind="int16"), False, id="integers that the engine takes"),
    ],
)
def test_trips_to_integers_and_back(program: str, speaks: bool) -> None:
    assert list(messages("ANE247", program)) == (["i"] if speaks else [])


def test_a_trip_to_integers_speaks_for_its_casts() -> None:
    program = round_trip("tensor<int32, [1, 8]> j = add(x = i, y = int32(1));")
    assert messages("ANE103", program) == {}
    assert messages("ANE102", program) == {}


WEIGHT = '(BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))'


def head(columns: int, positions: str, after: str = "", results: str = "z", weight: str = "w") -> str:
    return function(
        f"tensor<fp16, [1, {positions}, 2]> h, tensor<fp16, [2, {columns}]> given",
        f"""
        tensor<fp16, [2, {columns}]> w = const()[val = tensor<fp16, [2, {columns}]>{WEIGHT}];
        tensor<fp16, [1, {positions}, {columns}]> z = matmul(x = h, y = {weight});
        {after}
        """,
        results,
        "ios17",
    )


CAPPED = """
    tensor<fp16, [1, 4, 20000]> a = mul(x = z, y = fp16(0.03125));
    tensor<fp16, [1, 4, 20000]> b = tanh(x = a);
    tensor<fp16, [1, 4, 20000]> c = mul(x = b, y = fp16(32));
"""


@pytest.mark.parametrize(
    ("program", "said"),
    [
        pytest.param(head(16384, "4"), "", id="as wide as the limit"),
        pytest.param(head(16385, "4"), "a vocabulary of 16,385 at 4 positions", id="wider by one"),
        pytest.param(head(20000, "1"), "", id="one position"),
        pytest.param(head(20000, "?"), "at as many positions as come in", id="positions that vary"),
        pytest.param(head(20000, "4", CAPPED, "c"), "at 4 positions", id="capped before it is returned"),
        pytest.param(head(20000, "4", CAPPED, "c, b"), "at 4 positions", id="returned on the way"),
        pytest.param(
            head(20000, "4", "tensor<fp16, [1, 1, 20000]> d = conv(x = z, weight = given);", "d"), "", id="inside"
        ),
        pytest.param(head(20000, "4", weight="given"), "", id="a matrix that is given at run time"),
    ],
)
def test_vocabularies(program: str, said: str) -> None:
    found = messages("ANE245", program)
    assert bool(found) is bool(said)
    assert said in found.get("z", "")
