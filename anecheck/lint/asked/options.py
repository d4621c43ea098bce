"""What somebody asks of a run, before it is known what it means: by options, by a configuration, or by both in layers."""

from __future__ import annotations

from typing import NamedTuple

from anecheck.lint.asked.wanted import NOTHING_WANTED, Wanted
from anecheck.lint.finding import Severity


class Selection(NamedTuple):
    """Rules to run, by codes, prefixes or names: only those of `select`, those of `extend` as well, none of `ignore`."""

    select: tuple[str, ...] = ()
    extend: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is said."""
        return bool(self.select or self.extend or self.ignore)


class RuleOptions(NamedTuple):
    """What is set for the rules that a selector means: a severity, and limits (name, value) that hold for them alone."""

    selector: str
    severity: Severity | None = None
    limits: tuple[tuple[str, float], ...] = ()


class Options(NamedTuple):
    """What is asked for; empty or `None` where nothing is.

    `selections` and `rules` are in the order in which they were said: a later one has the last word.
    """

    targets: tuple[str, ...] = ()
    compute_units: str | None = None
    selections: tuple[Selection, ...] = ()
    limits: tuple[tuple[str, float], ...] = ()
    rules: tuple[RuleOptions, ...] = ()
    budgets: Wanted = NOTHING_WANTED
    fail_on: str | None = None

    def over(self, other: Options) -> Options:
        """These, and what `other` has where these have nothing; what can be added to is added to."""
        return Options(
            self.targets or other.targets,
            self.compute_units or other.compute_units,
            other.selections + self.selections,
            other.limits + self.limits,
            other.rules + self.rules,
            self.budgets.over(other.budgets),
            self.fail_on or other.fail_on,
        )


NOTHING_ASKED = Options()
