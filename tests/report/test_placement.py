"""The text and the CSV of hand-made placements."""

from __future__ import annotations

from typing import Any

import pytest

from anecheck.knowledge.evidence import Confidence
from anecheck.lint.placement_report import (
    BoundaryReport,
    MendReport,
    OperationReport,
    PlacementReport,
    SegmentReport,
    ShortfallReport,
)
from anecheck.lint.reports import FunctionReport, ModelReport, Report, Summary, TargetReport, ToolReport
from anecheck.report import csv
from anecheck.report.placement import render, strip

ESCAPE = "\x1b[31m"


def operation(index: int, device: str | None = "ane", **fields: object) -> OperationReport:
    usual = {"name": f"o{index}", "type": "relu", "supported": ["ane", "gpu", "cpu"], "blockers": []}
    content: dict[str, Any] = {**usual, **fields}
    return OperationReport(index=index, device=device, **content)


def placement(**fields: object) -> PlacementReport:
    content: dict[str, Any] = {
        "segments": [],
        "boundaries": [],
        "mends": [],
        "shortfall": None,
        "whole_program": [],
        "assumptions": [],
        "confidence": Confidence.MEASURED,
        "doubts": [],
        **fields,
    }
    return PlacementReport(**content)


def report(operations: list[OperationReport], plan: PlacementReport | None, units: str = "cpu-and-ne") -> Report:
    counts = {name: sum(o.device == name for o in operations) for name in ("ane", "gpu", "cpu")}
    segments = len(plan.segments) if plan else None
    summary = Summary(
        operations=len(operations),
        off_engine=0,
        segments=segments,
        switches=max(segments - 1, 0) if segments is not None else None,
        estimated_ms=1.0 if operations else 0.0,
        weight_bytes=0,
        ane=counts["ane"],
        gpu=counts["gpu"],
        cpu=counts["cpu"],
    )
    function = FunctionReport(name="main", opset="ios17", summary=summary, operations=operations, placement=plan)
    target = TargetReport(chip=None, family="H16", os=None, compute_units=units)
    model = ModelReport(path="model.mlpackage", kind="mlprogram", functions=[function])
    return Report(tool=ToolReport(name="anecheck", version="0"), target=target, targets=[target], models=[model])


def segment(number: int, device: str) -> SegmentReport:
    return SegmentReport(device=device, first=number, last=number, operations=1, estimated_us=1.0)


def test_a_strip_has_a_letter_for_each_operation() -> None:
    blocked = operation(3, "cpu", supported=["cpu"], blockers=["ANE103"])
    placed = [operation(0), operation(1, tie=["ane", "cpu"]), operation(2, "gpu"), blocked, operation(4, "cpu")]
    assert strip(placed, 76).plain == "EeGxC"
    assert strip(placed, 76, engine=False).plain == "EeGCC"


def test_a_long_strip_shows_the_device_of_most() -> None:
    placed = [operation(index, "ane" if index % 3 else "cpu") for index in range(30)]
    assert strip(placed, 10).plain == "E" * 10


@pytest.mark.parametrize("count", [1, 75, 76, 77, 1000])
def test_a_strip_is_never_wider_than_its_room(count: int) -> None:
    assert len(strip([operation(index) for index in range(count)], 76).plain) == min(count, 76)


def test_a_function_without_operations() -> None:
    text = render(report([], placement()))
    assert text == "model.mlpackage\n  0 operations for H16: nothing to place\n\n"


def test_boundaries_say_what_forces_them() -> None:
    operations = [operation(0), operation(1, "cpu", supported=["cpu"], blockers=["ANE103"]), operation(2)]
    cuts = [
        BoundaryReport(index=1, source="ane", target="cpu", cut_by="o1", cut_by_type="cast", blockers=["ANE103"]),
        BoundaryReport(index=2, source="cpu", target="ane", cut_by=None, cut_by_type=None, blockers=[]),
    ]
    segments = [segment(0, "ane"), segment(1, "cpu"), segment(2, "ane")]
    text = render(report(operations, placement(segments=segments, boundaries=cuts)))
    assert "    #1 ane → cpu: #1 o1 (cast) kept from ane by ANE103\n" in text
    assert "    #2 cpu → ane: cheaper so: nothing forces it\n" in text


def test_mends_say_what_they_win() -> None:
    mend = MendReport(
        operations=["o1", "o2"], blockers=["ANE107"], segments=1, switches=0, estimated_ms=10.9, won_ms=0.4
    )
    plan = placement(segments=[segment(0, "ane"), segment(1, "cpu")], mends=[mend])
    text = render(report([operation(0), operation(1, "cpu")], plan), width=200)
    assert (
        "  → mend these 2 operations (ANE107) → 1 segment, 1 switch fewer, 11.3 ms → 10.9 ms estimated: o1, o2\n"
        in text
    )


def test_long_lists_are_cut() -> None:
    devices = ["ane", "cpu"] * 10
    segments = [segment(number, device) for number, device in enumerate(devices)]
    operations = [operation(number, device) for number, device in enumerate(devices)]
    assert "    … and 8 more\n" in render(report(operations, placement(segments=segments)))


def test_the_closing_paragraph_says_what_it_hangs_on() -> None:
    plan = placement(assumptions=["read on M4"], doubts=["one sample: product"], shortfall=None)
    assert "Read on M4. One sample: product.\n" in render(report([operation(0)], plan), width=200)


def test_a_shortfall_and_whole_program_reasons() -> None:
    plan = placement(shortfall=ShortfallReport(saved_ms=0.004, cost_ms=0.25), whole_program=[f"{ESCAPE}input"])
    text = render(report([operation(0, "cpu")], plan))
    assert "too small to pay: the engine would save 0.004 ms, going there costs 0.250 ms" in text
    assert "\\x1b[31minput" in text


def test_quiet_leaves_the_totals() -> None:
    text = render(report([operation(0)], placement(segments=[segment(0, "ane")])), quiet=True)
    assert "1 operation for H16: 1 ane · 1 segment, 0 switches" in text
    assert "segments\n" not in text


def test_control_characters_are_escaped_everywhere() -> None:
    bad = operation(0, "cpu", name=f"{ESCAPE}n", type=f"{ESCAPE}t", supported=["cpu"])
    cut = BoundaryReport(index=0, source="cpu", target="ane", cut_by=bad.name, cut_by_type=bad.type, blockers=[])
    plan = placement(segments=[segment(0, "cpu")], boundaries=[cut], doubts=[ESCAPE])
    made = report([bad], plan)
    assert "\x1b" not in render(made, operations=True)
    assert "\x1b" not in csv.render(made)


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+x", "'+x"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("a=b", "a=b"),
        ("", ""),
        ("\t=x", "\\x09=x"),
    ],
)
def test_no_field_is_a_formula(field: str, written: str) -> None:
    assert csv.harmless(field) == written


def test_csv_says_where_a_nested_operation_lies() -> None:
    rows = csv.render(report([operation(4, block=[(4, 0), (2, 1)], tie=["ane", "cpu"])], None)).splitlines()
    assert rows[1] == "model.mlpackage,main,4,4.0/2.1,o4,relu,ane,ane gpu cpu,ane cpu,,,,"
