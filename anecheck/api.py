"""Linting from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from anecheck.artifact.locate import find_models
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import DEFAULT_TARGET, ComputeUnits, parse_target
from anecheck.lint.company import Company
from anecheck.lint.registry import load_registry
from anecheck.lint.reports import Report
from anecheck.lint.run import Settings, lint_model, lint_paths, make_report
from anecheck.lint.wanted import NOTHING_WANTED, Wanted
from anecheck.mil.model import Model

if TYPE_CHECKING:  # what only `compare` needs
    from anecheck.lint.comparison_report import Comparison


def lint(  # noqa: PLR0913  # each is one thing to say of a run
    *models: str | Path | Model,
    target: str | Sequence[str] = DEFAULT_TARGET,
    compute_units: str = "cpu-and-ne",
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    limits: Mapping[str, float] | None = None,
    budgets: Wanted = NOTHING_WANTED,
) -> Report:
    """Lint models, given as paths (as on the command line) or as read by `anecheck.load`.

    A model that cannot be read is reported with its `error` set; the others are still linted. What the configuration above
    a path asks of it counts where `budgets` asks nothing; a `Model` that was read has none.

    Args:
        *models: Packages, files in them, folders to search, or `Model` objects.
        target: A chip, device or family, with an optional OS ("a17pro/ios18"), or several.
        compute_units: "all", "cpu-and-ne", "cpu-and-gpu" or "cpu-only".
        select: Codes, prefixes or names of the only rules to run.
        ignore: Those of rules not to run.
        limits: Other limits than the known ones to judge by, by name (`{"conv-kernel-width": 11}`).
        budgets: What the app can afford: a frame, memory, a time to load (`Wanted(fps=60, beside=("Other.mlpackage",))`).

    Raises:
        UnknownTargetError: nothing has the name of the target.
        UnknownRuleError: a selector names no rule.
        UnknownLimitError: there is no limit of a name.
        SettingError: a configuration, or a model that is to run beside others, cannot be used.
        ValueError: `compute_units` is none of those above.

    """
    settings = _settings(target, compute_units, select, ignore, limits, budgets)
    company = Company(settings.rules, settings.compute_units, settings.knowledge)
    company.check(budgets.beside or ())
    reports = []
    for model in models:
        if isinstance(model, Model):
            reports.append(lint_model(model, settings, budgets, company))
        else:
            reports += lint_paths(find_models([str(model)]), settings).models
    return make_report(reports, settings)


def compare(  # noqa: PLR0913  # each is one thing to say of a comparison
    old: str | Path | Model,
    new: str | Path | Model,
    *,
    target: str | Sequence[str] = DEFAULT_TARGET,
    compute_units: str = "cpu-and-ne",
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    limits: Mapping[str, float] | None = None,
    fail_on: str = "warning",
    tolerance: float = 0.01,
) -> Comparison:
    """Compare two exports of a model, or two folders that hold models under the same paths: did the new one get worse?

    A model that cannot be read has its error set in the comparison, and is neither worse nor better.

    Args:
        old: A path, or a `Model` as read by `anecheck.load`.
        new: The same for the new export; both are paths, or both are models.
        target: As of `lint`; numbers and devices speak of the first.
        compute_units: As of `lint`.
        select: As of `lint`.
        ignore: As of `lint`.
        limits: As of `lint`.
        fail_on: The least severity of a gained finding that is worse ("error", "warning", "info"), or "never".
        tolerance: By which share time, live memory and weights in memory may grow without being worse.

    Raises:
        ComparisonError: the two paths do not mean models that could be compared.
        TypeError: one is a path and the other a `Model`.
        ValueError: `fail_on` or `tolerance` is none, and what `lint` raises.

    """
    from anecheck.lint import comparison  # noqa: PLC0415  # `lint` does not need it

    criteria = comparison.Criteria(fail_on, tolerance)
    settings = _settings(target, compute_units, select, ignore, limits, NOTHING_WANTED)
    if isinstance(old, Model) and isinstance(new, Model):
        return comparison.compare_models(old, new, settings, criteria)
    if isinstance(old, Model) or isinstance(new, Model):
        raise TypeError("give two paths or two models")
    return comparison.compare_paths(comparison.find_pairs(old, new), settings, criteria)


def _settings(  # noqa: PLR0913
    target: str | Sequence[str],
    compute_units: str,
    select: Sequence[str],
    ignore: Sequence[str],
    limits: Mapping[str, float] | None,
    budgets: Wanted,
) -> Settings:
    knowledge, registry = Knowledge(limits), load_registry()
    names = [target] if isinstance(target, str) else list(target)
    return Settings(
        registry.rules,
        tuple(dict.fromkeys(parse_target(name, knowledge) for name in names)),
        ComputeUnits(compute_units),
        knowledge,
        registry.errors,
        registry.selected(select, ignore),
        registry.silenced(ignore),
        wanted=budgets,
    )
