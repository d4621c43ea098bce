"""Edges of the rules on values in memory: tiled operands, working sets, padding and huge pictures."""

from __future__ import annotations

import pytest
from anecheck_rules.memory.tiled_operand import fitting

from anecheck.knowledge.target import ComputeUnits
from anecheck.lint.finding import Severity
from anecheck.mil.types import TensorType
from anecheck.predict.layout import engine_bytes
from tests.rules.memory.programs import conv, found, function, messages, tensor

MIB = 2**20


def picture(channels: int, height: int, width: int) -> str:
    """A convolution over a picture, with a small result."""
    shape = (1, channels, height, width)
    return function(f"{tensor(*shape)} x", conv("x", "y", (1, 16, height, width), (16, channels, 3, 3)))


@pytest.mark.parametrize(
    ("text", "target", "count"),
    [
        (picture(64, 128, 128), "m4", 0),
        (picture(64, 129, 128), "m4", 1),
        (picture(64, 129, 128), "m1", 1),
        (picture(64, 129, 128), "a17pro", 1),
        (picture(64, 127, 129), "m4", 1),
    ],
    ids=["2 MiB", "a row more", "M1", "A17 Pro", "2 MiB but for padding"],
)
def test_values_above_2_mib_as_laid_out_are_tiled(text: str, target: str, count: int) -> None:
    assert len(found("ANE401", text, target)) == count


def test_the_largest_value_is_named_with_its_tiles_and_what_would_fit() -> None:
    (match,) = found("ANE401", picture(64, 256, 256))
    assert match.message == (
        "1 value takes more than 2 MiB; the largest, x (1 × 64 × 256 × 256 fp16, 8 MiB laid out), goes through memory in "
        "5 tiles; 1 × 64 × 128 × 128 would fit"
    )
    assert match.data["largest"] == [
        {"value": "x", "shape": [1, 64, 256, 256], "bytes": 8 * MIB, "laid_out_bytes": 8 * MIB}
    ]


def test_values_off_the_engine_are_no_matter() -> None:
    assert found("ANE401", picture(64, 256, 256), units=ComputeUnits.CPU_ONLY) == []
    shape = tensor(1, 64, 256, 256)
    cpu = f"{shape} y = cumsum(axis = int32(1), exclusive = bool(false), reverse = bool(false), x = x);"
    assert found("ANE401", function(f"{shape} x", cpu)) == []


@pytest.mark.parametrize(
    "shape",
    [(1, 64, 256, 256), (1, 3, 1080, 1920), (1, 4096, 4096), (1, 1, 1, 3_000_000), (1, 5000, 16, 32), (70000, 32)],
)
def test_what_is_said_to_fit_does_and_not_much_more_would(shape: tuple[int, ...]) -> None:
    part = tuple(int(size) for size in fitting(TensorType("fp16", shape), 2 * MIB, 64).split(" × "))
    assert MIB <= engine_bytes(TensorType("fp16", part), 64) <= 2 * MIB
    assert all(ours <= whole for ours, whole in zip(part, shape, strict=True))


def test_nothing_is_said_to_fit_where_one_element_of_the_longest_axis_does_not() -> None:
    assert fitting(TensorType("fp16", (300, 300, 301)), 1024, 64) == ""
    assert fitting(TensorType("fp16", ()), 1024, 64) == ""


def working_set(channels: int) -> str:
    """A convolution with an input and a result of 128 KiB a channel each."""
    shape = (1, channels, 256, 256)
    return function(f"{tensor(*shape)} x", conv("x", "y", shape, (channels, channels, 3, 3)))


@pytest.mark.parametrize(("channels", "target", "count"), [(96, "m4", 0), (97, "m4", 1), (97, "m1", 1), (97, "a12", 0)])
def test_a_working_set_above_24_mib_is_flagged(channels: int, target: str, count: int) -> None:
    assert len(found("ANE402", working_set(channels), target)) == count


def test_the_working_set_names_where_it_is_reached_and_what_is_live() -> None:
    (message,) = messages("ANE402", working_set(128))
    assert message == (
        "32 MiB are live at conv y, more than the 24 MiB that were seen to run at full speed; 2 values, the largest "
        "x 16 MiB, y 16 MiB"
    )
    assert messages("ANE402", working_set(128), units=ComputeUnits.CPU_ONLY) == []


def last_axis(size: int, *, rows: int) -> str:
    """A large convolution that gives (1, 16, rows, size) on, from an input of the same form."""
    shape = (1, 16, rows, size)
    body = [
        conv("x", "a", (1, 512, rows, size), (512, 16, 3, 3)),
        conv("a", "y", shape, (16, 512, 3, 3), 1024),
    ]
    return function(f"{tensor(*shape)} x", *body)


@pytest.mark.parametrize(
    ("size", "rows", "severity"),
    [
        (32, 512, []),
        (31, 64, []),
        (31, 65, [None]),
        (4, 512, [Severity.WARNING]),
        (5, 512, [None]),
        (1, 4096, [Severity.WARNING]),
    ],
    ids=["nothing is padded", "fits padded too", "fits packed alone", "8 times", "6.4 times", "32 times"],
)
def test_padding_is_flagged_where_it_decides_something(size: int, rows: int, severity: list[Severity | None]) -> None:
    assert [match.severity for match in found("ANE403", last_axis(size, rows=rows))] == severity


def test_padding_that_keeps_below_the_engines_memory_is_not_flagged() -> None:
    small = last_axis(1, rows=32)
    assert found("ANE403", small) == []


def test_padding_off_the_engine_is_no_matter() -> None:
    assert found("ANE403", last_axis(4, rows=512), units=ComputeUnits.CPU_ONLY) == []


def test_the_padded_value_is_named_with_its_factor() -> None:
    (match,) = found("ANE403", last_axis(4, rows=512))
    assert match.message == (
        "a (1 × 512 × 512 × 4 fp16) takes 16 MiB for 2 MiB: its last axis of 4 is padded to 64 bytes, 8 times its size; "
        "88% of the peak of 17 MiB is padding; 2 more like it"
    )
    assert match.data["factor"] == 8


@pytest.mark.parametrize(
    ("shape", "target", "count"),
    [
        ((1, 1, 5568, 5568), "m4", 1),
        ((1, 1, 5568, 5567), "m4", 0),
        ((1, 5568, 5568, 3), "m4", 1),
        ((1, 64, 1024, 1024), "m4", 0),
        ((1, 1, 5568, 5568), "m1", 1),
    ],
)
def test_pictures_as_large_as_the_reported_one_are_hinted_at(shape: tuple[int, ...], target: str, count: int) -> None:
    body = f"{tensor(*shape)} a = relu(x = x);", f"{tensor(*shape)} y = mul(x = a, y = a);"
    assert len(found("ANE407", function(f"{tensor(*shape)} x", *body), target)) == count
    assert found("ANE407", function(f"{tensor(*shape)} x", *body), target, ComputeUnits.CPU_ONLY) == []
