"""Palettized weights: tables, vectors, scales, strides, depthwise convolutions, states."""

from __future__ import annotations

import pytest

from tests.rules.compression.programs import FILE, conv, flagged, function, kept_off, palette, said, scaled

LINEAR = "tensor<fp16, [1, 64]> x"
PICTURE = "tensor<fp16, [1, 8, 6, 6]> x"
PROJECTED = "tensor<fp16, [1, 32]> y = linear(weight = w, x = x);"


def projected(weight: str) -> str:
    return function(weight + PROJECTED, LINEAR)


def older(shape: str, values: int) -> str:
    return f"""tensor<fp16, {shape}> w = constexpr_lut_to_dense()[indices = tensor<uint8, [16]>({FILE}),
        lut = tensor<fp16, [{values}]>({FILE}), shape = tensor<uint32, [4]>({shape})];"""


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 6, 8])
def test_palettes_of_single_values_are_fine_at_every_width(bits: int) -> None:
    for tables in ("", f"[32, 1, {2**bits}, 1]", f"[4, 1, {2**bits}, 1]"):
        program = projected(palette("[32, 64]", bits, tables))
        assert [said(f"ANE6{number:02}", program, "m1") for number in range(1, 16)] == [[]] * 15


def test_tables_along_the_sum_are_noted() -> None:
    message = "a table for every 16 elements along axis 1 of the weight, over which linear sums"
    program = projected(palette("[32, 64]", 4, "[32, 4, 16, 1]"))
    assert said("ANE603", program) == [("y", message)]
    assert kept_off(program) == []
    assert flagged("ANE603", projected(palette("[32, 64]", 4, "[1, 2, 16, 1]"))) == ["y"]


def test_vectors_are_noted_with_what_is_said_to_be_refused() -> None:
    def program(kind: str, dilations: int, y: str) -> str:
        weight = palette("[8, 8, 3, 3]", 4, "[1, 1, 1, 1, 16, 2]", ", vector_axis = int32(0)", codes="[4, 8, 3, 3]")
        return function(weight + conv("w", "x", y, kind=kind, dilations=dilations), PICTURE)

    plain = "each code of the palette stands for 2 values"
    assert said("ANE604", program("conv", 1, "[1, 8, 4, 4]")) == [("y", plain)]
    assert said("ANE604", program("conv", 2, "[1, 8, 2, 2]")) == [("y", f"{plain}, in a dilated convolution")]
    transposed = program("conv_transpose", 1, "[1, 8, 8, 8]")
    assert said("ANE604", transposed) == [("y", f"{plain}, in a transposed convolution")]


def test_a_scale_after_the_palette_is_flagged_whoever_uses_it() -> None:
    weight = (
        palette("[32, 64]", name="codes")
        + f"""
        tensor<fp16, [32, 64]> w = constexpr_blockwise_shift_scale(data = codes,
            scale = tensor<fp16, [32, 1]>({FILE}));"""
    )
    assert flagged("ANE605", projected(weight)) == ["y"]
    assert flagged("ANE608", projected(weight)) == []
    assert flagged("ANE605", projected(scaled("[32, 64]", "[32, 1]"))) == []


def test_integer_tables_are_noted_in_both_orders() -> None:
    first = (
        scaled("[1, 1, 16, 1]", "[1, 1, 1, 1]", name="table")
        + f"""
        tensor<fp16, [32, 64]> w = constexpr_lut_to_dense(indices = tensor<uint4, [32, 64]>({FILE}), lut = table);"""
    )
    second = f"""tensor<int8, [32, 64]> codes = constexpr_lut_to_dense(
            indices = tensor<uint4, [32, 64]>({FILE}), lut = tensor<int8, [1, 1, 16, 1]>({FILE}));
        tensor<fp16, [32, 64]> w = constexpr_blockwise_shift_scale(data = codes,
            scale = tensor<fp16, [1, 1]>({FILE}));"""
    for weight in (first, second):
        assert flagged("ANE608", projected(weight)) == ["y"]
        assert flagged("ANE605", projected(weight)) == []


def test_a_sparse_palette_is_judged_like_a_dense_one() -> None:
    weight = f"""tensor<uint1, [32, 64]> mask, tensor<fp16, [512]> values = constexpr_lut_to_sparse(
            indices_mask = tensor<uint1, [32, 64]>({FILE}), indices_nonzero_data = tensor<uint4, [512]>({FILE}),
            lut = tensor<fp16, [1, 2, 16, 1]>({FILE}));
        tensor<fp16, [32, 64]> w = constexpr_sparse_to_dense(mask = mask, nonzero_data = values);"""
    assert flagged("ANE603", projected(weight)) == ["y"]


@pytest.mark.parametrize("weight", [palette("[8, 8, 1, 1]"), older("[8, 8, 1, 1]", 16)])
def test_strides_up_to_two_are_fine(weight: str) -> None:
    def program(strides: int, size: int) -> str:
        opset = "ios18" if "uint4" in weight else "ios16"
        return function(weight + conv("w", "x", f"[1, 8, {size}, {size}]", strides=strides), PICTURE, opset=opset)

    assert said("ANE606", program(1, 6)) == said("ANE606", program(2, 3)) == []
    assert said("ANE606", program(3, 2)) == [("y", "palettized weight with a stride of 3, at most 2")]
    assert said("ANE606", program(3, 2), "a12") == []  # nobody knows of A12


