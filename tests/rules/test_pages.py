"""The page of every rule holds what a reader needs, and the committed pages are those that the rules give."""

from __future__ import annotations

from pathlib import Path

import pytest

from anecheck.knowledge.evidence import FAMILIES
from anecheck.knowledge.tables import Knowledge
from anecheck.lint.registry import load_registry
from anecheck.lint.rule import Rule
from anecheck.report.pages import page
from anecheck.report.pages_text import markdown, render
from tests.conftest import RunAnecheck

README = Path(__file__).parents[2] / "rules/README.md"
KNOWLEDGE = Knowledge()
RULES = load_registry().rules


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_says_where_the_rule_holds_and_who_says_so(rule: Rule) -> None:
    made = page(rule, KNOWLEDGE)
    assert sorted(family for standing in made.holds for family in standing.families) == sorted(FAMILIES)
    text = markdown(made)
    for heading in ("## Instead", "## Where it holds", "## Evidence"):
        assert heading in text
    assert all(source.url or source.note for source in made.evidence), "a source has an address, or says why not"
    assert all(f"`{name}`" in text for name in rule.limits), "limits are named with their values"


def test_the_committed_pages_are_up_to_date(anecheck: RunAnecheck) -> None:
    written = anecheck("rule", "--all", "--format", "markdown").stdout
    assert README.read_text(encoding="utf-8") == written, (
        "run `anecheck rule --all --format markdown > rules/README.md`"
    )


def test_json_and_text_say_the_same() -> None:
    made = [page(rule, KNOWLEDGE) for rule in RULES if rule.code == "ANE118"]
    text, json = render(made, "text"), render(made, "json")
    assert "taps on H16 (measured" in text or "Options" not in text
    for standing in made[0].holds:
        assert ", ".join(standing.families) in text or "every engine" in text
        assert all(f'"{family}"' in json for family in standing.families)
