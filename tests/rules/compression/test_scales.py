"""Quantized weights: scales per block, zero points, expansion at load, pieces."""

from __future__ import annotations

import pytest

from tests.rules.compression.programs import FILE, conv, flagged, function, kept_off, said, scaled

LINEAR = "tensor<fp16, [1, 64]> x"
PICTURE = "tensor<fp16, [1, 8, 6, 6]> x"


def linear(scale: str, dtype: str = "int8", shape: str = "[32, 64]", extra: str = "") -> str:
    return function(
        scaled(shape, scale, dtype, extra=extra) + "tensor<fp16, [1, 32]> y = linear(weight = w, x = x);", LINEAR
    )


def matmul(scale: str, shape: str, *, transposed: bool) -> str:
    flag = "true" if transposed else "false"
    product = f"""tensor<fp16, [1, 32]> y = matmul(transpose_x = bool(false), transpose_y = bool({flag}),
        x = x, y = w);"""
    return function(scaled(shape, scale) + product, LINEAR)


@pytest.mark.parametrize("dtype", ["int8", "int4"])
def test_one_scale_per_output_or_tensor_stays(dtype: str) -> None:
    assert kept_off(linear("[32, 1]", dtype)) == []
    assert kept_off(linear("[1, 1]", dtype)) == []
    assert kept_off(linear("[8, 1]", dtype)) == []  # a scale for four outputs


def test_two_scales_along_the_sum_leave() -> None:
    message = "a scale for every 32 elements along axis 1 of the weight, over which linear sums"
    assert said("ANE601", linear("[32, 2]")) == [("y", message)]
    assert said("ANE601", linear("[1, 2]", "int4")) == [("y", message)]
    assert kept_off(linear("[32, 2]")) == ["y"]


def test_the_axis_of_matmul_follows_its_flags() -> None:
    assert flagged("ANE601", matmul("[2, 1]", "[64, 32]", transposed=False)) == ["y"]
    assert flagged("ANE601", matmul("[1, 32]", "[64, 32]", transposed=False)) == []
    assert flagged("ANE601", matmul("[1, 2]", "[32, 64]", transposed=True)) == ["y"]
    assert flagged("ANE601", matmul("[32, 1]", "[32, 64]", transposed=True)) == []


def test_a_weight_on_the_left_of_matmul() -> None:
    def program(scale: str) -> str:
        product = """tensor<fp16, [32, 5]> y = matmul(transpose_x = bool(false), transpose_y = bool(false),
            x = w, y = x);"""
        return function(scaled("[32, 64]", scale) + product, "tensor<fp16, [64, 5]> x")

    assert flagged("ANE601", program("[32, 2]")) == ["y"]
    assert flagged("ANE601", program("[32, 1]")) == []


def test_convolutions_sum_over_their_second_axis_and_transposed_ones_over_the_first() -> None:
    def program(kind: str, scale: str, groups: int = 1, shape: str = "[8, 8, 1, 1]") -> str:
        return function(
            scaled(shape, scale) + conv("w", "x", "[1, 8, 6, 6]", kind=kind, groups=groups),
            "tensor<fp16, [1, 8, 6, 6]> x",
        )

    assert flagged("ANE601", program("conv", "[8, 2, 1, 1]")) == ["y"]
    assert flagged("ANE601", program("conv", "[8, 1, 1, 1]")) == []
    assert flagged("ANE601", program("conv_transpose", "[8, 1, 1, 1]")) == ["y"]
    assert flagged("ANE601", program("conv_transpose", "[1, 8, 1, 1]")) == []
    assert flagged("ANE601", program("conv_transpose", "[8, 1, 1, 1]", groups=8, shape="[8, 1, 1, 1]")) == []


def affine(axis: int, scale: str = "[64]", points: str = "tensor<int8, []>(0)", dtype: str = "int8") -> str:
    weight = f"""tensor<fp16, [32, 64]> w = constexpr_affine_dequantize()[axis = tensor<int32, []>({axis}),
        quantized_data = tensor<{dtype}, [32, 64]>({FILE}), scale = tensor<fp16, {scale}>({FILE}),
        zero_point = {points}];"""
    return function(weight + "tensor<fp16, [1, 32]> y = linear(weight = w, x = x);", LINEAR, opset="ios16")


def test_the_older_form_names_its_axis() -> None:
    message = "a scale for every element along axis 1 of the weight, over which linear sums"
    assert said("ANE601", affine(1)) == said("ANE601", affine(-1)) == [("y", message)]
    assert said("ANE601", affine(0, "[32]")) == []
    assert said("ANE601", affine(1, "[1]")) == []


def test_who_sums_nothing_is_not_flagged() -> None:
    gather = """tensor<fp16, [2, 64]> y = gather(axis = int32(0), batch_dims = int32(0),
        indices = tensor<int32, [2]>([1, 3]), validate_indices = bool(false), x = w);"""
    assert flagged("ANE601", function(scaled("[32, 64]", "[32, 2]") + gather, LINEAR)) == []
    product = "tensor<fp16, [32, 64]> y = mul(x = x, y = w);"
    assert flagged("ANE601", function(scaled("[32, 64]", "[32, 2]") + product, "tensor<fp16, [32, 64]> x")) == []


