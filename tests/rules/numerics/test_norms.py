"""Squares without a scale, and epsilons that fp16 does not hold."""

from __future__ import annotations

import pytest

from tests.rules.numerics.spoken import spoken

X = "tensor<fp16, [1, 8, 64]> x"
AXES = "axes = tensor<int32, [1]>([-1]), keep_dims = bool(true)"


def norm(before: str, square: str = "square(x = v)", root: str = "rsqrt(epsilon = fp32(0), x = s)") -> str:
    return f"""
        tensor<fp16, [1, 8, 64]> v = {before};
        tensor<fp16, [1, 8, 64]> q = {square};
        tensor<fp16, [1, 8, 1]> m = reduce_mean({AXES}, x = q);
        tensor<fp16, [1, 8, 1]> s = add(x = m, y = fp16(0x1p-12));
        tensor<fp16, [1, 8, 1]> r = {root};
        tensor<fp16, [1, 8, 64]> y = mul(x = v, y = r);"""


@pytest.mark.parametrize("square", ["square(x = v)", "pow(x = v, y = fp16(2))", "mul(x = v, y = v)"])
def test_every_way_to_square_is_found(square: str) -> None:
    assert spoken(norm("identity(x = x)", square), X) == [("ANE501", "q")]


@pytest.mark.parametrize("root", ["sqrt(x = s)", "pow(x = s, y = fp16(-0.5))", "pow(x = s, y = fp16(0.5))"])
def test_every_root_makes_a_norm(root: str) -> None:
    assert spoken(norm("identity(x = x)", root=root), X) == [("ANE501", "q")]


@pytest.mark.parametrize(
    ("before", "square", "root"),
    [
        ("mul(x = x, y = fp16(0x1p-4))", "square(x = v)", "sqrt(x = s)"),  # scaled down by somebody who knew
        ("real_div(x = x, y = fp16(16))", "square(x = v)", "sqrt(x = s)"),
        ("clip(alpha = fp16(-250), beta = fp16(250), x = x)", "square(x = v)", "sqrt(x = s)"),
        ("sigmoid(x = x)", "square(x = v)", "sqrt(x = s)"),
        ("l2_norm(epsilon = fp16(0x1p-12), x = x)", "square(x = v)", "sqrt(x = s)"),
        ("identity(x = x)", "pow(x = v, y = fp16(3))", "sqrt(x = s)"),  # no square
        ("identity(x = x)", "square(x = v)", "exp(x = s)"),  # no norm
    ],
)
def test_what_is_small_or_no_norm_is_left_alone(before: str, square: str, root: str) -> None:
    assert spoken(norm(before, square, root), X) == []


def test_a_constant_above_one_or_a_gate_is_no_scale() -> None:
    assert spoken(norm("mul(x = x, y = fp16(2))"), X) == [("ANE501", "q")]
    assert spoken(norm("clip(alpha = fp16(-300), beta = fp16(300), x = x)"), X) == [("ANE501", "q")]


def test_fp32_squares_do_not_overflow() -> None:
    assert spoken(norm("identity(x = x)").replace("fp16", "fp32"), X.replace("fp16", "fp32")) == []


def test_variances_and_scaled_norms_are_left_alone() -> None:
    variance = f"""
        tensor<fp16, [1, 8, 1]> mean = reduce_mean({AXES}, x = x);
        {norm("sub(x = x, y = mean)")}"""
    assert spoken(variance, X) == []
    converted = f"""
        tensor<fp16, [1, 8, 64]> a = abs(x = x);
        tensor<fp16, [1, 8, 1]> largest = reduce_max({AXES}, x = a);
        {norm("real_div(x = x, y = largest)")}"""
    assert spoken(converted, X) == []


def test_a_sum_of_squares_in_one_operation() -> None:
    body = f"""
        tensor<fp16, [1, 8, 1]> q = reduce_sum_square({AXES}, x = x);
        tensor<fp16, [1, 8, 1]> y = sqrt(x = q);"""
    assert spoken(body, X) == [("ANE501", "q")]
    assert spoken(body, X, output="q") == []


def divided(floor: str) -> str:
    return f"""
        tensor<fp16, [1, 8, 1]> n = reduce_l2_norm({AXES}, x = x);
        tensor<fp16, [1, 8, 1]> d = {floor};
        tensor<fp16, [1, 8, 64]> y = real_div(x = x, y = d);"""


@pytest.mark.parametrize(
    ("floor", "target", "found"),
    [
        ("maximum(x = n, y = fp16(0))", "m4", True),
        ("maximum(x = n, y = fp16(0x1p-24))", "m4", True),
        ("add(x = fp16(0x1p-24), y = n)", "m4", True),
        ("clip(alpha = fp16(0x1p-24), beta = fp16(inf), x = n)", "m4", True),
        ("maximum(x = n, y = fp16(0x1p-23))", "m4", False),
        ("maximum(x = n, y = fp16(0x1p-23))", "a18", True),
        ("maximum(x = n, y = fp16(0x1p-14))", "a18", False),
        ("maximum(x = n, y = fp16(0x1p-23))", "a19", False),
        ("maximum(x = n, y = n)", "a18", False),
        ("identity(x = n)", "m4", True),  # no epsilon at all
    ],
)
def test_the_epsilon_under_a_division(floor: str, target: str, found: bool) -> None:
    assert spoken(divided(floor), X, target=target) == ([("ANE507", "y")] if found else [])


def test_logarithms_and_roots() -> None:
    floor = "tensor<fp16, [1, 8, 64]> f = maximum(x = x, y = fp16(0x1p-24));\n"
    assert spoken(floor + "tensor<fp16, [1, 8, 64]> y = log(epsilon = fp32(0), x = f);", X) == [("ANE507", "y")]
    assert spoken(floor + "tensor<fp16, [1, 8, 64]> y = sqrt(x = f);", X) == []  # the root of zero is zero
    assert (
        spoken("tensor<fp16, [1, 8, 64]> y = rsqrt(epsilon = fp32(0), x = x);", X) == []
    )  # nothing says it may be zero


def test_an_own_epsilon_guards() -> None:
    def body(epsilon: str) -> str:
        return f"""
            tensor<fp16, [1, 8, 64]> small = sigmoid(x = x);
            tensor<fp16, [1, 8, 64]> q = square(x = small);
            tensor<fp16, [1, 8, 1]> m = reduce_mean({AXES}, x = q);
            tensor<fp16, [1, 8, 1]> y = rsqrt(epsilon = fp32({epsilon}), x = m);"""

    assert spoken(body("0x1p-40"), X) == [("ANE507", "y")]
    assert spoken(body("0x1p-12"), X) == []
