"""Two exports of a model side by side: did the new one get worse?"""

from __future__ import annotations

import gc
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from anecheck.artifact.load import load
from anecheck.artifact.locate import ListFileError, find_models
from anecheck.lint.comparison_report import Comparison, ModelComparison
from anecheck.lint.engine import functions_of
from anecheck.lint.finding import Severity
from anecheck.lint.finding_changes import Counterparts, changes
from anecheck.lint.function_changes import JudgedFunction, function_comparison, paired
from anecheck.lint.reports import ModelReport
from anecheck.lint.run import Settings, lint_model, lint_paths, make_report, shown
from anecheck.lint.verdict import finding_reasons, function_reasons
from anecheck.mil.model import Model

TOLERANCE = 0.01
"""By which share time and memory may differ unless somebody says otherwise: a choice, not a measurement. Exports of the same
network differ by some bytes, and no estimate of time is good for a hundredth.
"""


class ComparisonError(ValueError):
    """Two paths cannot be compared; says what, and what to do."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """When an export counts as worse: by findings of at least `fail_on`, by time and memory beyond `tolerance`, a share.

    Raises:
        ValueError: one of them is none.

    """

    fail_on: str = "warning"
    tolerance: float = TOLERANCE

    def __post_init__(self) -> None:
        if self.fail_on != "never":
            Severity(self.fail_on)
        if not 0 <= self.tolerance < math.inf:
            raise ValueError(f"'{self.tolerance}' is no share by which something may grow; write for example 0.01")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Models to compare, and those that have no counterpart, by their path in their folder."""

    both: tuple[tuple[Path, Path], ...]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def find_pairs(old: str | Path, new: str | Path) -> Pairs:
    """Which models two paths mean: one each, or those of the same path in two folders.

    Raises:
        ComparisonError: one path means several models and the other does not, or no two have the same path.

    """
    before, after = _models(old), _models(new)
    if len(before) == len(after) == 1:
        return Pairs(((before[0], after[0]),))
    if not (Path(old).is_dir() and Path(new).is_dir()):
        raise ComparisonError(
            f"'{old}' means {len(before)} models and '{new}' {len(after)}: name one of each, or two folders that hold "
            "models under the same paths"
        )
    names = {os.path.relpath(path, old): path for path in before}, {os.path.relpath(path, new): path for path in after}
    shared = [name for name in names[0] if name in names[1]]
    if not shared:
        raise ComparisonError(
            f"no model in '{new}' has the path in it that one has in '{old}'; name the two models themselves"
        )
    return Pairs(
        tuple((names[0][name], names[1][name]) for name in shared),
        tuple(shown(name) for name in names[1] if name not in names[0]),
        tuple(shown(name) for name in names[0] if name not in names[1]),
    )


def _models(path: str | Path) -> list[Path]:
    try:
        return find_models([str(path)])
    except ListFileError as error:
        raise ComparisonError(str(error)) from error


def compare_paths(pairs: Pairs, settings: Settings, criteria: Criteria) -> Comparison:
    """Judge both models of each pair for the same settings, each under its own configuration, and compare them.

    Raises:
        SettingError: a configuration, or a model that is to run beside others, cannot be used.

    """
    settings = replace(settings, operations=True)
    compared = []
    for number, pair in enumerate(pairs.both):
        if number:
            gc.collect()  # what the last pair left goes round in circles
        models: dict[Path, Model] = {}

        def read(path: Path, models: dict[Path, Model] = models) -> Model:
            models[path] = load(path)
            return models[path]

        reports = lint_paths(pair, settings, read=read).models
        old, new = [_functions(models.get(path), report) for path, report in zip(pair, reports, strict=True)]
        compared.append(_compared(reports[0], reports[1], old, new, criteria))
    return _comparison(compared, settings, criteria, pairs)


def compare_models(old: Model, new: Model, settings: Settings, criteria: Criteria) -> Comparison:
    """Compare two models that were read; no configuration holds for them."""
    settings = replace(settings, operations=True)
    before, after = [lint_model(model, settings, settings.wanted) for model in (old, new)]
    compared = _compared(before, after, _functions(old, before), _functions(new, after), criteria)
    return _comparison([compared], settings, criteria, Pairs(()))


def _functions(model: Model | None, report: ModelReport) -> list[JudgedFunction]:
    if model is None:
        return []
    return [JudgedFunction(*pair) for pair in zip(functions_of(model), report.functions, strict=True)]


def _compared(
    old: ModelReport,
    new: ModelReport,
    old_functions: Iterable[JudgedFunction],
    new_functions: Iterable[JudgedFunction],
    criteria: Criteria,
) -> ModelComparison:
    if old.error or new.error:
        return ModelComparison(old_path=old.path, new_path=new.path, old_error=old.error, new_error=new.error)
    pairs, removed, added = paired(old_functions, new_functions)
    functions = [function_comparison(pair) for pair in pairs]
    gained, lost = changes(old.findings, new.findings, Counterparts.of(pairs))
    worse, better = finding_reasons(gained, criteria.fail_on), finding_reasons(lost, criteria.fail_on)
    for function in functions:
        bad, good = function_reasons(function, criteria.tolerance)
        worse, better = worse + bad, better + good
    return ModelComparison(
        old_path=old.path,
        new_path=new.path,
        worse=worse,
        better=better,
        gained=gained,
        lost=lost,
        functions=functions,
        added_functions=[function.report.name for function in added],
        removed_functions=[function.report.name for function in removed],
    )


def _comparison(models: list[ModelComparison], settings: Settings, criteria: Criteria, pairs: Pairs) -> Comparison:
    run = make_report([], settings)
    return Comparison(
        tool=run.tool,
        target=run.target,
        targets=run.targets,
        fail_on=criteria.fail_on,
        tolerance=criteria.tolerance,
        is_worse=any(model.worse for model in models),
        models=models,
        added_models=list(pairs.added),
        removed_models=list(pairs.removed),
    )
