"""Which rules run: packs by entry point, and what select, extend and ignore leave of them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from anecheck.lint import registry
from anecheck.lint.asked.options import Selection
from anecheck.lint.registry import Choice, Registry, UnknownRuleError, load_registry
from tests.lint.packs import CountsOperations, Crashes, FlagsRelu

PACK = (Crashes, FlagsRelu, CountsOperations)


def choose(*selections: Selection) -> Choice:
    return Registry((FlagsRelu(), Crashes(), CountsOperations())).choose(selections)


def codes(select: Sequence[str] = (), ignore: Sequence[str] = (), extend: Sequence[str] = ()) -> list[str]:
    return sorted(choose(Selection(tuple(select), tuple(extend), tuple(ignore))).rules)


def test_the_built_in_pack_is_found_by_its_entry_point() -> None:
    found = load_registry()
    assert found.errors == ()
    assert "ANE104" in [rule.code for rule in found.rules]


def test_everything_runs_unless_something_is_selected() -> None:
    assert codes() == ["XYZ101", "XYZ103", "XYZ801"]
    assert codes(["XYZ1"]) == ["XYZ101", "XYZ103"]
    assert codes(["counts-operations"]) == ["XYZ801"]
    assert codes(["xyz101"]) == ["XYZ101"]


def test_ignore_takes_away_and_the_longer_selector_wins() -> None:
    assert codes([], ["XYZ1"]) == ["XYZ801"]
    assert codes(["XYZ101"], ["XYZ1"]) == ["XYZ101"]
    assert codes(["XYZ1"], ["XYZ101"]) == ["XYZ103"]
    assert codes(["XYZ1"], ["XYZ1"]) == []


def test_extend_adds_to_what_is_selected() -> None:
    assert codes(["XYZ8"], [], ["crashes"]) == ["XYZ103", "XYZ801"]


def test_the_last_selection_has_the_last_word() -> None:
    assert choose(Selection(ignore=("XYZ103",)), Selection(extend=("XYZ1",))).rules == {"XYZ101", "XYZ103", "XYZ801"}
    assert choose(Selection(ignore=("XYZ103",)), Selection(ignore=("XYZ8",))).rules == {"XYZ101"}
    assert choose(Selection(ignore=("XYZ1",)), Selection(select=("XYZ101",))).rules == {"XYZ101"}
    assert choose(Selection(select=("XYZ101",)), Selection(extend=("XYZ8",))).rules == {"XYZ101", "XYZ801"}


def test_only_ignore_silences_what_the_tool_says_of_itself() -> None:
    assert choose(Selection(select=("XYZ101",))).silenced == frozenset()
    assert choose(Selection(ignore=("ANE013", "weights-absent"))).silenced == {"ANE012", "ANE013"}
    assert choose(Selection(ignore=("ANE01",)), Selection(extend=("ANE013",))).silenced >= {"ANE012", "ANE014"}
    assert "ANE013" not in choose(Selection(ignore=("ANE01",)), Selection(extend=("ANE013",))).silenced


def test_an_unknown_selector_names_what_is_near() -> None:
    with pytest.raises(UnknownRuleError, match="there is no rule 'flag-relu'; did you mean flags-relu"):
        codes(["flag-relu"])


def packs(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> Registry:
    entries = EntryPoints(EntryPoint(name, value, registry.GROUP) for name, value in points)
    monkeypatch.setattr(registry, "entry_points", lambda group: entries.select(group=group))
    return load_registry()


def test_a_broken_pack_costs_only_its_own_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    found = packs(monkeypatch, ("good", f"{__name__}:PACK"), ("gone", "no_such_package:RULES"))
    assert [rule.code for rule in found.rules] == ["XYZ101", "XYZ103", "XYZ801"]
    assert [error.pack for error in found.errors] == ["gone"]
    assert "no_such_package" in found.errors[0].reason


def test_a_code_that_is_taken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = packs(monkeypatch, ("first", f"{__name__}:PACK"), ("second", f"{__name__}:PACK"))
    assert len(found.rules) == 3
    assert found.errors[0].reason == "its rule XYZ103 is already taken by 'crashes'"


def test_what_is_no_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = packs(monkeypatch, ("odd", "builtins:__name__"))
    assert found.rules == ()
    assert "neither an OperationRule nor a ModelRule" in found.errors[0].reason
