"""Edges of the rules on weights: more than is taken, sizes that stream slowly, and the memory of kernels."""

from __future__ import annotations

from itertools import pairwise

import pytest

from anecheck.knowledge.target import ComputeUnits
from tests.rules.memory.programs import blob, conv, found, function, linear, messages, tensor

WIDTH = 16384
LAYER = WIDTH * WIDTH * 2
"""A layer of so many bytes, 512 MiB."""
NARROW = 1024


def stack(*widths: int) -> str:
    """A chain of linear layers, from each width to the next."""
    rows = [
        linear(f"v{number}", f"v{number + 1}", 64, (after, before), 64 + number * LAYER)
        for number, (before, after) in enumerate(pairwise(widths))
    ]
    return function(f"{tensor(64, widths[0])} v0", *rows, outputs=f"v{len(rows)}")


@pytest.mark.parametrize(
    ("text", "target", "count"),
    [
        (stack(WIDTH, WIDTH, WIDTH), "a17pro", 0),
        (stack(WIDTH, WIDTH, WIDTH, 1), "a17pro", 1),
        (stack(WIDTH, WIDTH, WIDTH, 1), "m2/macos26", 0),
        (stack(WIDTH, WIDTH, WIDTH, 1), "m2/macos27", 1),
        (stack(WIDTH, WIDTH, WIDTH, WIDTH, WIDTH, 1), "m2/macos26", 1),
        (stack(WIDTH, WIDTH, WIDTH, 1), "a12", 1),
    ],
)
def test_weights_above_the_limit_of_the_release_are_flagged_once(text: str, target: str, count: int) -> None:
    assert len(found("ANE404", text, target)) == count
    assert found("ANE305", text, target) == []


def test_nothing_is_said_where_the_app_does_not_use_the_engine() -> None:
    assert found("ANE404", stack(WIDTH, WIDTH, WIDTH, 1), "a17pro", ComputeUnits.CPU_ONLY) == []


def test_the_cut_is_where_the_least_is_handed_over() -> None:
    widths = (WIDTH, WIDTH, NARROW, WIDTH, WIDTH, 1)
    (match,) = found("ANE404", stack(*widths), "a17pro")
    assert match.message == (
        "weights of 1.06 GiB, more than the 1 GiB that are taken; cut it into 2 parts of at most 544 MiB, "
        "before v3 (hands over 128 KiB)"
    )
    assert [node.name for node in match.related] == ["v3"]
    assert match.data["cuts"] == [{"before": "v3", "bytes": 64 * NARROW * 2}]
    assert match.data["part_bytes"] == [LAYER + LAYER // 16, LAYER + LAYER // 16 + WIDTH * 2]


def test_parts_for_iphones_are_smaller_than_what_is_taken() -> None:
    widths = (WIDTH, WIDTH, WIDTH, 1)
    (phone,), (mac,) = (found("ANE404", stack(*widths), target) for target in ("a17pro", "m2/macos27"))
    assert phone.data["part_bytes"] == [LAYER, LAYER + 2 * WIDTH]
    assert mac.data["part_bytes"] == [2 * LAYER, 2 * WIDTH]


def test_a_layer_that_no_part_can_have_is_told() -> None:
    (message,) = messages("ANE404", stack(3 * WIDTH, WIDTH), "a17pro")
    assert message == (
        "weights of 1.50 GiB, more than the 1 GiB that are taken; no cut leaves every part with 906 MiB or less: compress or "
        "split its largest layers"
    )


def layer(channels: int, length: int, rows: int = 1) -> str:
    return function(f"{tensor(rows, length)} x", linear("x", "y", rows, (channels, length)))


@pytest.mark.parametrize(
    ("channels", "length", "count"),
    [
        (2048, 4096, 1),
        (2033, 4096, 1),
        (2032, 4096, 1),
        (2080, 4096, 1),
        (2081, 4096, 0),
        (2016, 4096, 1),
        (2000, 4096, 0),
        (4096, 4096, 1),
        (2048, 2048, 0),
        (3072, 4096, 0),
    ],
)
def test_weights_near_a_multiple_of_1_mib_a_core_are_flagged(channels: int, length: int, count: int) -> None:
    assert len(found("ANE405", layer(channels, length))) == count


def test_only_m4_and_its_family_were_measured() -> None:
    assert len(found("ANE405", layer(2048, 4096), "a17pro")) == 1
    assert found("ANE405", layer(2048, 4096), "m1") == []
    assert found("ANE405", layer(2048, 4096), "m4", ComputeUnits.CPU_ONLY) == []


@pytest.mark.parametrize(
    ("weight", "transposed", "count"),
    [((4096, 2048), "false", 1), ((2048, 4096), "true", 1), ((4096, 2000), "false", 0)],
)
def test_constant_operands_of_products_are_weights(weight: tuple[int, int], transposed: str, count: int) -> None:
    channels = weight[0] if transposed == "true" else weight[1]
    row = (
        f"{tensor(64, channels)} y = matmul(transpose_x = bool(false), transpose_y = bool({transposed}), x = x, "
        f"y = {blob(weight)});"
    )
    assert len(found("ANE405", function(f"{tensor(64, 4096)} x", row))) == count


@pytest.mark.parametrize(("groups", "count"), [(1, 1), (2, 0)])
def test_convolutions_are_flagged_without_groups(groups: int, count: int) -> None:
    text = function(
        f"{tensor(1, 1024 * groups, 8, 8)} x", conv("x", "y", (1, 2048, 8, 8), (2048, 1024, 2, 2), groups=groups)
    )
    assert len(found("ANE405", text)) == count


def convolution(channels: int, kernel: int) -> str:
    return function(f"{tensor(1, channels, 16, 32)} x", conv("x", "y", (1, 16, 16, 32), (16, channels, kernel, kernel)))


@pytest.mark.parametrize(
    ("channels", "kernel", "target", "count"),
    [(2048, 4, "m4", 0), (2049, 4, "m4", 1), (3640, 3, "m4", 0), (3641, 3, "m4", 1), (3641, 3, "m1", 1)],
)
def test_more_than_64_kib_of_weights_for_an_output_channel_are_flagged(
    channels: int, kernel: int, target: str, count: int
) -> None:
    assert len(found("ANE406", convolution(channels, kernel), target)) == count


def test_kernels_off_the_engine_are_no_matter() -> None:
    assert found("ANE406", convolution(4096, 3), units=ComputeUnits.CPU_ONLY) == []


@pytest.mark.parametrize(("target", "count"), [("m4", 0), ("m1", 1)])
def test_weights_count_as_the_engine_reads_them(target: str, count: int) -> None:
    kernel = (16, 4096, 3, 3)
    codes = blob(kernel).replace("tensor<fp16", "tensor<int8", 1)
    scale = "tensor<fp16, [1, 1, 1, 1]>([[[[0x1p-6]]]])"
    rows = [
        f"{tensor(*kernel)} w = constexpr_blockwise_shift_scale(data = {codes}, scale = {scale});",
        conv("x", "y", (1, 16, 16, 32), kernel).replace(f"weight = {blob(kernel)}", "weight = w"),
    ]
    assert len(found("ANE406", function(f"{tensor(1, 4096, 16, 32)} x", *rows), target)) == count
