"""Annotations of a GitHub workflow run, as its runner reads them."""

from __future__ import annotations

from anecheck.lint.finding import Severity
from anecheck.report.github import render
from anecheck.report.presentation import Presentation
from tests.report.consumers import Command, workflow_commands
from tests.report.reports import HERE, OF_FIXTURES, finding, full_report, model, real_report, report

PLACE = {"file": "models/a.mlpackage/Manifest.json", "line": "1"}


def test_a_finding_is_a_warning_at_a_file_of_the_package() -> None:
    title = "ANE104 cumulative-sum"
    message = "cumulative sum over axis -1: sum_1\nInstead: multiply by a triangle"
    written = render(report(model(finding())), HERE)
    assert workflow_commands(written) == [Command("warning", {**PLACE, "title": title}, message)]
    assert written.count("\n") == 1


def test_the_worst_come_first_and_what_is_said_twice_is_one() -> None:
    commands = workflow_commands(render(full_report(), HERE))
    assert [(command.name, command.properties["title"].split()[0]) for command in commands] == [
        ("error", "ANE002"),
        ("error", "ANE805"),
        ("warning", "ANE041"),
        ("warning", "ANE104"),
        ("warning", "ANE104"),
        ("notice", "ANE042"),
        ("notice", "ANE301"),
    ]
    assert commands[3].message.startswith(
        "cumulative sum over axis -1: sum_1, sum_2, written_1 (/repository/src/net.py:42), "
        "inferred_1 (encoder.layers.0, by its weights' names)\n"
    )
    assert commands[4].properties == {
        "file": "build/listed.mil",
        "line": "13",
        "col": "38",
        "title": "ANE104 cumulative-sum",
    }
    assert commands[2].properties == {"file": "anecheck.toml", "line": "7", "title": "ANE041 unused-suppression"}
    assert "file" not in commands[5].properties


def test_what_concerns_most_operations_comes_before_what_concerns_few() -> None:
    few = [finding(code="ANE101", name="few", message="few", operation="x")]
    many = [finding(code="ANE102", name="many", message="many", operation=f"y_{number}") for number in range(3)]
    commands = workflow_commands(render(report(model(*few), model(*many, path="b.mlmodel")), HERE))
    assert [command.properties["title"] for command in commands] == ["ANE102 many", "ANE101 few"]


def test_many_operations_are_counted_unless_all_are_wanted() -> None:
    many = report(model(*(finding(operation=f"sum_{number}") for number in range(6))))
    assert ": sum_0, sum_1, sum_2, sum_3 and 2 more\n" in workflow_commands(render(many, HERE))[0].message
    everything = workflow_commands(render(many, Presentation(verbose=True)))[0].message
    assert everything.startswith("cumulative sum over axis -1: sum_0, sum_1, sum_2, sum_3, sum_4, sum_5\n")


def test_what_ends_properties_and_lines_comes_back_as_it_was() -> None:
    odd = model(finding(message="100% of a,b::c"), path="a,b:c%0A,line=7::x.mlmodel")
    command = workflow_commands(render(report(odd), HERE))[0]
    assert command.properties["file"] == "a,b:c%0A,line=7::x.mlmodel"
    assert command.properties["line"] == "1"
    assert command.message.startswith("100% of a,b::c: sum_1\n")


def test_of_real_reports_every_line_is_a_command_at_a_file() -> None:
    found = real_report()
    written = render(found, OF_FIXTURES)
    commands = workflow_commands(written)
    assert len(commands) == written.count("\n")
    assert all({"file", "line", "title"} <= command.properties.keys() for command in commands)
    named = {"error": Severity.ERROR, "warning": Severity.WARNING, "notice": Severity.INFO}
    ranks = [named[command.name].rank for command in commands]
    assert ranks == sorted(ranks)
    assert ranks.count(0) == sum(each.error is not None for each in found.models)
