"""Annotations of a GitHub workflow run, as workflow commands that the runner reads from a job's output.

It shows ten errors, ten warnings and ten notices of a step, so the worst come first and findings that say the same share one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from anecheck.lint.finding import Finding, Severity
from anecheck.lint.reports import ModelReport, Report
from anecheck.report.escape import short_text, visible
from anecheck.report.location import Location, in_repository, of_notice
from anecheck.report.presentation import Presentation
from anecheck.report.wording import by_message, by_rule, listed, operations, told, weight

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
"""What the runner undoes, in a message and in a property."""


def render(report: Report, presentation: Presentation) -> str:
    """Write a command for each model that cannot be read, for each notice, and for findings that say the same."""
    return "".join(f"{line}\n" for line in (*_unreadable(report, presentation), *_found(report, presentation)))


def _unreadable(report: Report, presentation: Presentation) -> Iterator[str]:
    for model in report.models:
        if model.error:
            where = in_repository(None, model, presentation)
            yield _command(Severity.ERROR, where, model.error.code, short_text(model.error.message))


def _found(report: Report, presentation: Presentation) -> Iterator[str]:
    groups = [(model, group) for model in report.models for group in _groups(model)]
    groups.sort(key=lambda pair: (pair[1][0].severity.rank, -weight(pair[1])))
    by_severity = {rank: list(found) for rank, found in groupby(groups, lambda pair: pair[1][0].severity.rank)}
    for severity in Severity:
        for notice in report.notices:
            if notice.severity is severity:
                yield _command(severity, of_notice(notice, presentation), _title(notice), short_text(notice.message))
        for model, group in by_severity.get(severity.rank, ()):
            where = in_repository(group[0], model, presentation)
            yield _command(severity, where, _title(group[0]), _message(group, presentation))


def _groups(model: ModelReport) -> Iterator[list[Finding]]:
    """Findings of one rule that say the same."""
    for rule in by_rule(told(model)):
        for _, group in by_message(rule):
            yield group


def _title(finding: Finding) -> str:
    return visible(f"{finding.code} {finding.name}")


def _message(group: list[Finding], presentation: Presentation) -> str:
    names, rest = operations(group, every_name=presentation.verbose)
    text = short_text(group[0].message) + (f": {listed(names, rest)}" if names else "")
    rewrite = group[0].rewrite
    return f"{text}\nInstead: {visible(rewrite.title)}" if rewrite else text


def _command(severity: Severity, where: Location | None, title: str, message: str) -> str:
    properties = {"file": visible(where.path), "line": where.line, "col": where.column} if where else {}
    given = {name: value for name, value in {**properties, "title": title}.items() if value is not None}
    written = ",".join(f"{name}={str(value).translate(PROPERTY)}" for name, value in given.items())
    return f"::{COMMANDS[severity]} {written}::{message.translate(DATA)}"
