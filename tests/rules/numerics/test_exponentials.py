"""Exponentials, logarithms and softplus of what may be large."""

from __future__ import annotations

import pytest

from tests.rules.numerics.spoken import severities, spoken

X = "tensor<fp16, [1, 8, 64]> x"
AXES = "axes = tensor<int32, [1]>([-1]), keep_dims = bool(true)"


def summed(before: str, exponential: str = "exp", reduction: str = "reduce_sum") -> str:
    return f"""
        tensor<fp16, [1, 8, 64]> v = {before};
        tensor<fp16, [1, 8, 64]> e = {exponential}(x = v);
        tensor<fp16, [1, 8, 1]> y = {reduction}({AXES}, x = e);"""


@pytest.mark.parametrize(
    ("before", "exponential", "found"),
    [
        ("identity(x = x)", "exp", True),
        ("identity(x = x)", "exp2", True),
        ("clip(alpha = fp16(-20), beta = fp16(11), x = x)", "exp", False),
        ("clip(alpha = fp16(-20), beta = fp16(12), x = x)", "exp", True),
        ("clip(alpha = fp16(-20), beta = fp16(15.5), x = x)", "exp2", False),
        ("mul(x = x, y = fp16(-1))", "exp", True),
        ("tanh(x = x)", "exp", False),
    ],
)
def test_summed_exponentials(before: str, exponential: str, found: bool) -> None:
    assert spoken(summed(before, exponential), X) == ([("ANE502", "e")] if found else [])


def test_the_sum_may_be_a_logarithm_of_one() -> None:
    assert spoken(summed("identity(x = x)", reduction="reduce_log_sum"), X) == [("ANE502", "e")]
    assert spoken(summed("identity(x = x)", reduction="reduce_max"), X) == []


def test_exponentials_of_negated_squares_are_bounded() -> None:
    kernel = f"""
        tensor<fp16, [1, 8, 64]> q = square(x = x);
        {summed("mul(x = q, y = fp16(-0.5))")}"""
    assert spoken(kernel, X) == []


def test_a_shift_by_the_maximum_is_enough() -> None:
    shifted = f"""
        tensor<fp16, [1, 8, 1]> largest = reduce_max({AXES}, x = x);
        {summed("sub(x = x, y = largest)")}"""
    assert spoken(shifted, X) == []
    assert spoken(shifted.replace("reduce_max", "reduce_mean"), X) == [("ANE502", "e")]


def test_fp32_and_lone_exponentials_are_left_alone() -> None:
    assert spoken(summed("identity(x = x)").replace("fp16", "fp32"), X.replace("fp16", "fp32")) == []
    assert spoken("tensor<fp16, [1, 8, 64]> y = exp(x = x);", X) == []


def test_log_sum_exp_overflows_the_sooner_the_more_terms_it_has() -> None:
    def body(largest: float) -> str:
        return f"""
            tensor<fp16, [1, 8, 64]> v = clip(alpha = fp16(0), beta = fp16({largest}), x = x);
            tensor<fp16, [1, 8, 1]> y = reduce_log_sum_exp({AXES}, x = v);"""

    assert spoken(body(6.5), X) == []  # ln 65504 - ln 64 = 6.93
    assert spoken(body(7.5), X) == [("ANE503", "y")]
    assert severities(body(7.5), X) == ["info"]


@pytest.mark.parametrize(
    ("between", "epsilon", "found"),
    [
        ("identity(x = p)", "0", True),
        ("reshape(shape = tensor<int32, [3]>([1, 8, 64]), x = p)", "0x1p-149", True),
        ("add(x = p, y = fp16(0x1p-12))", "0", False),
        ("mul(x = p, y = fp16(2))", "0", False),
        ("identity(x = p)", "0x1p-20", False),
    ],
)
def test_logarithms_of_a_softmax(between: str, epsilon: str, found: bool) -> None:
    body = f"""
        tensor<fp16, [1, 8, 64]> p = softmax(axis = int32(-1), x = x);
        tensor<fp16, [1, 8, 64]> q = {between};
        tensor<fp16, [1, 8, 64]> y = log(epsilon = fp32({epsilon}), x = q);"""
    assert spoken(body, X) == ([("ANE504", "y")] if found else [])


@pytest.mark.parametrize(("largest", "found"), [("10", False), ("10.375", False), ("10.5", True)])
def test_softplus_of_clipped_values(largest: str, found: bool) -> None:
    body = f"""
        tensor<fp16, [1, 8, 64]> v = minimum(x = x, y = fp16({largest}));
        tensor<fp16, [1, 8, 64]> y = softplus(x = v);"""
    assert spoken(body, X) == ([("ANE508", "y")] if found else [])


def test_softplus_falls_to_zero_on_the_engine_alone() -> None:
    body = "tensor<fp16, [1, 8, 64]> y = softplus(x = x);"
    assert spoken(body, X, target="m1") == [("ANE508", "y")]
    assert spoken(body, X, target="h12") == []
    assert spoken(body.replace("fp16", "fp32"), X.replace("fp16", "fp32")) == []
