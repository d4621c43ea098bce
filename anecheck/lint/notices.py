"""What there is to say of a run itself: suppressions that are unused or have expired, baselines that are out of date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from anecheck.artifact.locate import find_models
from anecheck.lint.asked.discovery import absolute
from anecheck.lint.asked.globs import fits, is_literal
from anecheck.lint.diagnostics import EXPIRED_SUPPRESSION, UNUSED_SUPPRESSION, Diagnostic, diagnose
from anecheck.lint.finding import Finding, Source
from anecheck.lint.plan import Plan, PlannedWaiver
from anecheck.lint.reports import Report
from anecheck.lint.run_report import SuppressionReport
from anecheck.lint.waivers import Waiver


def with_notices(report: Report, plan: Plan, used: Counter[Waiver], today: date) -> Report:
    """A report with what is to be said of its suppressions and baselines.

    What a shard has not used another may have, so a shard says nothing of that: `anecheck merge` does.
    """
    paths = {absolute(task.path) for task in plan.tasks}
    disk = _Disk()
    suppressions = [
        _suppression(planned, used[planned.waiver], paths, disk)
        for planned in plan.waivers
        if planned.fits or not disk.models_of(planned)
    ]
    silenced = plan.settings.silenced
    notices = [finding for baseline in plan.baselines for finding in baseline.vanished()]
    notices += suppression_notices(suppressions, today, final=report.shard is None)
    told = [notice for notice in notices if notice.code not in silenced]
    return replace(report, suppressions=suppressions, notices=told, silenced=sorted(silenced))


def suppression_notices(suppressions: Sequence[SuppressionReport], today: date, *, final: bool) -> Iterator[Finding]:
    """What is wrong with suppressions; only in a `final` report it is known which are unused."""
    for item in suppressions:
        where = "" if item.operation == "*" else f" at '{item.operation}'"
        what = f"the suppression of {item.rule} in '{item.model}'{where}"
        if item.expires and item.expires < today.isoformat():
            yield _notice(EXPIRED_SUPPRESSION, f"{what} held until {item.expires}, which is past ({item.reason})", item)
        elif final and not item.used and item.complete:
            yield _notice(UNUSED_SUPPRESSION, f"{what} suppresses nothing ({item.reason})", item)


def _notice(diagnostic: Diagnostic, message: str, item: SuppressionReport) -> Finding:
    found = diagnose(diagnostic, message, rule=item.rule, model=item.model, operation=item.operation)
    return replace(found, source=Source(file=item.file, line=item.line))


def _suppression(planned: PlannedWaiver, used: int, paths: set[Path], disk: _Disk) -> SuppressionReport:
    waiver = planned.waiver
    return SuppressionReport(
        rule=waiver.rule,
        model=waiver.model,
        operation=waiver.operation,
        reason=waiver.reason,
        expires=waiver.expires.isoformat() if waiver.expires else None,
        file=str(waiver.file),
        line=waiver.line,
        used=used,
        complete=used > 0 or ((planned.is_judged or not planned.fits) and set(disk.models_of(planned)) <= paths),
    )


class _Disk:
    """Which models there are, each folder searched at most once."""

    def __init__(self) -> None:
        self._found: dict[Path, list[Path]] = {}

    def models_of(self, planned: PlannedWaiver) -> list[Path]:
        """Every model that a suppression fits. A glob that is a path needs no search."""
        if all(map(is_literal, planned.globs)):
            named = (absolute(planned.folder / glob) for glob in planned.globs)
            return [path for path in named if path.exists()]
        return [path for path in self._below(absolute(planned.folder)) if fits(path, planned.globs, planned.folder)]

    def _below(self, folder: Path) -> list[Path]:
        if folder not in self._found:
            self._found[folder] = [path for path in find_models([str(folder)]) if path != folder]
        return self._found[folder]
