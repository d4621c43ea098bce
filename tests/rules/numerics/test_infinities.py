"""Masks and constants that fp16 does not hold."""

from __future__ import annotations

import pytest

from tests.rules.numerics.spoken import spoken

X = "tensor<fp16, [1, 2, 4, 4]> x, tensor<bool, [1, 1, 4, 4]> hidden, tensor<fp16, [1, 1, 4, 4]> seen"
SOFTMAX = "tensor<fp16, [1, 2, 4, 4]> y = softmax(axis = int32(-1), x = s);"


@pytest.mark.parametrize(("value", "found"), [("-inf", True), ("-65504", False), ("-40000", False), ("inf", False)])
def test_what_a_select_fills_in(value: str, found: bool) -> None:
    body = f"tensor<fp16, [1, 2, 4, 4]> s = select(a = fp16({value}), b = x, cond = hidden);\n{SOFTMAX}"
    assert spoken(body, X) == ([("ANE505", "s")] if found else [])
    assert spoken(body.replace("a = ", "c = ").replace("b = x", "a = x").replace("c = ", "b = "), X) == (
        [("ANE505", "s")] if found else []
    )


def test_a_mask_that_layers_share_is_flagged_once() -> None:
    layers = "\n".join(
        f"tensor<fp16, [1, 2, 4, 4]> s{n} = add(x = {'x' if n == 0 else f'p{n - 1}'}, y = mask);"
        f"tensor<fp16, [1, 2, 4, 4]> p{n} = softmax(axis = int32(-1), x = s{n});"
        for n in range(6)
    )
    mask = "tensor<fp16, [1, 1, 4, 4]> mask = select(a = fp16(-inf), b = seen, cond = hidden);"
    assert spoken(f"{mask}\n{layers}", X, output="p5") == [("ANE505", "mask")]


def test_a_mask_multiplied_by_minus_infinity() -> None:
    body = """
        tensor<fp16, [1, 1, 4, 4]> unseen = sub(x = fp16(1), y = seen);
        tensor<fp16, [1, 1, 4, 4]> mask = mul(x = unseen, y = fp16(-inf));
        tensor<fp16, [1, 2, 4, 4]> s = add(x = x, y = mask);
        """
    assert spoken(body + SOFTMAX, X) == [("ANE505", "mask")]
    assert spoken(body.replace("-inf", "-10000") + SOFTMAX, X) == []
    assert spoken(body, X, output="s") == [("ANE506", "mask")]  # no softmax in sight


def test_a_mask_that_fused_attention_takes() -> None:
    body = """
        tensor<fp16, [1, 1, 4, 4]> mask = select(a = fp16(-inf), b = seen, cond = hidden);
        tensor<fp16, [1, 2, 4, 4]> y = scaled_dot_product_attention(attn_mask = mask, key = x, query = x, value = x);"""
    assert spoken(body, X) == [("ANE505", "mask")]


def test_a_filled_mask() -> None:
    body = f"""
        tensor<fp16, [4, 4]> f = fill(shape = tensor<int32, [2]>([4, 4]), value = fp16(-inf));
        tensor<fp16, [4, 4]> mask = band_part(lower = int32(0), upper = int32(-1), x = f);
        tensor<fp16, [1, 2, 4, 4]> s = add(x = x, y = mask);
        {SOFTMAX}"""
    assert spoken(body, X) == [("ANE505", "f")]


def test_fp32_masks_count_only_if_the_softmax_is_fp16() -> None:
    wide = X.replace("tensor<fp16, [1, 2", "tensor<fp32, [1, 2")
    body = "tensor<fp32, [1, 2, 4, 4]> w = select(a = fp32(-0x1p+30), b = x, cond = hidden);\n"
    narrow = 'tensor<fp16, [1, 2, 4, 4]> s = cast(dtype = string("fp16"), x = w);\n'
    assert spoken(body + narrow + SOFTMAX, wide) == [("ANE505", "w")]
    assert spoken(body + SOFTMAX.replace("fp16", "fp32").replace("x = s", "x = w"), wide) == []


def test_a_select_of_minus_infinity_without_softmax_is_left_alone() -> None:
    body = """
        tensor<fp16, [1, 2, 4, 4]> s = select(a = fp16(-inf), b = x, cond = hidden);
        tensor<fp16, [1, 2, 4, 1]> y = reduce_max(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true), x = s);"""
    assert spoken(body, X) == []


@pytest.mark.parametrize(
    ("operation", "found"),
    [
        ("add(x = x, y = fp16(inf))", True),
        ("add(x = fp16(-inf), y = x)", True),
        ("mul(x = x, y = fp16(inf))", True),
        ("real_div(x = x, y = fp16(inf))", True),
        ("sub(x = x, y = fp16(65504))", False),
        ("maximum(x = x, y = fp16(-inf))", False),
        ("clip(alpha = fp16(0), beta = fp16(inf), x = x)", False),
        ('cast(dtype = string("fp16"), x = fp32(0x1p+20))', True),
        ('cast(dtype = string("fp16"), x = fp32(0x1p+15))', False),
    ],
)
def test_arithmetic_with_infinity(operation: str, found: bool) -> None:
    shape = "[]" if operation.startswith("cast") else "[1, 2, 4, 4]"
    assert spoken(f"tensor<fp16, {shape}> y = {operation};", X) == ([("ANE506", "y")] if found else [])
