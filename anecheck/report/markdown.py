"""The report for a comment on a pull request or the summary of a job: a verdict, a table of models, and findings by rule.

A comment holds so much and no more. What does not fit is left out, the least harmful first, and the end says how much it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from anecheck.lint.reports import ModelReport, Report
from anecheck.report.escape import short_name, short_text
from anecheck.report.location import shown
from anecheck.report.markdown_rules import RulePart, rule_parts
from anecheck.report.markdown_text import code, prose
from anecheck.report.presentation import Presentation
from anecheck.report.units import estimate
from anecheck.report.wording import fails, gone, left_out, origin, plural, told, totals

COMMENT: Final = 65_536
"""What GitHub takes as a comment, in characters; bytes are what is counted here, so that both limits are kept."""
ROWS_SHOWN: Final = 50
ROOM_FOR_NOTE: Final = 250
COLUMNS: Final = ("model", "operations", "engine", "kept off", "segments", "ms a call", "findings")


@dataclass(slots=True)
class _Sheet:
    """Collects parts as long as they fit."""

    room: int
    parts: list[str] = field(default_factory=list)

    def add(self, text: str) -> bool:
        """Add a part if there is room for it."""
        size = len(text.encode())
        if size > self.room:
            return False
        self.room -= size
        self.parts.append(text)
        return True


def render(report: Report, presentation: Presentation) -> str:
    """Write the report into the presentation's room, or that of a comment, with the verdict in it however small that is."""
    verdict = _verdict(report)
    room = COMMENT if presentation.room is None else presentation.room
    sheet = _Sheet(room - ROOM_FOR_NOTE - len(verdict.encode()))
    models = _table(sheet, report, presentation)
    for title, entries in _lists(report, presentation):
        _list(sheet, title, entries)
    missing = [part for part in rule_parts(report, presentation) if not _rule(sheet, part)]
    return verdict + "".join(sheet.parts) + _note(models, missing)


def _verdict(report: Report) -> str:
    unreadable = sum(model.error is not None for model in report.models)
    failing = unreadable or any(fails(finding, model) for model in report.models for finding in told(model))
    found = totals(finding for model in report.models for finding in told(model))
    models = plural(len(report.models), "model")
    parts = [f"{found} in {models}" if found else f"nothing found in {models}"]
    parts += [f"{plural(unreadable, 'model')} that cannot be read"] if unreadable else []
    hidden = left_out(finding for model in report.models for finding in model.findings)
    return f"**anecheck {'fails' if failing else 'passes'}**: {', '.join(parts)}{f'; {hidden}' if hidden else ''}.\n"


def _table(sheet: _Sheet, report: Report, presentation: Presentation) -> int:
    """Write a row for each model that was read, those with the worst findings first; how many rows are left out."""
    models = sorted((model for model in report.models if not model.error), key=_harm)
    if not models:
        return 0
    head = f"\n| {' | '.join(COLUMNS)} |\n| --- |{' ---: |' * (len(COLUMNS) - 2)} --- |\n"
    if not sheet.add(head):
        return len(models)
    for number, model in enumerate(models):
        if number == ROWS_SHOWN or not sheet.add(f"| {' | '.join(_row(model, presentation))} |\n"):
            return len(models) - number
    return 0


def _harm(model: ModelReport) -> tuple[int, int]:
    findings = told(model)
    worst = min((finding.severity.rank for finding in findings), default=9)
    return worst, -sum(finding.severity.rank == worst for finding in findings)


def _row(model: ModelReport, presentation: Presentation) -> list[str]:
    summaries = [function.summary for function in model.functions]
    counts: list[str] = []
    for name in ("operations", "ane", "off_engine", "segments"):
        known = [value for summary in summaries if (value := getattr(summary, name)) is not None]
        counts.append(f"{sum(known):,}" if known else "")
    times = [summary.latency.ms for summary in summaries if summary.latency]
    found = totals(told(model)) or "none"
    hidden = left_out(model.findings)
    return [
        code(short_name(shown(model.path, presentation))),
        *counts,
        estimate(max(times)) if times else "",
        f"{found}; {hidden}" if hidden else found,
    ]


def _lists(report: Report, presentation: Presentation) -> Iterator[tuple[str, list[str]]]:
    """What is told of whole models and of the run."""
    names = {id(model): code(short_name(shown(model.path, presentation))) for model in report.models}
    yield (
        "Cannot be read",
        [
            f"{names[id(model)]}: {prose(f'{model.error.code} {short_text(model.error.message)}')}"
            for model in report.models
            if model.error
        ],
    )
    yield "Gone", [f"{names[id(model)]}: {prose(line)}" for model in report.models for line in gone(model)]
    notices = []
    for notice in report.notices:
        where = f" ({code(origin(notice.source))})" if notice.source else ""
        what = f"{notice.severity.value} {prose(f'{notice.code} {notice.name}')}"
        notices.append(f"{what}: {prose(short_text(notice.message))}{where}")
    yield "Notices", notices


def _list(sheet: _Sheet, title: str, entries: list[str]) -> None:
    if not entries or not sheet.add(f"\n**{title}**\n\n"):
        return
    for number, entry in enumerate(entries):
        if number == ROWS_SHOWN or not sheet.add(f"- {entry}\n"):
            sheet.add(f"- and {len(entries) - number} more\n")
            return


def _rule(sheet: _Sheet, part: RulePart) -> bool:
    """Write what there is of a rule, and where there is no room for its example, all but that."""
    return sheet.add(part.text) or (part.brief != part.text and sheet.add(part.brief))


def _note(models: int, missing: list[RulePart]) -> str:
    parts = [f"{plural(sum(part.findings for part in missing), 'finding')} of {plural(len(missing), 'rule')}"] * bool(
        missing
    )
    parts += [f"{plural(models, 'model')} of the table"] * bool(models)
    return f"\n*Left out for want of room: {' and '.join(parts)}.*\n" if parts else ""
