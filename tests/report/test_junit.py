"""JUnit XML, as build servers read it."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from junitparser import JUnitXml, TestCase, TestSuite

from anecheck.lint.reports import Report
from anecheck.report.junit import render
from tests.report.reports import HERE, OF_FIXTURES, WHOLE, finding, full_report, model, real_report, report

SUITE, CASE = "testsuite", "testcase"
CHILDREN = {"testsuites": {SUITE}, SUITE: {CASE}, CASE: {"failure", "error", "system-out"}}
REQUIRED = {
    "testsuites": {"name", "tests", "failures", "errors"},
    SUITE: {"name", "tests", "failures", "errors", "skipped", "time"},
    CASE: {"name", "classname", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "system-out": set(),
}


def check(element: ET.Element) -> None:
    """As the schema of the Jenkins plug-in has it: which elements in which, with which attributes."""
    assert element.attrib.keys() == REQUIRED[element.tag]
    assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
    if element.tag == SUITE:
        assert int(element.attrib["tests"]) == len(element)
        for count, tag in (("failures", "failure"), ("errors", "error")):
            assert int(element.attrib[count]) == len(element.findall(f"{CASE}/{tag}"))
    if element.tag == CASE:
        assert sum(child.tag in {"failure", "error"} for child in element) <= 1
    for child in element:
        check(child)


def suites(found: Report) -> dict[str, list[TestCase]]:
    text = render(found, OF_FIXTURES if found.models[0].path.startswith("fixtures") else HERE)
    check(ET.fromstring(text))  # noqa: S314  # our own
    read = JUnitXml.fromstring(text.encode())
    assert all(isinstance(suite, TestSuite) for suite in read)
    return {suite.name: list(suite) for suite in read}


def outcome(case: TestCase) -> tuple[str, str]:
    result = type(case.result[0]).__name__ if case.result else "passed"
    return case.name, result


def test_a_suite_for_each_model_and_a_case_for_each_rule() -> None:
    found = suites(full_report())
    assert {name: [outcome(case) for case in cases] for name, cases in found.items()} == {
        "models/a.mlpackage": [
            ("ANE104 cumulative-sum", "Failure"),
            ("ANE301 too-small-to-pay", "passed"),
            ("ANE805 does-not-compile", "Failure"),
        ],
        "models/b.mlpackage": [("read", "Error")],
        "models/listed.mlmodelc": [("ANE104 cumulative-sum", "Failure")],
        "anecheck": [("ANE041 unused-suppression", "passed"), ("ANE042 outdated-baseline", "passed")],
    }
    first = found["models/a.mlpackage"]
    assert first[0].result[0].message == "4 findings"
    assert first[0].result[0].text == (
        "warning: cumulative sum over axis -1 [sum_1] (models/a.mlpackage:13:38)\n"
        "warning: cumulative sum over axis -1 [sum_2] (models/a.mlpackage:13:38)\n"
        "warning: cumulative sum over axis -1 [written_1] (src/net.py:42:1)\n"
        "warning: cumulative sum over axis -1 [inferred_1] (models/a.mlpackage:13:38)\n"
        "Instead: multiply by a triangle"
    )
    assert first[1].system_out.startswith("info: too small (models/a.mlpackage:1:1)\n")
    assert found["models/b.mlpackage"][0].result[0].message == "ANE002 it is empty"
    assert found["anecheck"][0].system_out == "warning: nothing was suppressed by it (anecheck.toml:7:1)"


@pytest.mark.parametrize(
    ("fail_on", "failing"),
    [
        ("error", {"ANE805"}),
        ("warning", {"ANE805", "ANE104"}),
        ("info", {"ANE805", "ANE104", "ANE301"}),
        ("never", set()),
    ],
)
def test_what_fails_is_what_the_model_says(fail_on: str, failing: set[str]) -> None:
    asked = replace(full_report().models[0], fail_on=fail_on)
    cases = suites(report(asked))["models/a.mlpackage"]
    assert {case.name.split()[0] for case in cases if case.result} == failing


def test_one_rule_may_fail_and_have_more_to_say() -> None:
    both = model(finding(), finding(severity=WHOLE.severity, operation="harmless"))
    (case,) = suites(report(both))["models/a.mlpackage"]
    assert "sum_1" in case.result[0].text
    assert "harmless" not in case.result[0].text
    assert "harmless" in case.system_out


def test_a_model_without_findings_passes() -> None:
    hidden = finding(suppressed=True)
    assert [outcome(case) for case in suites(report(model(hidden)))["models/a.mlpackage"]] == [
        ("nothing found", "passed")
    ]


def test_real_reports_are_read_whole() -> None:
    found = real_report()
    read = suites(found)
    assert len(read) == len(found.models)
    errors = [name for name, cases in read.items() for case in cases if outcome(case)[1] == "Error"]
    assert errors == [each.path for each in found.models if each.error]


def test_what_xml_cannot_hold_is_written_out() -> None:
    odd = render(report(model(finding(operation="a\x00\ufffe\ud800]]>"))), HERE)
    assert re.search(r"a\\x00\\ufffe\\ud800\]\]&gt;", odd)
    check(ET.fromstring(odd))  # noqa: S314
