"""Quantized activations."""

from __future__ import annotations

import pytest

from tests.rules.compression.programs import function, kept_off, said

KIND = "tensor<fp16, [1, 4]>"
CODES = "tensor<int8, [1, 4]>"


def pair(name: str, source: str) -> str:
    return f"""{CODES} q{name} = quantize(input = {source}, output_dtype = string("int8"), scale = fp16(0.0625));
        {KIND} {name} = dequantize(input = q{name}, scale = fp16(0.0625));"""


ONE_PAIR = function(pair("y", "x"), f"{KIND} x")


@pytest.mark.parametrize(("target", "count"), [("a12", 1), ("m1", 1), ("m2", 1), ("m3", 0), ("a17pro", 0), ("a19", 0)])
def test_older_engines_are_not_known_to_take_quantized_activations(target: str, count: int) -> None:
    found = said("ANE611", ONE_PAIR, target)
    assert found == [("", "2 operations quantize activations or back")] * count
    assert kept_off(ONE_PAIR, target) == []


def test_dequantizing_a_constant_is_about_no_activation() -> None:
    body = (
        f"{KIND} w = dequantize(input = {CODES}([[1, 2, 3, 4]]), scale = fp16(0.0625)); {KIND} y = add(x = x, y = w);"
    )
    assert said("ANE611", function(body, f"{KIND} x"), "m1") == []


def product(factors: str, after: str) -> str:
    body = pair("a", "x") + pair("b", "z") + f"{KIND} p = mul({factors}); {after}"
    return function(body, f"{KIND} x, {KIND} z")


def test_a_product_of_two_activations_is_noted_where_it_is_quantized_again() -> None:
    assert said("ANE612", product("x = a, y = b", pair("y", "p"))) == [
        ("p", "a product of two quantized activations is quantized again")
    ]
    assert said("ANE612", product("x = a, y = a", pair("y", "p"))) != []


def test_products_that_stay_16_bits_or_scale_by_a_constant_are_fine() -> None:
    assert said("ANE612", product("x = a, y = b", f"{KIND} y = relu(x = p);")) == []
    assert said("ANE612", product("x = a, y = z", pair("y", "p"))) == []
    assert said("ANE612", product("x = a, y = fp16(2)", pair("y", "p"))) == []
