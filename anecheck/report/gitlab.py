"""GitLab Code Quality: an array of what a merge request shows beside the changed lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from anecheck.lint.finding import Finding, Severity
from anecheck.lint.fingerprint import digest
from anecheck.lint.reports import Report
from anecheck.report.escape import short_text, visible
from anecheck.report.location import Location, in_repository, of_notice, shown
from anecheck.report.presentation import Presentation
from anecheck.report.wording import sentence, told

SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "info"}
UNREADABLE = "blocker"
NOWHERE = Location(".")
"""Where something is that no file is the place of; GitLab wants one."""


def render(report: Report, presentation: Presentation) -> str:
    """Write an issue for each finding that counts, for each model that cannot be read, and for each notice."""
    return json.dumps(list(_issues(report, presentation)), indent=2) + "\n"


def _issues(report: Report, presentation: Presentation) -> Iterator[dict[str, Any]]:
    seen: Counter[str] = Counter()
    for model in report.models:
        path = shown(model.path, presentation)
        if model.error:
            code, where = model.error.code, in_repository(None, model, presentation)
            mark = _unique(f"{path}\n{code}", seen)
            yield _issue(short_text(model.error.message), code, UNREADABLE, mark, where)
        for finding in told(model):
            mark = _unique(f"{path}\n{finding.fingerprint or sentence(finding)}", seen)
            where = in_repository(finding, model, presentation)
            yield _issue(_description(finding), finding.code, SEVERITIES[finding.severity], mark, where)
    for notice in report.notices:
        mark = _unique(f"\n{notice.fingerprint or sentence(notice)}", seen)
        where = of_notice(notice, presentation) or NOWHERE
        yield _issue(_description(notice), notice.code, SEVERITIES[notice.severity], mark, where)


def _description(finding: Finding) -> str:
    return f"{visible(finding.name)}: {sentence(finding)}"


def _issue(description: str, code: str, severity: str, fingerprint: str, where: Location) -> dict[str, Any]:
    return {
        "description": description,
        "check_name": visible(code),
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": visible(where.path), "lines": {"begin": where.line}},
    }


def _unique(identity: str, seen: Counter[str]) -> str:
    """What identifies an issue. Identical layers of a model have one fingerprint: they are numbered, each model's apart."""
    mark = digest(identity)
    seen[mark] += 1
    return mark if seen[mark] == 1 else f"{mark}-{seen[mark]}"
