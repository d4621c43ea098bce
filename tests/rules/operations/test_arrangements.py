"""Edges of the rules on channels, blocks and the fifth axis."""

from __future__ import annotations

import pytest

from tests.rules.patterns.findings import function, messages


def sliced(source: list[int], strides: list[int], result: list[int]) -> str:
    rank = len(source)
    return function(
        f"tensor<fp16, {source}> x",
        f"tensor<fp16, {result}> y = slice_by_index(begin = tensor<int32, [{rank}]>({[0] * rank}), "
        f"end = tensor<int32, [{rank}]>({source}), stride = tensor<int32, [{rank}]>({strides}), x = x);",
    )


def test_steps_are_flagged_along_the_channels_alone() -> None:
    assert messages("ANE136", sliced([1, 6, 2, 4], [1, 2, 1, 1], [1, 3, 2, 4])) == {
        "y": "info: steps by 2 along axis 1, which is the engine's channels"
    }
    assert messages("ANE136", sliced([1, 6, 2, 4], [1, 1, 1, 2], [1, 6, 2, 2])) == {}
    assert messages("ANE136", sliced([1, 6, 2, 4], [1, 1, 1, 1], [1, 6, 2, 4])) == {}


def test_steps_that_take_one_channel_or_none_for_certain_are_not() -> None:
    assert messages("ANE136", sliced([1, 6, 2, 4], [1, 6, 1, 1], [1, 1, 2, 4])) == {}
    assert messages("ANE136", sliced([1, 6, 4], [1, 2, 1], [1, 3, 4])) == {}


@pytest.mark.parametrize(("block", "flagged"), [(2, 0), (3, 0), (4, 0), (5, 1), (6, 1), (8, 0)])
def test_blocks_are_flagged_unless_the_engine_has_them(block: int, flagged: int) -> None:
    text = function(
        "tensor<fp16, [1, 2, 120, 120]> x",
        f"tensor<fp16, [{block * block}, 2, {120 // block}, {120 // block}]> y = space_to_batch(block_shape = "
        f"tensor<int32, [2]>([{block}, {block}]), paddings = tensor<int32, [2, 2]>([0, 0, 0, 0]), x = x);",
    )
    assert len(messages("ANE137", text)) == flagged


def product(batch: list[int], *, transposed: bool) -> str:
    axes = len(batch)
    perm = [*range(axes), axes + 1, axes]
    turned = [*batch, 2, 3]
    text = f"tensor<fp16, {turned}> k = transpose(perm = tensor<int32, [{axes + 2}]>({perm}), x = b);\n"
    return function(
        f"tensor<fp16, {[*batch, 4, 2]}> a, tensor<fp16, {[*batch, 3, 2] if transposed else turned}> b",
        (text if transposed else "")
        + f"tensor<fp16, {[*batch, 4, 3]}> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = a, "
        f"y = {'k' if transposed else 'b'});",
    )


@pytest.mark.parametrize(
    ("batch", "transposed", "flagged"),
    [([1, 2, 3], True, 1), ([1, 2, 3], False, 0), ([1, 2, 1], True, 0), ([2, 3], True, 0)],
)
def test_products_are_flagged_with_depth_and_a_transposed_operand(
    batch: list[int],
    transposed: bool,
    flagged: int,
) -> None:
    assert len(messages("ANE138", product(batch, transposed=transposed))) == flagged


def added(second: list[int]) -> str:
    return function(
        f"tensor<fp16, [1, 2, 3, 4, 4]> x, tensor<fp16, {second}> b",
        "tensor<fp16, [1, 2, 3, 4, 4]> y = add(x = x, y = b);",
    )


def test_repetition_along_the_depth_is_flagged_on_m1() -> None:
    text = added([1, 2, 1, 4, 4])
    assert messages("ANE139", text, "m1") == {"y": "info: add repeats `y` 3 times along the depth"}
    assert messages("ANE139", text, "m2") == {}


@pytest.mark.parametrize("second", [[1, 2, 1, 1, 1], [1, 2, 3, 1, 1], [1, 1, 3, 4, 4], [4, 4]])
def test_other_repetition_is_not(second: list[int]) -> None:
    assert messages("ANE139", added(second), "m1") == {}


def summed(size: int, axes: str) -> str:
    return function(
        f"tensor<fp16, [1, 4, 1, {size}]> x",
        f"tensor<fp16, [1, {1 if axes == '1' else 4}, 1, {1 if axes == '3' else size}]> y = reduce_sum("
        f"axes = tensor<int32, [1]>([{axes}]), keep_dims = bool(true), x = x);",
    )


def test_channel_sums_are_flagged_at_many_positions_on_m5() -> None:
    assert list(messages("ANE140", summed(257, "1"), "m5")) == ["y"]
    assert messages("ANE140", summed(256, "1"), "m5") == {}
    assert messages("ANE140", summed(257, "1"), "m4") == {}
    assert messages("ANE140", summed(257, "3"), "m5") == {}
