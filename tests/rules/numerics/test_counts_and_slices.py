"""Counting in fp16, offsets in the last axis, and norms over the channels."""

from __future__ import annotations

import pytest

from tests.rules.numerics.spoken import severities, spoken

AXES = "axes = tensor<int32, [1]>([-1]), keep_dims = bool(true)"


def counted(length: int, dtype: str = "bool", operation: str = f"reduce_sum({AXES}, x = m)") -> tuple[str, str]:
    kept = 1 if "reduce" in operation else length
    body = f"""
        tensor<fp16, [1, {length}]> m = cast(dtype = string("fp16"), x = b);
        tensor<fp16, [1, {kept}]> y = {operation};"""
    return body, f"tensor<{dtype}, [1, {length}]> b"


@pytest.mark.parametrize(
    ("length", "dtype", "severity"),
    [
        (2048, "bool", []),
        (2049, "bool", ["info"]),
        (65504, "bool", ["info"]),
        (65505, "bool", ["warning"]),
        (65505, "int32", ["info"]),
        (4096, "int8", ["info"]),
        (4096, "fp32", []),
    ],
)
def test_counts(length: int, dtype: str, severity: list[str]) -> None:
    assert severities(*counted(length, dtype)) == severity


def test_running_counts() -> None:
    running = "cumsum(axis = int32(1), exclusive = bool(false), reverse = bool(false), x = m)"
    assert spoken(*counted(2048, operation=running)) == []
    assert spoken(*counted(2049, operation=running)) == [("ANE509", "y")]
    assert spoken(*counted(2049, operation=running.replace("int32(1)", "int32(0)"))) == []


def test_counts_of_unknown_length_are_left_alone() -> None:
    body, inputs = counted(4096)
    assert spoken(body.replace("4096", "?"), inputs.replace("4096", "?")) == []


def sliced(begin: int, before: str = "identity(x = x)") -> str:
    return f"""
        tensor<fp16, [1, 8, 64]> v = {before};
        tensor<fp16, [1, 8, 16]> y = slice_by_size(begin = tensor<int32, [3]>([0, 0, {begin}]),
            size = tensor<int32, [3]>([1, 8, 16]), x = v);"""


@pytest.mark.parametrize(
    ("begin", "target", "found"),
    [
        *((0, "m1", False), (16, "m1", True), (-16, "m1", True), (16, "a15", True), (16, "m2", True)),
        *((16, "m3", False), (16, "m4", False), (16, "a18", False)),
    ],
)
def test_offsets_in_the_last_axis(begin: int, target: str, found: bool) -> None:
    assert spoken(sliced(begin), "tensor<fp16, [1, 8, 64]> x", target=target) == ([("ANE510", "y")] if found else [])


@pytest.mark.parametrize("before", ["mul(x = x, y = fp16(0x1p-4))", "sigmoid(x = x)", "relu6(x = x)"])
def test_small_values_survive_the_offset(before: str) -> None:
    assert spoken(sliced(16, before), "tensor<fp16, [1, 8, 64]> x", target="m1") == []


def test_larger_ones_do_not() -> None:
    assert spoken(sliced(16, "mul(x = x, y = fp16(0x1p-3))"), "tensor<fp16, [1, 8, 64]> x", target="m1") == [
        ("ANE510", "y")
    ]


def test_offsets_in_other_axes_and_at_run_time_are_left_alone() -> None:
    body = """
        tensor<fp16, [1, 4, 64]> y = slice_by_size(begin = tensor<int32, [3]>([0, 4, 0]),
            size = tensor<int32, [3]>([1, 4, 64]), x = x);"""
    assert spoken(body, "tensor<fp16, [1, 8, 64]> x", target="m1") == []
    body = """
        tensor<fp16, [1, 8, 16]> y = slice_by_size(begin = b, size = tensor<int32, [3]>([1, 8, 16]), x = x);"""
    assert spoken(body, "tensor<fp16, [1, 8, 64]> x, tensor<int32, [3]> b", target="m1") == []


@pytest.mark.parametrize(
    ("axes", "target", "found"),
    [
        ("[1]", "m1/macos13", True),
        ("[-3]", "m1/macos13.4", True),
        ("[1]", "a14/ios16", True),
        ("[1]", "m1/macos14", False),
        ("[1]", "m1", False),
        ("[3]", "m1/macos13", False),
    ],
)
def test_layer_norms_over_the_channels(axes: str, target: str, found: bool) -> None:
    body = f"""
        tensor<fp16, [1, 64, 1, 16]> y = layer_norm(axes = tensor<int32, [1]>({axes}), epsilon = fp16(0x1p-10), x = x);"""
    assert spoken(body, "tensor<fp16, [1, 64, 1, 16]> x", target=target, opset="ios16") == (
        [("ANE511", "y")] if found else []
    )
