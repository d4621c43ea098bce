"""GitLab Code Quality reports."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from anecheck.lint.reports import Report
from anecheck.report.gitlab import render
from anecheck.report.presentation import Presentation
from tests.conftest import FIXTURES
from tests.report.reports import HERE, OF_FIXTURES, finding, full_report, model, real_report, report

SCHEMA = json.loads((FIXTURES / "schemas" / "gitlab-code-quality.schema.json").read_text())


def issues(found: Report, presentation: Presentation = HERE) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads(render(found, presentation))
    jsonschema.validate(content, SCHEMA)
    marks = [issue["fingerprint"] for issue in content]
    assert len(set(marks)) == len(marks)
    return content


def test_an_issue_has_what_gitlab_documents() -> None:
    (issue,) = issues(report(model(finding())))
    assert len(issue.pop("fingerprint")) == 16
    assert issue == {
        "description": "cumulative-sum: cumulative sum over axis -1 [sum_1]",
        "check_name": "ANE104",
        "severity": "major",
        "location": {"path": "models/a.mlpackage/Manifest.json", "lines": {"begin": 1}},
    }


def test_everything_that_counts_is_an_issue() -> None:
    found = [(issue["check_name"], issue["severity"], issue["location"]["path"]) for issue in issues(full_report())]
    assert found == [
        ("ANE104", "major", "models/a.mlpackage/Manifest.json"),
        ("ANE104", "major", "models/a.mlpackage/Manifest.json"),
        ("ANE104", "major", "src/net.py"),
        ("ANE104", "major", "models/a.mlpackage/Manifest.json"),
        ("ANE301", "info", "models/a.mlpackage/Manifest.json"),
        ("ANE805", "critical", "models/a.mlpackage/Manifest.json"),
        ("ANE002", "blocker", "models/b.mlpackage/Manifest.json"),
        ("ANE104", "major", "build/listed.mil"),
        ("ANE041", "major", "anecheck.toml"),
        ("ANE042", "info", "."),
    ]


def test_real_reports_fit_the_schema() -> None:
    found = real_report()
    assert len(issues(found, OF_FIXTURES)) == sum(len(each.findings) + bool(each.error) for each in found.models)


def test_equal_fingerprints_are_numbered_in_their_own_model() -> None:
    """What is added to one model does not change what identifies the issues of another."""
    twins = model(finding(), finding(operation="sum_2"), finding(operation="sum_3"))
    first, second, third = (issue["fingerprint"] for issue in issues(report(twins)))
    assert (second, third) == (f"{first}-2", f"{first}-3")
    before = model(finding(), path="models/0.mlpackage")
    assert [issue["fingerprint"] for issue in issues(report(before, twins))][1:] == [first, second, third]


@pytest.mark.parametrize("path", ["models/a.mlpackage", "./models/a.mlpackage", "/repository/models/a.mlpackage"])
def test_a_fingerprint_does_not_hang_on_how_the_path_was_given(path: str) -> None:
    usual = issues(report(model(finding())))
    assert issues(report(replace(model(finding()), path=path))) == usual


def test_a_fingerprint_survives_a_renamed_operation() -> None:
    (before,), (after,) = issues(report(model(finding()))), issues(report(model(finding(operation="renamed"))))
    assert before["fingerprint"] == after["fingerprint"]
