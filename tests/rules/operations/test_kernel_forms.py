"""Edges of the rules on convolutions and pools."""

from __future__ import annotations

import pytest

from tests.rules.patterns.findings import function, messages

BLOB = '(BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))'


def numbers(values: list[int]) -> str:
    return f"tensor<int32, [{len(values)}]>({values})"


def shape(sizes: list[int]) -> str:
    return f"tensor<fp16, {sizes}>"


def conv(
    source: list[int],
    kernel: list[int],
    result: list[int],
    *,
    strides: list[int] | None = None,
    dilations: list[int] | None = None,
    groups: int = 1,
    kind: str = "conv",
    computed: bool = False,
) -> str:
    """One convolution, from a source to a result of the given sizes, with weights from the file or from an input."""
    axes = len(kernel) - 2
    arguments = f"{shape(source)} x" + (f", {shape(kernel)} w" if computed else "")
    weight = "" if computed else f"{shape(kernel)} w = const()[val = {shape(kernel)}{BLOB}];\n"
    return function(
        arguments,
        f"{weight}{shape(result)} y = {kind}(dilations = {numbers(dilations or [1] * axes)}, groups = int32({groups}), "
        f'pad = {numbers([0] * 2 * axes)}, pad_type = string("valid"), strides = {numbers(strides or [1] * axes)}, '
        "weight = w, x = x);",
    )


