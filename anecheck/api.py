"""Linting from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from anecheck.artifact.locate import find_models
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import DEFAULT_TARGET, ComputeUnits, parse_target
from anecheck.lint.company import Company
from anecheck.lint.registry import load_registry
from anecheck.lint.reports import Report
from anecheck.lint.run import Settings, lint_model, lint_paths, make_report
from anecheck.lint.wanted import NOTHING_WANTED, Wanted
from anecheck.mil.model import Model


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
    knowledge, registry = Knowledge(limits), load_registry()
    names = [target] if isinstance(target, str) else list(target)
    settings = Settings(
        registry.rules,
        tuple(dict.fromkeys(parse_target(name, knowledge) for name in names)),
        ComputeUnits(compute_units),
        knowledge,
        registry.errors,
        registry.selected(select, ignore),
        registry.silenced(ignore),
        wanted=budgets,
    )
    company = Company(settings.rules, settings.compute_units, knowledge)
    company.check(budgets.beside or ())
    reports = []
    for model in models:
        if isinstance(model, Model):
            reports.append(lint_model(model, settings, budgets, company))
        else:
            reports += lint_paths(find_models([str(model)]), settings).models
    return make_report(reports, settings)
