"""Finding rules: packs register under the entry-point group `anecheck.rules`, the built-in one among them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import NamedTuple

from anecheck.lint.asked.options import Selection
from anecheck.lint.diagnostics import DIAGNOSTICS, Diagnostic
from anecheck.lint.rule import ModelRule, OperationRule, Rule

GROUP = "anecheck.rules"


class PackError(NamedTuple):
    """A rule pack that could not be loaded."""

    pack: str
    reason: str


class UnknownRuleError(ValueError):
    """A selector names no rule."""


class Choice(NamedTuple):
    """The codes of the rules that are to speak, and of the tool's own diagnostics that are not."""

    rules: frozenset[str]
    silenced: frozenset[str]


@dataclass(frozen=True, slots=True)
class Registry:
    """The rules of all installed packs, sorted by code, and the packs that failed."""

    rules: tuple[Rule, ...]
    errors: tuple[PackError, ...] = ()

    def find(self, selector: str) -> tuple[Rule | Diagnostic, ...]:
        """What a code, the beginning of one (`ANE1`), a name, or `ALL` means: rules, and the tool's own diagnostics.

        Raises:
            UnknownRuleError: nothing; names what is near.

        """
        known: tuple[Rule | Diagnostic, ...] = (*DIAGNOSTICS.values(), *self.rules)
        wanted = selector.strip()
        if wanted.upper() == "ALL":
            return known
        found = tuple(entry for entry in known if entry.name == wanted.lower() or entry.code.startswith(wanted.upper()))
        if found and wanted:
            return found
        near = difflib.get_close_matches(wanted.lower(), [name for e in known for name in (e.name, e.code.lower())])
        hint = f"did you mean {' or '.join(near)}?" if near else "`anecheck rule --all` lists them"
        raise UnknownRuleError(f"there is no rule '{wanted}'; {hint}")

    def choose(self, selections: Iterable[Selection] = ()) -> Choice:
        """Which rules are to speak: all, then as each selection says, the last of which has the last word.

        Within a selection a longer selector beats a shorter one, and `ignore` one of the same length. `select` leaves only
        the rules that it names, but never silences the tool's own diagnostics: only `ignore` does.
        """
        rules, silenced = {rule.code for rule in self.rules}, set[str]()
        for selection in selections:
            said = self._said(selection)
            rules = {code for code in self._codes if said.get(code, not selection.select and code in rules)}
            silenced = {code for code in DIAGNOSTICS if not said.get(code, code not in silenced)}
        return Choice(frozenset(rules), frozenset(silenced))

    def _said(self, selection: Selection) -> dict[str, bool]:
        """What a selection says of each code that it names."""
        strength: dict[str, tuple[int, bool]] = {}
        for selectors, wanted in ((selection.select + selection.extend, True), (selection.ignore, False)):
            for selector in selectors:
                for entry in self.find(selector):
                    length = _specificity(selector, entry)
                    if length >= strength.get(entry.code, (-1, True))[0]:
                        strength[entry.code] = (length, wanted)
        return {code: wanted for code, (_, wanted) in strength.items()}

    @property
    def _codes(self) -> tuple[str, ...]:
        return tuple(rule.code for rule in self.rules)


def load_registry() -> Registry:
    """Load every installed rule pack. A pack that fails costs only its own rules."""
    rules: dict[str, Rule] = {}
    errors: list[PackError] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            loaded = _instances(point.load())
        except Exception as error:  # noqa: BLE001  # a pack may fail in any way
            errors.append(PackError(point.name, f"{type(error).__name__}: {error}"))
            continue
        for rule in loaded:
            if rule.code in rules:
                errors.append(
                    PackError(point.name, f"its rule {rule.code} is already taken by '{rules[rule.code].name}'")
                )
            else:
                rules[rule.code] = rule
    return Registry(tuple(rules[code] for code in sorted(rules)), tuple(errors))


def _instances(pack: Sequence[type[Rule]]) -> list[Rule]:
    wrong = [rule for rule in pack if not (isinstance(rule, type) and issubclass(rule, (OperationRule, ModelRule)))]
    if wrong:
        raise TypeError(f"{wrong[0]!r} is neither an OperationRule nor a ModelRule")
    return [rule() for rule in pack]


def _specificity(selector: str, entry: Rule | Diagnostic) -> int:
    if selector.strip().upper() == "ALL":
        return 0
    return 99 if selector.strip().lower() == entry.name else len(selector.strip())