def test_a_sparse_weight_is_judged_by_its_scales_and_a_quantized_table_is_none() -> None:
    def sparse(scale: str) -> str:
        weight = f"""tensor<uint1, [32, 64]> mask, tensor<fp16, [512]> values = constexpr_sparse_blockwise_shift_scale(
                data_mask = tensor<uint1, [32, 64]>({FILE}), nonzero_data = tensor<int8, [512]>({FILE}),
                scale = tensor<fp16, {scale}>({FILE}));
            tensor<fp16, [32, 64]> w = constexpr_sparse_to_dense(mask = mask, nonzero_data = values);"""
        return function(weight + "tensor<fp16, [1, 32]> y = linear(weight = w, x = x);", LINEAR)

    assert flagged("ANE601", sparse("[32, 4]")) == ["y"]
    assert flagged("ANE601", sparse("[32, 1]")) == []
    table = (
        scaled("[1, 2, 16, 1]", "[1, 2, 1, 1]", name="table")
        + f"""
        tensor<fp16, [32, 64]> w = constexpr_lut_to_dense(indices = tensor<uint4, [32, 64]>({FILE}), lut = table);
        tensor<fp16, [1, 32]> y = linear(weight = w, x = x);"""
    )
    assert flagged("ANE601", function(table, LINEAR)) == []


def test_each_user_of_a_shared_weight_is_flagged() -> None:
    body = (
        scaled("[64, 64]", "[64, 2]")
        + """
        tensor<fp16, [1, 64]> a = linear(weight = w, x = x);
        tensor<fp16, [1, 64]> y = linear(weight = w, x = a);"""
    )
    assert flagged("ANE601", function(body, LINEAR)) == ["a", "y"]


@pytest.mark.parametrize(
    ("points", "dtype", "expected"),
    [
        ("tensor<int8, []>(0)", "int8", []),
        ("tensor<int8, []>(3)", "int8", ["the weight has zero points other than 0"]),
        (f"tensor<int8, [32]>({FILE})", "int8", []),  # coremltools writes zeros so
        (f"tensor<uint8, [32]>({FILE})", "uint8", ["the weight has stored zero points"]),
        ("tensor<uint8, []>(128)", "uint8", ["the weight has zero points other than 0"]),
        ("tensor<uint8, []>(0)", "uint8", []),
    ],
)
def test_zero_points_of_the_older_form(points: str, dtype: str, expected: list[str]) -> None:
    program = affine(0, "[32]", points, dtype)
    assert [message for _, message in said("ANE602", program)] == expected
    assert kept_off(program) == []


def test_offsets_are_flagged_unless_they_are_written_out_as_zeros() -> None:
    assert flagged("ANE602", linear("[1, 1]", "int4", extra=f", offset = tensor<int4, [32, 1]>({FILE})")) == ["y"]
    assert flagged("ANE602", linear("[1, 1]", "int8", extra=", offset = tensor<int8, [1, 1]>([[0]])")) == []
    assert flagged("ANE602", linear("[1, 1]", "uint8", extra=", offset = tensor<fp16, [1, 1]>([[128]])")) == ["y"]


def test_8_bit_weights_grow_on_a14_and_m1_alone() -> None:
    eight = linear("[32, 1]")
    assert said("ANE614", eight, "m1") == [("", "1 8-bit weight of 2048 bytes takes 4096 bytes once loaded")]
    assert said("ANE614", affine(0, "[32]"), "a14") != []
    assert [said("ANE614", eight, target) for target in ("m2", "m4", "a12", "a19")] == [[], [], [], []]
    assert said("ANE614", linear("[32, 1]", "int4"), "m1") == []


def test_amounts_of_8_bit_weights_are_added() -> None:
    body = (
        "".join(scaled("[512, 512]", "[512, 1]", name=name) for name in "ab")
        + """
        tensor<fp16, [1, 512]> u = linear(weight = a, x = x);
        tensor<fp16, [1, 512]> y = linear(weight = b, x = u);"""
    )
    program = function(body, "tensor<fp16, [1, 512]> x")
    assert said("ANE614", program, "m1") == [("", "2 8-bit weights of 0.5 MB take 1.0 MB once loaded")]


def pieces(last: str = "add(x = ab, y = yc)", contraction: int = 12, *, quantized: bool = True) -> str:
    size = contraction // 3
    kind, part, result = f"tensor<fp16, [2, {size}]>", f"tensor<fp16, [3, {size}]>", "tensor<fp16, [3, 2]>"
    weights = "".join(
        scaled(f"[2, {size}]", "[2, 1]", name=f"w{name}")
        if quantized
        else f"{kind} w{name} = const()[val = {kind}({FILE})];"
        for name in "abc"
    )
    body = f"""{weights}
        {part} a, {part} b, {part} c = split(axis = int32(-1), num_splits = int32(3), x = x);
        {result} ya = linear(weight = wa, x = a);
        {result} yb = linear(weight = wb, x = b);
        {result} yc = linear(weight = wc, x = c);
        {result} ab = add(x = ya, y = yb);
        {result} y = {last};"""
    return function(body, f"tensor<fp16, [3, {contraction}]> x")


def test_pieces_are_flagged_at_their_last_addition() -> None:
    assert said("ANE615", pieces()) == [("y", "3 projections of pieces of one input are added")]
    assert said("ANE615", pieces("add(x = yc, y = ab)")) != []


def test_pieces_that_are_not_all_added_or_not_quantized_are_not_flagged() -> None:
    assert said("ANE615", pieces("mul(x = ab, y = yc)")) == []
    assert said("ANE615", pieces("add(x = ab, y = ab)")) == []
    assert said("ANE615", pieces(quantized=False)) == []


def test_a_sum_too_long_for_the_engine_may_be_split() -> None:
    assert said("ANE615", pieces(contraction=32766)) != []
    assert said("ANE615", pieces(contraction=32769)) == []
    assert said("ANE615", pieces(contraction=16386), "m1") == []
