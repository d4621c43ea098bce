"""A measured plan is compared as the published accuracy is counted, whatever the form of its file."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from anecheck.artifact.load import load
from anecheck.knowledge.tables import Knowledge
from anecheck.lint.examine import lint_model
from anecheck.lint.measured import with_measured
from anecheck.lint.measured_report import MeasuredReport
from anecheck.lint.run import make_report
from anecheck.measured.read import read_plan
from fixtures.placements.build import build
from tests.accuracy.placements import Guess, Guesses, Row, make_settings, operations_of, predict, read_rows
from tests.accuracy.score import disagreements, score
from tests.measured.files import FORMS

EVERY = 6
"""One graph in so many: the accuracy test takes them all."""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("placements"))


@pytest.fixture(scope="module")
def graphs(table: Path) -> dict[str, list[Row]]:
    """The rows of some graphs, by file; ties that Core ML broke the other way count as any operation."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in read_rows(table):
        found[row.file].append(replace(row, cost_tie=False))
    return {file: found[file] for number, file in enumerate(sorted(found)) if number % EVERY == 0}


@pytest.fixture(scope="module")
def guesses(table: Path, graphs: dict[str, list[Row]]) -> Guesses:
    return predict([row for rows in graphs.values() for row in rows], table.parent, "m4", "cpu-and-ne")


def measured(graph: Path, rows: list[Row], form: str, target: str = "m4") -> MeasuredReport:
    """Compare a graph with a file of a form."""
    knowledge, settings = Knowledge(), make_settings(target, "cpu-and-ne")
    model = load(graph)
    assert model.program is not None
    file = graph.with_suffix(f".{form}")
    file.write_text(FORMS[form](rows, model.program), encoding="utf-8")
    report = make_report([lint_model(model, settings)], settings)
    compared = with_measured(report, read_plan(file, knowledge.operators.keys()), file.name, knowledge)
    found = compared.models[0].functions[0].measured
    assert found is not None
    return found


@pytest.mark.parametrize("form", FORMS)
def test_agreement_is_what_the_score_says(
    form: str, table: Path, graphs: dict[str, list[Row]], guesses: Guesses
) -> None:
    reports = {file: measured(table.parent / file, rows, form) for file, rows in graphs.items()}
    rows = [row for each in graphs.values() for row in each]
    expected = score(rows, guesses)
    assert sum(report.compared for report in reports.values()) == expected.operations == len(rows)
    assert sum(report.device_right for report in reports.values()) == expected.device_up_to_ties.right
    assert sum(report.device_right_without_ties for report in reports.values()) == expected.device_strict.right
    assert sum(report.support_right for report in reports.values()) == expected.supported.right
    assert all(report.format == form and report.unmatched == report.unmeasured == 0 for report in reports.values())
    assert 0 < expected.device_strict.right < expected.device_up_to_ties.right


@pytest.mark.parametrize("form", FORMS)
def test_differences_are_those_of_the_score(form: str, table: Path, graphs: dict[str, list[Row]]) -> None:
    """Measured devices turned round: what was right is wrong, in the same operations as the score says."""
    for file, rows in list(graphs.items())[:12]:
        other = [
            replace(row, preferred="cpu" if row.preferred == "ane" else "ane", supported=row.supported ^ {"ane"})
            for row in rows
        ]
        guesses: Guesses = {
            (rows[0].model, index): Guess(report.device, frozenset(report.supported), frozenset(report.tie))
            for index, report in operations_of(table.parent / file, make_settings("m4", "cpu-and-ne")).items()
        }
        expected = disagreements(other, guesses)
        found = measured(table.parent / file, other, form).differences
        assert [(each.index, each.agreement == "different", each.support_agrees is False) for each in found] == [
            (each.row.index, each.device, each.support) for each in expected
        ]
        assert found


def test_what_core_ml_said_comes_along(table: Path, graphs: dict[str, list[Row]]) -> None:
    file = next(file for file, rows in graphs.items() if any("ane" not in row.supported for row in rows))
    report = measured(table.parent / file, graphs[file], "analytics.mil")
    refused = next(operation for operation in report.operations if "ane" not in (operation.supported or ()))
    assert refused.messages == {"ane": f'Unsupported MIL operation "{refused.type}".'}
    assert refused.estimated_ms == {"bnns": 0.002, "classic_cpu": 0.002}


@pytest.mark.parametrize(
    ("form", "target", "said"),
    [
        ("anecheck-measured-plan", "m4", []),
        ("anecheck-measured-plan", "m4/macos27", []),
        ("anecheck-measured-plan", "m4/macos26", ["measured on macOS 27.0.1, predicted for macos26: releases differ"]),
        ("anecheck-measured-plan", "a17pro", ["measured on Apple M4, predicted for a17pro: chips differ"]),
        ("anecheck-measured-plan", "h16", ["measured on Apple M4, predicted for H16: chips differ"]),
        (
            "mlcomputeplan",
            "m4",
            [
                "the file does not say on which chip it was measured; predicted for m4",
                "the file does not say which devices Core ML might use; predicted with cpu-and-ne",
            ],
        ),
    ],
)
def test_what_was_measured_elsewhere_is_said(
    form: str, target: str, said: list[str], table: Path, graphs: dict[str, list[Row]]
) -> None:
    file, rows = next(iter(graphs.items()))
    assert measured(table.parent / file, rows, form, target).warnings == said
