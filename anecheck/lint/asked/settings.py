"""What a model is judged for and by which rules, once everything that was asked for is understood."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import DEFAULT_TARGET, ComputeUnits, Target, parse_target
from anecheck.lint.asked.options import Options
from anecheck.lint.asked.wanted import NOTHING_WANTED, Wanted
from anecheck.lint.diagnostics import DIAGNOSTICS
from anecheck.lint.finding import Severity
from anecheck.lint.registry import PackError, Registry
from anecheck.lint.rule import Rule

FAIL_ON = (*(severity.value for severity in Severity), "never")
IGNORE_KEY = "com.anecheck.ignore"
"""The key of a model's user-defined metadata under which it says what to ignore."""
DEFAULT_FAIL_ON = Severity.WARNING.value
DEFAULT_COMPUTE_UNITS = ComputeUnits.CPU_AND_NE.value


class Settings(NamedTuple):
    """What to judge, and for what. The first of `targets` is the one that per-operation results speak of."""

    rules: tuple[Rule, ...]
    """All that are installed: a prediction needs them, reported or not."""
    targets: tuple[Target, ...]
    compute_units: ComputeUnits
    knowledge: Knowledge
    pack_errors: tuple[PackError, ...] = ()
    selected: frozenset[str] | None = None
    """The codes of the rules to report; all where it is None."""
    silenced: frozenset[str] = frozenset()
    """Codes of the tool's own diagnostics that the user does not want to see."""
    operations: bool = False
    """Whether the report lists every operation."""
    wanted: Wanted = NOTHING_WANTED
    """What the app can afford."""
    footprint: bool = False
    """Whether the report says how much memory and time every function takes."""
    severities: Mapping[str, Severity] = {}  # nobody changes it
    """Other severities than the rules' own, by code."""
    own_knowledge: Mapping[str, Knowledge] = {}
    """What single rules judge by where limits were set for them alone, by code."""
    fail_on: str = DEFAULT_FAIL_ON
    model_ignores: bool = True
    """Whether what the model itself asks to ignore is ignored."""
    listing: Path | None = None
    """The folder for the programs as text; `None` where nobody wants them."""

    def speaks(self, code: str) -> bool:
        """Whether a rule, or what the tool says of itself, is reported."""
        known = self.selected is None or code in self.selected
        return code not in self.silenced if code in DIAGNOSTICS else known


class Detail(NamedTuple):
    """How much a report is to hold, whether models may excuse themselves, and where their programs are written as text."""

    operations: bool = False
    footprint: bool = False
    model_ignores: bool = True
    listing: Path | None = None


NO_DETAIL = Detail()


def resolve(options: Options, registry: Registry, detail: Detail = NO_DETAIL) -> Settings:
    """Understand what was asked for.

    Raises:
        UnknownRuleError: a selector means no rule.
        UnknownTargetError: nothing has the name of a target.
        UnknownLimitError: there is no limit of a name.
        ValueError: the compute units are none.

    """
    limits = dict(options.limits)
    knowledge = Knowledge(limits)
    targets = (parse_target(name, knowledge) for name in options.targets or (DEFAULT_TARGET,))
    chosen = registry.choose(options.selections)
    severities: dict[str, Severity] = {}
    own: dict[str, dict[str, float]] = {}
    for rule in options.rules:
        for entry in registry.find(rule.selector):
            if rule.severity is not None:
                severities[entry.code] = rule.severity
            if rule.limits:
                own.setdefault(entry.code, {}).update(rule.limits)
    return Settings(
        registry.rules,
        tuple(dict.fromkeys(targets)),
        ComputeUnits(options.compute_units or DEFAULT_COMPUTE_UNITS),
        knowledge,
        registry.errors,
        chosen.rules,
        chosen.silenced,
        detail.operations,
        options.budgets,
        detail.footprint,
        severities,
        {code: Knowledge({**limits, **given}) for code, given in own.items()},
        options.fail_on or DEFAULT_FAIL_ON,
        detail.model_ignores,
        detail.listing,
    )
