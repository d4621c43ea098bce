"""Two exports of a model side by side: did the new one get worse?"""

from __future__ import annotations

import gc
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from anecheck.artifact.errors import ArtifactError
from anecheck.artifact.load import load
from anecheck.artifact.locate import ListFileError, find_models, shown
from anecheck.lint.asked.settings import DEFAULT_FAIL_ON
from anecheck.lint.company import Company
from anecheck.lint.comparison.findings import Counterparts, changes
from anecheck.lint.comparison.functions import JudgedFunction, function_comparison, paired
from anecheck.lint.comparison.reports import Comparison, ModelComparison
from anecheck.lint.comparison.verdict import finding_reasons, function_reasons
from anecheck.lint.engine import functions_of
from anecheck.lint.finding import Severity
from anecheck.lint.plan import Plan, Task
from anecheck.lint.reports import ModelReport
from anecheck.lint.run import Companies, lint_task, make_report
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

    fail_on: str | None = None
    """`None`: as the settings of each new model say."""
    tolerance: float = TOLERANCE

    def __post_init__(self) -> None:
        if self.fail_on not in {None, "never"}:
            Severity(self.fail_on)
        if not 0 <= self.tolerance < math.inf:
            raise ValueError(f"'{self.tolerance}' is no share by which something may grow; write for example 0.01")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Models to compare, and those that have no counterpart, by their path in their folder."""

    both: tuple[tuple[Path, Path], ...]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


NO_PAIRS = Pairs(())


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


def compare_planned(
    plan: Plan, others: Sequence[Path | Model], criteria: Criteria, pairs: Pairs = NO_PAIRS
) -> Comparison:
    """Compare each new model of a plan with the old one of the same place in `others`, judged by the new one's settings.

    Raises:
        SettingError: a model that is to run beside others cannot be used.

    """
    companies = Companies(plan.tasks)
    compared = []
    for number, (task, other) in enumerate(zip(plan.tasks, others, strict=True)):
        if number:
            gc.collect()  # what the last pair left goes round in circles
        company = companies.of(task.settings)
        before, after = _judged(_of(other, task), company), _judged(task, company)
        own = replace(criteria, fail_on=criteria.fail_on or task.settings.fail_on)
        compared.append(_compared(before, after, own))
    return _comparison(compared, plan, criteria, pairs)


def _of(other: Path | Model, task: Task) -> Task:
    """A task for another model, by the same settings."""
    if isinstance(other, Model):
        return task._replace(path=Path(other.path), model=other)
    return task._replace(path=other, model=None)


def _judged(task: Task, company: Company) -> tuple[ModelReport, list[JudgedFunction]]:
    try:
        model = task.model or load(task.path)
    except ArtifactError:
        return lint_task(task, company).report, []
    report = lint_task(task._replace(model=model), company).report
    return report, _functions(model, report)


def _functions(model: Model, report: ModelReport) -> list[JudgedFunction]:
    return [JudgedFunction(*pair) for pair in zip(functions_of(model), report.functions, strict=True)]


def _compared(
    before: tuple[ModelReport, list[JudgedFunction]],
    after: tuple[ModelReport, list[JudgedFunction]],
    criteria: Criteria,
) -> ModelComparison:
    (old, old_functions), (new, new_functions) = before, after
    if old.error or new.error:
        return ModelComparison(old_path=old.path, new_path=new.path, old_error=old.error, new_error=new.error)
    pairs, removed, added = paired(old_functions, new_functions)
    functions = [function_comparison(pair) for pair in pairs]
    gained, lost = changes(old.findings, new.findings, Counterparts.of(pairs))
    fail_on = criteria.fail_on or DEFAULT_FAIL_ON
    worse, better = finding_reasons(gained, fail_on), finding_reasons(lost, fail_on)
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


def _comparison(models: list[ModelComparison], plan: Plan, criteria: Criteria, pairs: Pairs) -> Comparison:
    settings = plan.tasks[0].settings if plan.tasks else plan.settings
    run = make_report([], settings)
    return Comparison(
        tool=run.tool,
        target=run.target,
        targets=run.targets,
        fail_on=criteria.fail_on or settings.fail_on,
        tolerance=criteria.tolerance,
        is_worse=any(model.worse for model in models),
        models=models,
        added_models=list(pairs.added),
        removed_models=list(pairs.removed),
    )
