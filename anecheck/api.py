"""Linting from Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from anecheck.artifact.locate import find_models
from anecheck.lint.options import Options, Selection
from anecheck.lint.plan import Asked, make_plan
from anecheck.lint.registry import load_registry
from anecheck.lint.reports import Report
from anecheck.lint.run import run
from anecheck.lint.wanted import NOTHING_WANTED, Wanted
from anecheck.mil.model import Model


def lint(  # noqa: PLR0913  # each is one thing to say of a run
    *models: str | Path | Model,
    target: str | Sequence[str] = (),
    compute_units: str | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    limits: Mapping[str, float] | None = None,
    budgets: Wanted = NOTHING_WANTED,
    isolated: bool = False,
    baseline: str | Path | None = None,
) -> Report:
    """Lint models, given as paths (as on the command line) or as read by `anecheck.load`.

    A model that cannot be read is reported with its `error` set; the others are still linted. What the configuration above
    a path asks of it counts where the arguments ask nothing; a `Model` that was read has none.

    Args:
        *models: Packages, files in them, folders to search, or `Model` objects.
        target: A chip, device or family, with an optional OS ("a17pro/ios18"), or several. "a17pro" where nothing says.
        compute_units: "all", "cpu-and-ne" (where nothing says), "cpu-and-gpu" or "cpu-only".
        select: Codes, prefixes or names of the only rules to run.
        ignore: Those of rules not to run.
        limits: Other limits than the known ones to judge by, by name (`{"conv-kernel-width": 11}`).
        budgets: What the app can afford: a frame, memory, a time to load (`Wanted(fps=60, beside=("Other.mlpackage",))`).
        isolated: Whether configurations do not count.
        baseline: A file that `anecheck baseline` wrote; findings in it are marked as suppressed.

    Raises:
        UnknownTargetError: nothing has the name of the target.
        UnknownRuleError: a selector names no rule.
        UnknownLimitError: there is no limit of a name.
        SettingError: a configuration or baseline, or a model that is to run beside others, cannot be used.
        ValueError: `compute_units` is none of those above.

    """
    registry = load_registry()
    selection = Selection(tuple(select), (), tuple(ignore))
    asked = Asked(
        Options(
            (target,) if isinstance(target, str) else tuple(target),
            compute_units,
            (selection,) if selection else (),
            tuple((limits or {}).items()),
            budgets=budgets,
        ),
        isolated=isolated,
        baseline=Path(baseline) if baseline else None,
    )
    return run(make_plan(list(_each(models)), asked, registry))


def _each(models: Sequence[str | Path | Model]) -> Iterator[Path | Model]:
    """What the arguments mean, in their order, each path once."""
    seen: set[Path] = set()
    for model in models:
        if isinstance(model, Model):
            yield model
            continue
        found = [path for path in find_models([str(model)]) if path not in seen]
        seen.update(found)
        yield from found