def pool(kind: str, source: list[int], window: list[int], strides: list[int], result: list[int]) -> str:
    excluding = "exclude_padding_from_average = bool(false), " if kind == "avg_pool" else ""
    return function(
        f"{shape(source)} x",
        f"{shape(result)} y = {kind}(ceil_mode = bool(false), {excluding}kernel_sizes = {numbers(window)}, "
        f'pad = {numbers([0] * 2 * len(window))}, pad_type = string("valid"), strides = {numbers(strides)}, x = x);',
    )


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 6, 8, 9, 12, 16, 24, 32])
def test_strides_on_apples_list_are_not_flagged(stride: int) -> None:
    text = conv([1, 3, 66, 66], [4, 3, 2, 2], [1, 4, 64 // stride + 1, 64 // stride + 1], strides=[stride, stride])
    assert messages("ANE127", text) == {}


@pytest.mark.parametrize("stride", [5, 7, 14, 33])
def test_other_strides_are(stride: int) -> None:
    text = conv([1, 3, 100, 100], [4, 3, 2, 2], [1, 4, 98 // stride + 1, 98 // stride + 1], strides=[stride, stride])
    assert messages("ANE127", text) == {"y": f"info: stride {stride} is none that the engine does well"}


def test_a_stride_that_moves_nothing_is_not_flagged() -> None:
    assert messages("ANE127", conv([1, 3, 7, 7], [4, 3, 7, 7], [1, 4, 1, 1], strides=[7, 7])) == {}


@pytest.mark.parametrize(("strides", "flagged"), [([2, 3], 0), ([2, 8], 0), ([1, 4], 0), ([2, 6], 1), ([3, 4], 1)])
def test_unequal_strides_are_flagged_unless_apple_lists_the_pair(strides: list[int], flagged: int) -> None:
    text = conv([1, 3, 50, 50], [4, 3, 2, 2], [1, 4, 48 // strides[0] + 1, 48 // strides[1] + 1], strides=strides)
    assert len(messages("ANE127", text)) == flagged


@pytest.mark.parametrize(("dilation", "flagged"), [(2, 0), (3, 1)])
def test_dilations_are_flagged_above_two(dilation: int, flagged: int) -> None:
    text = conv([1, 1, 20, 20], [1, 1, 2, 2], [1, 1, 20 - dilation, 20 - dilation], dilations=[dilation, dilation])
    assert len(messages("ANE128", text)) == flagged


def test_the_dilation_of_a_single_tap_is_not_flagged() -> None:
    assert messages("ANE128", conv([1, 4, 9, 9], [4, 4, 1, 1], [1, 4, 9, 9], dilations=[6, 6])) == {}


@pytest.mark.parametrize(("channels", "flagged"), [(227, 0), (228, 1)])
def test_groups_are_flagged_above_2048_products(channels: int, flagged: int) -> None:
    text = conv([1, 2 * channels, 9, 9], [2, channels, 3, 3], [1, 2, 7, 7], groups=2)
    assert len(messages("ANE129", text)) == flagged
    assert messages("ANE129", text, "a19") == {}  # nobody knows its figure


def test_depthwise_layers_and_ungrouped_ones_are_no_large_groups() -> None:
    assert messages("ANE129", conv([1, 512, 9, 9], [512, 1, 7, 7], [1, 512, 3, 3], groups=512)) == {}
    assert messages("ANE129", conv([1, 512, 9, 9], [8, 512, 3, 3], [1, 8, 7, 7])) == {}


@pytest.mark.parametrize(("width", "flagged"), [(8, 0), (9, 1), (15, 1), (16, 0)])
def test_widths_are_flagged_from_where_they_are_rewritten_to_where_they_leave(width: int, flagged: int) -> None:
    text = conv([1, 1, 1, 40], [1, 1, 1, width], [1, 1, 1, 41 - width])
    assert len(messages("ANE130", text)) == flagged
    assert messages("ANE130", text, "m2") == {}  # nobody looked


def test_heights_are_not_rewritten() -> None:
    assert messages("ANE130", conv([1, 1, 40, 1], [1, 1, 15, 1], [1, 1, 26, 1])) == {}


def decoded(channels: int, positions: int = 1, rows: int = 1) -> str:
    source, result = [1, channels, rows, positions + 2], [1, channels, 1, positions]
    return conv(source, [channels, 1, rows, 3], result, groups=channels)


def test_depthwise_layers_of_a_decoder_are_a_warning_where_they_were_measured() -> None:
    text = decoded(1024)
    message = "1,024 channels convolved over 3 positions to make one"
    assert messages("ANE131", text, "a19") == {"y": f"warning: {message}"}
    assert messages("ANE131", text, "m4") == {"y": f"info: {message}"}


def test_other_depthwise_layers_are_not() -> None:
    assert messages("ANE131", decoded(1023), "a19") == {}
    assert messages("ANE131", decoded(1024, positions=8), "a19") == {}
    assert messages("ANE131", decoded(1024, rows=3), "a19") == {}


@pytest.mark.parametrize(("batch", "computed", "flagged"), [(1, True, 0), (2, True, 1), (2, False, 0)])
def test_computed_kernels_are_flagged_with_a_batch(batch: int, computed: bool, flagged: int) -> None:
    text = conv([batch, 3, 4, 4], [2, 3, 1, 1], [batch, 2, 4, 4], computed=computed)
    assert len(messages("ANE132", text)) == flagged


@pytest.mark.parametrize(("dilation", "flagged"), [(1, 0), (2, 1)])
def test_transposed_convolutions_are_flagged_where_dilated(dilation: int, flagged: int) -> None:
    text = conv([1, 2, 6], [2, 1, 3], [1, 1, 6 + 2 * dilation], dilations=[dilation], kind="conv_transpose")
    assert len(messages("ANE133", text)) == flagged


@pytest.mark.parametrize(("target", "flagged"), [("a13", 1), ("m1", 1), ("m2", 0), ("m4", 0)])
def test_depth_is_flagged_on_older_engines(target: str, flagged: int) -> None:
    assert len(messages("ANE134", conv([1, 1, 4, 4, 4], [1, 1, 2, 2, 2], [1, 1, 3, 3, 3]), target)) == flagged
    pooled = pool("avg_pool", [1, 1, 4, 4, 4], [2, 2, 2], [2, 2, 2], [1, 1, 2, 2, 2])
    assert len(messages("ANE134", pooled, target)) == flagged


def test_flat_kernels_over_volumes_are_not_deep() -> None:
    assert messages("ANE134", conv([1, 1, 4, 4, 4], [1, 1, 1, 2, 2], [1, 1, 4, 3, 3]), "m1") == {}


@pytest.mark.parametrize(("stride", "flagged"), [(1, 0), (2, 0), (3, 1), (4, 0), (5, 1)])
@pytest.mark.parametrize("kind", ["max_pool", "avg_pool"])
def test_pools_move_by_two_or_four(kind: str, stride: int, flagged: int) -> None:
    size = 18 // stride + 1
    assert len(messages("ANE135", pool(kind, [1, 2, 20, 20], [2, 2], [stride, stride], [1, 2, size, size]))) == flagged


def test_pools_of_a_whole_picture_do_not_move() -> None:
    assert messages("ANE135", pool("avg_pool", [1, 2, 7, 7], [7, 7], [7, 7], [1, 2, 1, 1])) == {}
