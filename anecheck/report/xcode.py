"""Compiler diagnostics in the style of clang: Xcode shows them where a Run Script build phase prints them, and so do editors."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.lint.finding import Severity
from anecheck.lint.reports import Report
from anecheck.report.concise import editor_path
from anecheck.report.escape import inert, short_text
from anecheck.report.location import Location, absolute, in_editor, of_notice
from anecheck.report.presentation import Presentation
from anecheck.report.wording import sentence, told

KINDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(report: Report, presentation: Presentation) -> str:
    """Write `/path:line:column: warning: message [operation] [CODE]` for each finding that counts.

    Xcode takes absolute paths only, so `base` has to be set where the report's are relative.
    """
    return "".join(f"{inert(line)}\n" for line in _lines(report, presentation))


def _lines(report: Report, presentation: Presentation) -> Iterator[str]:
    for model in report.models:
        if model.error:
            place = _place(in_editor(None, model, presentation), presentation)
            yield f"{place}error: {short_text(model.error.message)} [{model.error.code}]"
        for finding in told(model):
            place = _place(in_editor(finding, model, presentation), presentation)
            yield f"{place}{KINDS[finding.severity]}: {sentence(finding)} [{finding.code}]"
    for notice in report.notices:
        where = of_notice(notice, presentation)
        place = _place(where, presentation) if where else ""
        yield f"{place}{KINDS[notice.severity]}: {sentence(notice)} [{notice.code}]"


def _place(location: Location, presentation: Presentation) -> str:
    path = editor_path(absolute(location.path, presentation))
    return f"{path}:{location.line}:{location.column or 1}: "