def test_a_quantized_weight_may_have_any_stride() -> None:
    weight = scaled("[8, 8, 1, 1]", "[8, 1, 1, 1]")
    assert said("ANE606", function(weight + conv("w", "x", "[1, 8, 2, 2]", strides=3), PICTURE)) == []


def test_depthwise_is_one_group_for_each_channel() -> None:
    def program(groups: int, shape: str, opset: str = "ios18") -> str:
        weight = palette(shape) if opset == "ios18" else older(shape, 64)
        return function(weight + conv("w", "x", "[1, 8, 4, 4]", groups=groups), PICTURE, opset=opset)

    depthwise = program(8, "[8, 1, 3, 3]")
    assert said("ANE607", depthwise) == [("y", "depthwise convolution with a palette of 4 bits")]
    assert said("ANE607", program(8, "[8, 1, 3, 3]", "ios16")) == [
        ("y", "depthwise convolution with a palette of 6 bits")
    ]
    assert said("ANE607", program(4, "[8, 2, 3, 3]")) == []
    assert said("ANE607", program(1, "[8, 8, 3, 3]")) == []


def test_a_release_before_26_is_not_known_to_fail_on_depthwise() -> None:
    weight = palette("[8, 1, 3, 3]")
    program = function(weight + conv("w", "x", "[1, 8, 4, 4]", groups=8), PICTURE)
    found = {
        target: len(said("ANE607", program, target))
        for target in ("m4/macos15", "m4/macos26", "a19/ios26.1", "a16/ios17.4")
    }
    assert found == {"m4/macos15": 0, "m4/macos26": 1, "a19/ios26.1": 1, "a16/ios17.4": 0}


def kernel(steps: str, use: str = "kernel") -> str:
    return function(
        palette("[8, 8, 1, 1]") + steps + conv(use, "x", "[1, 8, 6, 6]"),
        PICTURE + ", tensor<fp16, [8, 1, 1, 1]> s",
    )


def test_a_kernel_computed_from_a_palette_is_noted_with_the_last_step() -> None:
    one = "tensor<fp16, [8, 8, 1, 1]> kernel = mul(x = w, y = s);"
    two = one.replace("kernel", "scaled") + "tensor<fp16, [8, 8, 1, 1]> kernel = add(x = scaled, y = s);"
    assert said("ANE609", kernel(one)) == [("y", "the kernel is a compressed weight after mul")]
    assert said("ANE609", kernel(two)) == [("y", "the kernel is a compressed weight after add")]
    assert said("ANE609", kernel(one, use="w")) == []


def test_a_compressed_weight_that_scales_the_input_is_no_kernel() -> None:
    body = (
        palette("[1, 8, 1, 1]", name="s")
        + f"""
        tensor<fp16, [1, 8, 6, 6]> scaled = mul(x = x, y = s);
        tensor<fp16, [8, 8, 1, 1]> w = const()[val = tensor<fp16, [8, 8, 1, 1]>({FILE})];"""
    )
    assert said("ANE609", function(body + conv("w", "scaled", "[1, 8, 6, 6]"), PICTURE)) == []


def test_palettes_beside_states_are_noted_once() -> None:
    def program(weight: str) -> str:
        body = (
            weight
            + """tensor<fp16, [1, 64]> p = linear(weight = w, x = x);
            tensor<fp16, [1, 64]> q = linear(weight = w, x = p);
            tensor<fp16, [1, 64]> old = read_state(input = cache);
            tensor<fp16, [1, 64]> new = add(x = old, y = q);
            write_state(data = new, input = cache);
            tensor<fp16, [1, 64]> y = relu(x = new);"""
        )
        return function(body, "state<tensor<fp16, [1, 64]>> cache, tensor<fp16, [1, 64]> x")

    assert said("ANE610", program(palette("[64, 64]"))) == [("", "1 palettized weight beside 1 state")]
    assert said("ANE610", program(scaled("[64, 64]", "[64, 1]"))) == []


def sparse(shape: str, values: int) -> str:
    return f"""tensor<fp16, {shape}> w = constexpr_sparse_to_dense(mask = tensor<uint1, {shape}>({FILE}),
        nonzero_data = tensor<fp16, [{values}]>({FILE}));"""


@pytest.mark.parametrize(("values", "share"), [(512, None), (520, None), (533, "26%"), (2048, "100%")])
def test_a_quarter_of_values_is_sparse_enough(values: int, share: str | None) -> None:
    message = f"1 of 1 sparse weights store more than 25% of their values, together {share}"
    assert said("ANE613", projected(sparse("[32, 64]", values))) == ([("", message)] if share else [])


def test_the_older_form_of_sparse_weights_is_counted_by_its_result() -> None:
    weight = f"""tensor<fp16, [32, 64]> w = constexpr_sparse_to_dense()[mask = tensor<uint8, [256]>({FILE}),
        nonzero_data = tensor<fp16, [1024]>({FILE}), shape = tensor<uint32, [2]>([32, 64])];"""
    assert said("ANE613", function(weight + PROJECTED, LINEAR, opset="ios17")) != []
