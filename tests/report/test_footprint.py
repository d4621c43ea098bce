"""The text and the CSV of hand-made footprints."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from anecheck.knowledge.evidence import Confidence
from anecheck.lint.finding import Finding, Severity
from anecheck.lint.footprint_report import MemoryTotal, TrafficReport, WeightFormReport
from anecheck.lint.reports import ModelReport, ReadError, Report, TargetReport, ToolReport
from anecheck.report import footprint_csv
from anecheck.report.footprint import render
from tests.report.footprints import copy, footprint, holder, operation, peak, report, segment, slow, timing

ESCAPE = "\x1b[31m"


def said(text: str) -> str:
    """A text without its line breaks and indents."""
    return re.sub(r"\s+", " ", text)


def test_the_headline_has_the_three_numbers_that_people_ask_for() -> None:
    lines = render(report(footprint()), width=120).splitlines()
    assert lines[:2] == [
        "model.mlpackage",
        "  3 operations for a17pro (H16): 4.00 MB live at the peak, 8.00 MB of weights, 4.00 ms estimated (2.00 to 8.00 ms)",
    ]


def test_the_chart_marks_the_peak_and_labels_its_axes() -> None:
    lines = render(report(footprint()), width=40).splitlines()
    start = lines.index("  MB live during each operation")
    chart = lines[start + 1 : start + 14]
    assert chart[0].split() == ["▼", "4.00", "MB", "at", "#1"]
    assert chart[1].startswith("  4.00 ┤")
    assert chart[6].startswith("  2.00 ┤")
    assert chart[1][chart[0].index("▼")] == "█"
    assert chart[11] == "     0 └" + "─" * 32
    assert chart[12].split() == ["#0", "#2"]
    assert len(chart[12]) == 40


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_nothing_is_wider_than_the_terminal(width: int, ascii_only: bool) -> None:
    name = "a_name_without_end_" * 20
    rich = footprint(
        peak=peak(holder(name, 9, 3), holder("é" * 300, 10**40)),
        largest=[holder(name, 9)],
        operations=[operation(index, index + 1, name=name) for index in range(500)],
        segments=[segment(first=number * 10, last=number * 10 + 9) for number in range(30)],
        copies=[copy(name)] * 9,
        timing=timing(streamed_ms=1.0, elsewhere_ms=2.0, switches_ms=3.0, slowest=[slow(name)] * 9),
        unknown_sizes=3,
    )
    lines = render(report(rich, rich), width=width, ascii_only=ascii_only).splitlines()
    assert [line for line in lines if len(line) > width] == []


def test_a_terminal_without_blocks_gets_ascii() -> None:
    text = render(report(footprint(operations=[operation(0, name="é")], peak=peak(holder("é", 5)))), ascii_only=True)
    assert text.isascii()
    assert "#####" in text
    assert "\\xe9" in text


def test_names_never_reach_the_terminal_as_control_sequences() -> None:
    hostile = f"{ESCAPE}\n\u202ename"
    worst = footprint(
        peak=peak(holder(hostile, 9, 3), name=hostile, type=hostile),
        largest=[holder(hostile, 9)],
        operations=[operation(0, name=hostile, type=hostile)],
        copies=[copy(hostile)],
        timing=timing(slowest=[slow(hostile)], note=hostile),
    )
    total = MemoryTotal(peak_bytes=1, peak_function=hostile, weight_stored_bytes=1, weight_resident_bytes=1)
    for text in (render(report(worst, worst, memory=total)), footprint_csv.render(report(worst))):
        assert "\\x1b[31m" in text
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text)


def test_holders_are_listed_and_the_rest_is_summed_up() -> None:
    holders = [holder(f"v{number}", 2_000_000) for number in range(11)]
    text = render(report(footprint(peak=peak(*holders))))
    assert "      2.00 MB  value   #1–#2       fp16[1, 8]  v0\n" in text
    assert "    … and 3 more of 6.00 MB\n" in text


def test_padding_is_told_where_there_is_some() -> None:
    padded = footprint(peak=peak(holder("big", 3_000_000, 1_000_000), holder("small", 1_000_000)))
    assert "padding: the engine's layout adds 2.00 MB at the peak, most to big (2.00 MB)" in render(report(padded))
    assert "padding" not in render(report(footprint()))


def test_segments_in_a_table_and_where_that_does_not_fit_in_sentences() -> None:
    measured = report(footprint(segments=[segment(), segment(device="cpu", first=10, last=10, operations=1)]))
    assert "    #0–#9        ane         10     4.00        8.00    1.50    0.250\n" in render(measured)
    assert "#10 cpu: 1 operation, peak 4.00 MB, weights 8.00 MB, 1.50 GFLOP, 0.250 ms" in said(
        render(measured, width=40)
    )


def test_parts_of_the_time_come_with_what_would_change_them_the_largest_first() -> None:
    lines = said(render(report(footprint()), width=100))
    arithmetic = lines.index(
        "3.50 ms arithmetic: 4.50 GFLOP at 6.29 TFLOPS; less of it wins up to 2.25 ms, then weights decide; 8-bit"
    )
    weights = lines.index(
        "(1.25 ms) weights: 12.0 MB at 51.0 GB/s, hidden behind the arithmetic: smaller ones win nothing"
    )
    assert arithmetic < weights < lines.index("0.500 ms a call, however small the program")


def test_where_weights_are_slower_it_is_they_that_count() -> None:
    slow_weights = timing(arithmetic_ms=1.0, weights_ms=3.0, bound="weights")
    text = said(render(report(footprint(timing=slow_weights)), width=100))
    assert "4.00 ms estimated, 2.00 to 8.00 ms; most of it waiting for weights" in text
    assert (
        "3.00 ms weights: 12.0 MB at 51.0 GB/s; smaller ones, in a form that the engine reads as stored, win up to 2.00 ms"
        in text
    )
    assert "(1.00 ms) arithmetic: 4.50 GFLOP at 6.29 TFLOPS, hidden behind the weights: less of it wins nothing" in text


def test_what_runs_elsewhere_and_what_is_streamed() -> None:
    rows = [operation(0, streamed_bytes=5_000_000), operation(1, device="cpu", bound="elsewhere")]
    measured = footprint(
        operations=rows,
        segments=[segment(), segment(device="cpu")],
        copies=[copy("v0")],
        timing=timing(streamed_ms=1.0, elsewhere_ms=2.0, switches_ms=0.125, slowest=[slow("o1", "cpu", "elsewhere")]),
        traffic=TrafficReport(
            moved_bytes=9_000_000, streamed_bytes=5_000_000, weight_bytes=1_000_000, resident_limit_bytes=2_097_152
        ),
    )
    text = said(render(report(measured), width=100))
    assert "1.00 ms values: 5.00 MB stream through memory at 1 operation, being larger than 2.10 MB" in text
    assert "2.00 ms off the engine: 1 operation; `anecheck placement` says what would bring it there" in text
    assert "0.125 ms 1 change of device" in text
    assert "copies between devices: 0.500 MB: v0 (ane → cpu, 0.500 MB)" in text
    assert "92.5 µs #7 conv o1, on cpu" in text
    assert "What runs off the engine takes what Core ML estimates for M4." in text
    assert "5.00 MB of that streamed through memory because values are larger than 2.10 MB" in text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "fitted to 6 published latencies on A17 Pro: nine in ten published times lay within such a range."),
        ({"standing": "other", "note": "carried over from M1"}, "carried over from M1; the range is widened for that."),
        ({"low_ms": None, "high_ms": None}, "Nothing is predicted to run on the engine."),
    ],
)
def test_the_last_sentence_says_how_good_the_time_is(fields: dict[str, Any], sentence: str) -> None:
    text = said(render(report(footprint(timing=timing(**fields)))))
    assert "Estimated, not measured." in text
    assert sentence in text


def test_weights_by_form() -> None:
    forms = [
        WeightFormReport(
            form="palette", count=3, stored_bytes=2_000_000, resident_bytes=8_000_000, read_as_stored=False
        ),
        WeightFormReport(
            form="uncompressed", count=9, stored_bytes=1_000_000, resident_bytes=1_000_000, read_as_stored=True
        ),
    ]
    measured = footprint(weight_stored_bytes=3_000_000, weight_resident_bytes=9_000_000, weight_forms=forms)
    expected = (
        "weights: 3.00 MB stored, 9.00 MB in memory: palette 2.00 MB → 8.00 MB (3, expanded), uncompressed 1.00 MB"
    )
    assert expected in said(render(report(measured)))


def test_unknown_sizes_make_lower_bounds() -> None:
    text = said(render(report(footprint(unknown_sizes=2)), width=120))
    assert "count as 1 (2 values): all numbers here are lower bounds" in text


def test_budgets_that_were_asked_for_are_told_last() -> None:
    kept = report(footprint())
    assert "budgets" not in render(kept)
    assert render(kept, budgets=True).rstrip().endswith("budgets: kept")
    missed = finding("ANE809", f"too long {ESCAPE}", budget_ms=1.0)
    model = replace(kept.models[0], findings=[finding("ANE101", "something else"), missed])
    text = said(render(replace(kept, models=[model]), budgets=True, width=120))
    assert text.endswith("warning ANE809 too long \\x1b[31m ")


def finding(code: str, message: str, **data: float) -> Finding:
    return Finding(
        code=code,
        name="a-rule",
        severity=Severity.WARNING,
        confidence=Confidence.ESTIMATED,
        message=message,
        data=data,
    )


def test_several_functions_have_a_total_and_quiet_leaves_the_totals() -> None:
    total = MemoryTotal(
        peak_bytes=5_000_000, peak_function="f1", weight_stored_bytes=3_000_000, weight_resident_bytes=9_000_000
    )
    text = render(report(footprint(), footprint(), memory=total), width=120, quiet=True)
    assert [line for line in text.splitlines() if "operations for" not in line] == [
        "model.mlpackage",
        "  function f0",
        "  function f1",
        "  in all: 9.00 MB of weights (3.00 MB stored), what functions share counted once; the largest peak is 5.00 MB, in f1",
    ]
    assert "in all" not in render(report(footprint(), memory=total))


def test_a_function_without_operations_has_no_chart() -> None:
    nothing = peak(position=None, index=None, name=None, type=None)
    text = render(report(footprint(peak=nothing, operations=[])))
    assert "0 operations for a17pro (H16): 0 MB live at the peak" in text
    assert "during" not in text


def test_models_without_a_program_and_unreadable_ones() -> None:
    target = TargetReport(chip=None, family="H16", os="ios18", compute_units="all")
    models = [
        ModelReport(path="old", kind="neuralnetwork"),
        ModelReport(path="bad", error=ReadError(code="ANE002", message=f"{ESCAPE}empty")),
    ]
    made_of = Report(tool=ToolReport(name="anecheck", version="0"), target=target, targets=[target], models=models)
    text = said(render(made_of))
    assert "old no footprint is known for a neural network" in text
    assert "bad error ANE002 \\x1b[31mempty" in text


def test_colour_changes_nothing_but_colours() -> None:
    measured = report(footprint(segments=[segment()], timing=timing(slowest=[slow("o1")])))
    coloured = render(measured, colour=True)
    assert "\x1b[33m\x1b[1m▼" in coloured
    plain = re.sub("\x1b\\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in plain.splitlines()] == render(measured).splitlines()


def test_csv_has_a_row_for_each_operation() -> None:
    rows = [
        operation(0, name="=1+1", streamed_bytes=5),
        operation(4, device="cpu", block=[(4, 0), (2, 1)], estimated_us=None, bound="elsewhere"),
    ]
    lines = footprint_csv.render(report(footprint(operations=rows))).splitlines()
    assert lines == [
        ",".join(footprint_csv.COLUMNS),
        "model.mlpackage,main,0,,'=1+1,conv,ane,1000000,1000000,7,4000000,5,1.5,2,arithmetic",
        "model.mlpackage,main,4,4.0/2.1,o4,conv,cpu,1000000,1000000,7,4000000,0,1.5,,elsewhere",
    ]
