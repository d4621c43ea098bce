"""A line for each finding, as compilers write them: its place, how much it matters, the rule, and what it says."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.lint.reports import Report
from anecheck.report.escape import inert, visible
from anecheck.report.location import Location, in_editor, of_notice
from anecheck.report.presentation import Presentation
from anecheck.report.wording import sentence, told

TOOL = "anecheck"


def render(report: Report, presentation: Presentation) -> str:
    """Write `path:line:column: severity CODE name: message [operation]` for each finding that counts."""
    return "".join(f"{inert(line)}\n" for line in _lines(report, presentation))


def _lines(report: Report, presentation: Presentation) -> Iterator[str]:
    for model in report.models:
        if model.error:
            place = _place(in_editor(None, model, presentation))
            yield f"{place}: error {model.error.code}: {visible(model.error.message)}"
        for finding in told(model):
            place = _place(in_editor(finding, model, presentation))
            yield f"{place}: {finding.severity.value} {finding.code} {finding.name}: {sentence(finding)}"
    for notice in report.notices:
        where = of_notice(notice, presentation)
        place = _place(where) if where else TOOL
        yield f"{place}: {notice.severity.value} {notice.code} {notice.name}: {sentence(notice)}"


def _place(location: Location) -> str:
    return f"{editor_path(location.path)}:{location.line}:{location.column or 1}"


def editor_path(path: str) -> str:
    """A path without control characters, and without colons, at which editors end it."""
    return visible(path).replace(":", "\\x3a")
