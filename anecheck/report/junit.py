"""JUnit XML, which build servers show as test results: a suite for each model, a case for each rule that spoke of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from xml.etree import ElementTree as ET  # written, not read

from anecheck.lint.finding import Finding
from anecheck.lint.reports import ModelReport, Report
from anecheck.report.escape import short_name, short_text, visible
from anecheck.report.location import Location, in_editor, of_notice
from anecheck.report.presentation import Presentation
from anecheck.report.wording import fails, sentence, told

TOOL = "anecheck"
NO_CHARACTER = re.compile("[\ufffe\uffff]")
"""What XML cannot hold and is not made visible anyway."""


def render(report: Report, presentation: Presentation) -> str:
    """Write the suites. A rule fails where a finding is at or above what the model's `fail_on` says."""
    suites = [_suite(model, presentation) for model in report.models]
    if report.notices:
        suites.append(_counted(TOOL, [_notice(notice, presentation) for notice in report.notices]))
    root = ET.Element("testsuites", {"name": TOOL, **_sums(suites)})
    root.extend(suites)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(model: ModelReport, presentation: Presentation) -> ET.Element:
    return _counted(_text(short_name(model.path)), list(_cases(model, presentation)))


def _counted(name: str, cases: list[ET.Element]) -> ET.Element:
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": 0,
    }
    suite = ET.Element("testsuite", {"name": name, **{key: str(count) for key, count in counts.items()}, "time": "0"})
    suite.extend(cases)
    return suite


def _sums(suites: list[ET.Element]) -> dict[str, str]:
    return {key: str(sum(int(suite.get(key, "0")) for suite in suites)) for key in ("tests", "failures", "errors")}


def _cases(model: ModelReport, presentation: Presentation) -> Iterator[ET.Element]:
    if model.error:
        case = _case("read", model.path)
        message = _text(f"{model.error.code} {short_text(model.error.message)}")
        ET.SubElement(case, "error", {"type": model.error.code, "message": message}).text = message
        yield case
        return
    findings = sorted(told(model), key=_rule)
    if not findings:
        yield _case("nothing found", model.path)
    for _, group in groupby(findings, _rule):
        yield _rule_case(list(group), model, presentation)


def _rule_case(findings: list[Finding], model: ModelReport, presentation: Presentation) -> ET.Element:
    case = _case(f"{findings[0].code} {findings[0].name}", model.path)
    failing = [finding for finding in findings if fails(finding, model)]
    others = [finding for finding in findings if not fails(finding, model)]
    if failing:
        message = failing[0].message if len(failing) == 1 else f"{len(failing)} findings"
        attributes = {"type": _text(failing[0].severity.value), "message": _text(short_text(message))}
        ET.SubElement(case, "failure", attributes).text = _told(failing, model, presentation)
    if others:
        ET.SubElement(case, "system-out").text = _told(others, model, presentation)
    return case


def _notice(notice: Finding, presentation: Presentation) -> ET.Element:
    case = _case(f"{notice.code} {notice.name}", TOOL)
    where = of_notice(notice, presentation)
    ET.SubElement(case, "system-out").text = _line(notice, where)
    return case


def _case(name: str, path: str) -> ET.Element:
    return ET.Element("testcase", {"name": _text(visible(name)), "classname": _text(short_name(path)), "time": "0"})


def _told(findings: list[Finding], model: ModelReport, presentation: Presentation) -> str:
    lines = [_line(finding, in_editor(finding, model, presentation)) for finding in findings]
    advice = findings[0].rewrite
    return "\n".join([*lines, f"Instead: {_text(visible(advice.title))}"] if advice else lines)


def _line(finding: Finding, where: Location | None) -> str:
    place = f" ({visible(where.path)}:{where.line}:{where.column or 1})" if where else ""
    return _text(f"{finding.severity.value}: {sentence(finding)}{place}")


def _rule(finding: Finding) -> str:
    return finding.code


def _text(text: str) -> str:
    return NO_CHARACTER.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
