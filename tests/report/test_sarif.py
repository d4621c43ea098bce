"""SARIF 2.1.0, by its own schema and by what GitHub asks of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest

from anecheck.lint.registry import load_registry
from anecheck.lint.reports import Report
from anecheck.report import sarif
from anecheck.report.sarif import render
from tests.conftest import FIXTURES
from tests.report.reports import (
    ERROR,
    HERE,
    IN_BASELINE,
    OF_FIXTURES,
    SUPPRESSED,
    WHOLE,
    WRITTEN,
    finding,
    full_report,
    model,
    real_report,
    report,
)

SCHEMA = json.loads((FIXTURES / "schemas" / "sarif-2.1.0.schema.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def run_of(found: Report) -> dict[str, Any]:
    content = json.loads(render(found, OF_FIXTURES if found.models[0].path.startswith("fixtures") else HERE))
    VALIDATOR.validate(content)
    (run,) = content["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1
    return dict(run)


def test_a_result_has_a_place_and_the_operation() -> None:
    (result,) = run_of(report(model(finding())))["results"]
    assert result == {
        "ruleId": "ANE104",
        "ruleIndex": 0,
        "level": "warning",
        "message": {"text": "cumulative sum over axis -1 [sum_1]"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "models/a.mlpackage/Manifest.json"},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [{"name": "sum_1", "fullyQualifiedName": "main/sum_1", "kind": "operation"}],
            }
        ],
        "partialFingerprints": {
            "anecheck/v1": "0011223344556677",
            "primaryLocationLineHash": "0011223344556677:1",
        },
        "properties": {
            "model": "models/a.mlpackage",
            "confidence": "compute-plan-measured",
            "families": ["H16"],
            "evidence": [
                {"source": "study", "url": "https://example.com/study", "confidence": "compute-plan-measured"}
            ],
        },
    }


def line_hashes(found: Report) -> dict[str, str]:
    """What GitHub tells alerts apart by, of each operation."""
    return {
        result["locations"][0]["logicalLocations"][0]["name"]: result["partialFingerprints"]["primaryLocationLineHash"]
        for result in run_of(found)["results"]
    }


def test_findings_that_look_the_same_in_a_file_are_alerts_of_their_own() -> None:
    same = [finding(operation=f"sum_{number}") for number in (1, 2, 3)]
    other = finding(operation="else_1", fingerprint="ffff")
    counted = line_hashes(report(model(*same, other)))
    first = "0011223344556677"
    assert counted == {"sum_1": f"{first}:1", "sum_2": f"{first}:2", "sum_3": f"{first}:3", "else_1": "ffff:1"}


def test_an_alert_stays_the_same_when_another_is_suppressed_or_another_model_is_added() -> None:
    first, second = finding(operation="sum_1"), finding(operation="sum_2")
    before = line_hashes(report(model(first, second)))
    assert line_hashes(report(model(replace(first, suppressed=True), second))) == before
    added = report(model(finding(operation="new_1"), path="models/0.mlpackage"), model(first, second))
    assert line_hashes(added) == {"new_1": "0011223344556677:1", **before}


def test_models_that_come_from_the_same_line_share_its_count() -> None:
    a, b = (replace(WRITTEN, operation=f"of_{name}") for name in "ab")
    counted = line_hashes(report(model(a), model(b, path="models/b.mlpackage")))
    assert counted == {"of_a": "0011223344556677:1", "of_b": "0011223344556677:2"}


def test_a_finding_of_a_whole_function_names_it() -> None:
    (result,) = run_of(report(model(WHOLE)))["results"]
    assert result["level"] == "note"
    assert result["locations"][0]["logicalLocations"] == [
        {"name": "main", "fullyQualifiedName": "main", "kind": "function"}
    ]


def test_a_place_outside_of_the_model_comes_with_the_model() -> None:
    written, listed = (
        run_of(report(each))["results"][0] for each in (model(WRITTEN), model(finding(), listing="a b.mil"))
    )
    assert written["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "src/net.py"},
        "region": {"startLine": 42},
    }
    assert written["relatedLocations"][0]["message"]["text"] == "in the model models/a.mlpackage"
    assert listed["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b.mil"},
        "region": {"startLine": 13, "startColumn": 38},
    }


def test_rules_say_what_they_are() -> None:
    driver = run_of(report(model(finding(), WHOLE)))["tool"]["driver"]
    assert (driver["name"], driver["version"], driver["semanticVersion"]) == ("anecheck", "0.1.0", "0.1.0")
    assert [rule["id"] for rule in driver["rules"]] == ["ANE104", "ANE301"]
    rule = driver["rules"][0]
    assert rule["name"] == "cumulative-sum"
    assert rule["shortDescription"]["text"] == load_registry().find("ANE104")[0].title
    assert rule["defaultConfiguration"] == {"level": "warning"}
    assert rule["properties"] == {
        "tags": ["core-ml", "neural-engine", "operations"],
        "precision": "very-high",
        "problem.severity": "warning",
    }
    assert "# ANE104 cumulative-sum" in rule["help"]["markdown"]
    assert "Instead" in rule["help"]["text"]
    assert driver["rules"][1]["properties"]["problem.severity"] == "recommendation"


def test_a_rule_that_is_not_installed_is_described_by_its_findings() -> None:
    (rule,) = run_of(report(model(finding(code="ACME1", name="our-own"))))["tool"]["driver"]["rules"]
    assert rule["shortDescription"]["text"] == "our-own"
    assert rule["help"]["text"] == "multiply by a triangle"


def test_what_is_suppressed_says_why() -> None:
    (result,) = run_of(report(model(SUPPRESSED)))["results"]
    assert result["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "known to be small (until 2030-01-31)"}
    ]
    assert "baselineState" not in result


def test_with_a_baseline_every_result_says_whether_it_is_new() -> None:
    new, old = run_of(report(model(finding(), IN_BASELINE)))["results"]
    assert (new["baselineState"], old["baselineState"]) == ("new", "unchanged")
    assert "suppressions" not in new
    assert old["suppressions"][0]["justification"] == "in the baseline"


def test_what_is_no_result_is_a_notification() -> None:
    (invocation,) = run_of(full_report())["invocations"]
    assert invocation["executionSuccessful"] is False
    (unreadable,) = invocation["toolExecutionNotifications"]
    assert unreadable["descriptor"] == {"id": "ANE002"}
    assert unreadable["message"]["text"] == "models/b.mlpackage: it is empty"
    codes = [note["descriptor"]["id"] for note in invocation["toolConfigurationNotifications"]]
    assert codes == ["ANE041", "ANE042"]
    assert run_of(report(model()))["invocations"][0]["executionSuccessful"] is True


def test_the_most_harmful_results_are_kept_where_there_is_no_room_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MOST_RESULTS", 2)
    run = run_of(report(model(SUPPRESSED, WHOLE, finding(), ERROR)))
    assert [result["ruleId"] for result in run["results"]] == ["ANE805", "ANE104"]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"] == "2 results are left out: a run has room for 2"


def test_more_results_than_github_takes_are_cut() -> None:
    many = model(*[replace(finding(), operation=f"sum_{number}") for number in range(25_003)])
    content = json.loads(render(report(many), HERE))["runs"][0]
    assert len(content["results"]) == 25_000
    assert content["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].startswith("3 results")


@pytest.mark.parametrize("path", ["a b/ü%41?#.mlmodel", "a:b.mlmodel", "/elsewhere/a.mlmodel", "a\x1b\ud800.mlmodel"])
def test_a_path_comes_back_from_its_address(path: str) -> None:
    uri = run_of(report(model(finding(), path=path)))["results"][0]["locations"][0]["physicalLocation"]
    address = uri["artifactLocation"]["uri"]
    assert address.isascii()
    assert unquote(address.removeprefix("file://")) == path.encode("utf-8", "backslashreplace").decode()
    assert address.startswith("file:///") == path.startswith("/")


def test_real_reports_fit_the_schema_and_githubs_limits() -> None:
    found = real_report()
    run = run_of(found)
    assert len(run["results"]) == sum(len(each.findings) for each in found.models)
    unreadable = [each for each in found.models if each.error]
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == len(unreadable)
    alerts = {
        (
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            result["partialFingerprints"]["primaryLocationLineHash"],
        )
        for result in run["results"]
    }
    assert len(alerts) == len(run["results"])
    for rule in run["tool"]["driver"]["rules"]:
        assert len(rule["fullDescription"]["text"]) <= 1024
        assert len(rule["properties"]["tags"]) <= 10
