"""Programs with operands missing or sizes unknown: the rules stay silent and do not fail."""

from __future__ import annotations

from itertools import product

import pytest

from tests.rules.compression.programs import FILE, said

WEIGHTS = (
    "constexpr_lut_to_dense()",
    f"constexpr_lut_to_dense(lut = tensor<fp16, []>({FILE}))",
    f"constexpr_lut_to_dense(indices = tensor<uint4, [2, 2]>({FILE}), lut = tensor<fp16, [2]>({FILE}))",
    "constexpr_affine_dequantize()",
    f"constexpr_affine_dequantize()[axis = int32(9), scale = tensor<fp16, [2]>({FILE})]",
    "constexpr_blockwise_shift_scale()",
    f"constexpr_blockwise_shift_scale(scale = tensor<fp16, [2]>({FILE}))",
    "constexpr_sparse_to_dense()",
    f"constexpr_sparse_to_dense(nonzero_data = tensor<fp16, [0]>({FILE}))",
)
SHAPES = ("[]", "[2]", "[?, ?]", "[0, 2]", "[2, 2, 1, 1]")
USERS = (
    "linear(weight = w, x = x)",
    "linear(weight = w)",
    "matmul(x = x, y = w)",
    "matmul(x = w, y = w)",
    "conv(weight = w, x = x)",
    "conv(weight = w)",
    "conv_transpose(weight = w, x = x)",
    "mul(x = w)",
)


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_fails_where_operands_are_missing(shape: str) -> None:
    for weight, user in product(WEIGHTS, USERS):
        said("ANE601", f"func main<ios18>(tensor<fp16, [?, 2]> x) {{ {typed(shape, weight, user)} }} -> (y);", "m1")


def typed(shape: str, weight: str, user: str) -> str:
    return f"tensor<fp16, {shape}> w = {weight}; tensor<fp16, [?, ?]> k = mul(x = w, y = x); tensor<fp16, [?, ?]> y = {user};"


@pytest.mark.parametrize("axis", ["", "axis = int32(0), ", "axis = int32(7), "])
def test_nothing_fails_where_a_split_is_odd(axis: str) -> None:
    for kind in ("tensor<fp16, [4, 2]>", "tensor<fp16, [?, 2]>", "tensor<fp16, []>"):
        body = f"{kind} a, {kind} b = split({axis}x = x); {kind} y = add(x = a, y = b);"
        assert said("ANE615", f"func main<ios18>({kind} x) {{ {body} }} -> (y);") == []
