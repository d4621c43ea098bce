"""The text report: its order, its groups, and what it does with hostile or long names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from anecheck import lint, load
from anecheck.knowledge.evidence import Confidence
from anecheck.lint.finding import Evidence, Finding, Rewrite, Severity
from anecheck.lint.reports import FunctionReport, ModelReport, ReadError, Report, Summary, TargetReport, ToolReport
from anecheck.report import listing
from anecheck.report.escape import short_name, visible
from anecheck.report.text import render, render_statistics
from tests.conftest import RunAnecheck
from tests.report.reports import full_report

TARGET = TargetReport(chip="m4", family="H16", os=None, compute_units="cpu-and-ne")


def finding(code: str, severity: Severity, message: str, operation: str | None, related: int = 0) -> Finding:
    return Finding(
        code=code,
        name=f"rule-{code}",
        severity=severity,
        confidence=Confidence.MEASURED,
        message=message,
        operation=operation,
        blocks=["ane"],
        related=[f"{operation}_{number}" for number in range(related)],
        evidence=[Evidence(source="751k-dispatch", url="", confidence=Confidence.MEASURED)],
        rewrite=Rewrite(title="write it otherwise", text=""),
    )


def report(*findings: Finding) -> Report:
    function = FunctionReport(
        name="main", opset="CoreML7", summary=Summary(operations=40, off_engine=len(findings), weight_bytes=0)
    )
    model = ModelReport(
        path="a.mlpackage", kind="mlprogram", specification_version=8, functions=[function], findings=list(findings)
    )
    return Report(tool=ToolReport(name="anecheck", version="0"), target=TARGET, targets=[TARGET], models=[model])


def test_the_worst_and_then_the_most_frequent_rule_comes_first() -> None:
    text = render(
        report(
            finding("ANE101", Severity.WARNING, "one", "a"),
            finding("ANE102", Severity.WARNING, "many", "b", related=3),
            finding("ANE103", Severity.INFO, "hint", "c"),
            finding("ANE104", Severity.ERROR, "worst", "d"),
        )
    )
    order = [
        line.split()[1] for line in text.splitlines() if line.strip().split(" ")[0] in {"error", "warning", "info"}
    ]
    assert order == ["ANE104", "ANE102", "ANE101", "ANE103"]


def test_what_blocks_nothing_is_no_cause_of_leaving() -> None:
    remark = replace(finding("ANE201", Severity.INFO, "a remark", "a", related=3), blocks=[])
    text = render(report(remark, finding("ANE101", Severity.WARNING, "one", "b")))
    assert "(rule-ANE101 1)" in text


def test_a_rule_is_grouped_by_message_and_names_its_operations() -> None:
    found = [finding("ANE101", Severity.WARNING, "the engine has no 'tan'", f"tan_{number}") for number in range(6)]
    text = render(report(*found, finding("ANE101", Severity.WARNING, "the engine has no 'mod'", "mod_0")))
    assert text == (
        "a.mlpackage\n"
        "  ML Program (specification 8, opset ios17) for m4 (H16): 40 operations, 7\n"
        "  likely off the engine (rule-ANE101 7)\n"
        "  warning ANE101 rule-ANE101  measured\n"
        "    the engine has no 'mod': mod_0\n"
        "    the engine has no 'tan': tan_0, tan_1, tan_2, tan_3 and 2 more\n"
        "    → write it otherwise (anecheck rule ANE101)\n"
        "\n"
        "1 model checked: 7 warnings.\n"
    )


def test_every_name_is_given_if_asked() -> None:
    found = [finding("ANE101", Severity.WARNING, "m", f"tan_{number}") for number in range(6)]
    assert "tan_5" in render(report(*found), every_name=True)


def test_one_rule_at_two_severities_makes_two_groups() -> None:
    text = render(
        report(finding("ANE124", Severity.WARNING, "reads", "a"), finding("ANE124", Severity.INFO, "writes", "b"))
    )
    assert "warning ANE124" in text
    assert "info ANE124" in text


def test_an_unreadable_model_is_named_with_its_code() -> None:
    model = ModelReport(path="b.mlpackage", error=ReadError(code="ANE002", message="it is empty"))
    text = render(
        Report(tool=ToolReport(name="anecheck", version="0"), target=TARGET, targets=[TARGET], models=[model])
    )
    assert text == "b.mlpackage\n  error ANE002 it is empty\n\n1 model checked: 1 model that cannot be read.\n"


@pytest.mark.parametrize("width", [36, 40, 41, 48, 60, 80])
def test_a_command_to_run_stays_on_one_line_if_it_fits(width: int) -> None:
    command = "`git lfs pull --include='*.mlmodel'`"
    message = f"the model is in {'large ' * 8}files; fetch it with {command}, or leave it"
    text = render(report(finding("ANE1", Severity.WARNING, message, "a")), width=width)
    assert sum(command in line for line in text.splitlines()) == (1 if width >= 41 else 0)
    assert max(map(len, text.splitlines())) <= width
    assert " ".join(text.split()).count(message) == 1, "nothing is lost"


def test_statistics() -> None:
    found = [finding("ANE101", Severity.WARNING, "m", f"tan_{number}") for number in range(12)]
    text = render_statistics(report(*found, finding("ANE104", Severity.INFO, "m", "c")))
    assert text == "    12  ANE101  rule-ANE101  (1 model)\n     1  ANE104  rule-ANE104  (1 model)\n"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("conv_1", "conv_1"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nb\rc\td", "a\\x0ab\\x0dc\\x09d"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\x9b31m", "\\x9b31m"),
        ("größe × 2", "größe × 2"),
    ],
)
def test_control_characters_become_visible(name: str, shown: str) -> None:
    assert visible(name) == shown


def test_markup_of_the_terminal_library_is_plain_text() -> None:
    assert "[bold red]x[/]" in render(report(finding("ANE101", Severity.WARNING, "m", "[bold red]x[/]")), colour=True)


def test_long_names_are_cut_in_the_middle() -> None:
    short = short_name("a" * 5000 + "b" * 5000)
    assert len(short) <= 80
    assert short.startswith("aaa")
    assert short.endswith("bbb")


def test_sizes_that_are_not_fixed_make_lower_bounds(anecheck: RunAnecheck) -> None:
    """A dimension that is unknown counts as 1: a range would promise too much."""
    package = "fixtures/zoo/mobilenet_v3_large_range.mlpackage"
    shown = " ".join(anecheck("lint", package).stdout.split())
    assert "ms a call, its sizes not being fixed, at least" in shown
    asked = " ".join(anecheck("lint", package, "--fps", "60", "--select", "ANE809").stdout.split())
    assert "whether a frame at 60 a second is kept is unknown" in asked
    assert "ANE809" not in anecheck("lint", package.replace("_range", ""), "--fps", "60").stdout


def test_what_is_suppressed_is_counted_and_not_told() -> None:
    shown = render(full_report(), width=200)
    assert "quiet_1" not in shown
    assert "old_1" not in shown
    assert "\n  1 suppressed, 1 in the baseline\n" in shown
    assert shown.endswith(
        "\n3 models checked: 1 error, 5 warnings, 1 info, 1 model that cannot be read, 2 notices; "
        "1 suppressed, 1 in the baseline.\n"
    )
    assert "     5  ANE104  cumulative-sum  (2 models)\n" in render_statistics(full_report())


def test_a_model_with_nothing_but_suppressed_findings_is_left_out_when_quiet() -> None:
    hidden = report(replace(finding("ANE101", Severity.INFO, "m", "a"), suppressed=True))
    assert render(hidden, quiet=True) == ""
    assert render(hidden).endswith("1 model checked: nothing found; 1 suppressed.\n")


def test_what_is_gone_from_the_baseline_is_told() -> None:
    assert "\n  ANE107 dynamic-gather: 3 gone from the baseline\n" in render(full_report())


def test_notices_stand_behind_the_models() -> None:
    assert (
        "\nwarning ANE041 unused-suppression  /repository/anecheck.toml:7\n"
        "  nothing was suppressed by it\n"
        "info ANE042 outdated-baseline\n"
        "  it was made by another version\n"
        "\n"
        "3 models checked"
    ) in render(full_report())


def test_an_operation_comes_with_where_it_is_written() -> None:
    shown = render(full_report(), width=200)
    assert "written_1 (/repository/src/net.py:42)" in shown
    assert "inferred_1 (encoder.layers.0, by its weights' names)" in shown


def test_a_program_is_listed_without_comments_on_what_is_suppressed(fixtures: Path) -> None:
    model = load(fixtures / "flagged" / "cumsum.mlpackage")
    found = lint("fixtures/flagged/cumsum.mlpackage", select=["ANE104"]).models[0].findings
    assert "// warning ANE104" in listing.render(model, found)
    hidden = [replace(each, suppressed=True) for each in found]
    assert listing.render(model, hidden) == listing.render(model)
