"""Linting from Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from anecheck.artifact.locate import find_models
from anecheck.lint.asked.options import Options, Selection
from anecheck.lint.asked.settings import Detail
from anecheck.lint.asked.wanted import NOTHING_WANTED, Wanted
from anecheck.lint.plan import Asked, make_plan
from anecheck.lint.registry import load_registry
from anecheck.lint.reports import Report
from anecheck.lint.run import run
from anecheck.mil.model import Model

if TYPE_CHECKING:
    from anecheck.lint.comparison.reports import Comparison


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
    asked = _asked(target, compute_units, select, ignore, limits, budgets)
    asked = asked._replace(isolated=isolated, baseline=Path(baseline) if baseline else None)
    return run(make_plan(list(_each(models)), asked, load_registry()))


def compare(  # noqa: PLR0913  # each is one thing to say of a comparison
    old: str | Path | Model,
    new: str | Path | Model,
    *,
    target: str | Sequence[str] = (),
    compute_units: str | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    limits: Mapping[str, float] | None = None,
    fail_on: str | None = None,
    tolerance: float = 0.01,
) -> Comparison:
    """Compare two exports of a model, or two folders that hold models under the same paths: did the new one get worse?

    Both are judged by what the configuration above the new one asks, where the arguments ask nothing. A model that cannot be
    read has its error set in the comparison, and is neither worse nor better.

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
    from anecheck.lint.comparison import compare as comparison  # noqa: PLC0415  # `lint` does not need it

    criteria = comparison.Criteria(fail_on, tolerance)
    asked = _asked(target, compute_units, select, ignore, limits, NOTHING_WANTED)
    asked = asked._replace(detail=Detail(operations=True), baselines=False)
    registry = load_registry()
    if isinstance(old, Model) and isinstance(new, Model):
        return comparison.compare_planned(make_plan([new], asked, registry), [old], criteria)
    if isinstance(old, Model) or isinstance(new, Model):
        raise TypeError("give two paths or two models")
    pairs = comparison.find_pairs(old, new)
    plan = make_plan([after for _, after in pairs.both], asked, registry)
    return comparison.compare_planned(plan, [before for before, _ in pairs.both], criteria, pairs)


def _asked(  # noqa: PLR0913
    target: str | Sequence[str],
    compute_units: str | None,
    select: Sequence[str],
    ignore: Sequence[str],
    limits: Mapping[str, float] | None,
    budgets: Wanted,
) -> Asked:
    selection = Selection(tuple(select), (), tuple(ignore))
    return Asked(
        Options(
            (target,) if isinstance(target, str) else tuple(target),
            compute_units,
            (selection,) if selection else (),
            tuple((limits or {}).items()),
            budgets=budgets,
        )
    )


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
