"""Reports of shards, put together as if there had been no shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar

from anecheck.lint.diagnostics import EXPIRED_SUPPRESSION, UNUSED_SUPPRESSION
from anecheck.lint.notices import suppression_notices
from anecheck.lint.reports import ModelReport, Report
from anecheck.lint.run_report import Shard, SuppressionReport

T = TypeVar("T")

OF_SUPPRESSIONS = {EXPIRED_SUPPRESSION.code, UNUSED_SUPPRESSION.code}
"""What is said anew of all shards together."""


class MergeError(ValueError):
    """Reports that do not belong together; says what is wrong and what to do."""


def merge(reports: Sequence[Report], today: date) -> Report:
    """Put reports together: all shards of one run, in any order, or whole reports of different models one after another.

    Raises:
        MergeError: a shard is missing or there twice, a model is there twice, or versions differ.

    """
    if not reports:
        raise MergeError("there are no reports to merge")
    versions = sorted({report.tool.version for report in reports})
    if len(versions) > 1:
        raise MergeError(f"the reports are of different versions of anecheck ({', '.join(versions)}); lint with one")
    shards = [report.shard for report in reports if report.shard]
    if shards and len(shards) < len(reports):
        raise MergeError("some reports are shards of a run and others are whole; merge them apart")
    models = _interleaved(reports, shards) if shards else [model for report in reports for model in report.models]
    _see_that_none_is_twice(models)
    targets = _once([target for model in models for target in model.targets] or list(reports[0].targets))
    suppressions = _together(reports)
    notices = _once([notice for report in reports for notice in report.notices if notice.code not in OF_SUPPRESSIONS])
    said = suppression_notices(suppressions, today, final=True)
    return replace(
        reports[0],
        target=targets[0],
        targets=targets,
        models=models,
        notices=notices + [notice for notice in said if notice.code not in reports[0].silenced],
        suppressions=suppressions,
        shard=None,
    )


def _interleaved(reports: Sequence[Report], shards: Sequence[Shard]) -> list[ModelReport]:
    """The models of all shards in the order of the run: each shard has every n-th of them."""
    count = shards[0].count
    found = sorted(shard.index for shard in shards)
    if any(shard.count != count for shard in shards):
        raise MergeError("the reports are shards of different runs; they are not of the same number")
    if found != list(range(1, count + 1)):
        missing = sorted(set(range(1, count + 1)) - set(found))
        names = ", ".join(f"{index}/{count}" for index in missing)
        raise MergeError(f"shard {names} is missing" if missing else "a shard is there twice")
    lists = [report.models for _, report in sorted(zip((s.index for s in shards), reports, strict=True), key=_first)]
    longest = max(map(len, lists))
    if any(len(models) not in {longest, longest - 1} for models in lists):
        raise MergeError("the shards are of different runs: the models were not dealt out among them evenly")
    return [models[place] for place in range(longest) for models in lists if place < len(models)]


def _first(pair: tuple[int, Report]) -> int:
    return pair[0]


def _see_that_none_is_twice(models: Sequence[ModelReport]) -> None:
    paths: set[str] = set()
    for model in models:
        if model.path in paths:
            raise MergeError(f"'{model.path}' is in two of the reports")
        paths.add(model.path)


def _together(reports: Sequence[Report]) -> list[SuppressionReport]:
    """Suppressions with what they have excused in all reports."""
    known: dict[tuple[str, int, str], SuppressionReport] = {}
    for report in reports:
        for item in report.suppressions:
            key = (item.file, item.line, item.rule)
            if key in known:
                used = known[key].used + item.used
                complete = used > 0 or (known[key].complete and item.complete)
                known[key] = replace(known[key], used=used, complete=complete)
            else:
                known[key] = item
    return list(known.values())


def _once(items: list[T]) -> list[T]:
    """Each item, where it stands first. They are few, and cannot be hashed."""
    return [item for place, item in enumerate(items) if item not in items[:place]]
