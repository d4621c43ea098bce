"""Every known restriction of the engine is accounted for, and the table that says so is up to date."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.rules.coverage import DECISIONS, REASONS, TABLE, covering, restrictions, table

EVIDENCE = Path(__file__).parents[3] / "shared/evidence/constraints.json"


def test_the_restrictions_are_those_of_the_evidence() -> None:
    if not EVIDENCE.exists():
        pytest.skip(f"the collected evidence is not beside the repository ({EVIDENCE.parent.name}/{EVIDENCE.name})")
    known = {row["id"]: row["confidence"].partition("/")[0] for row in json.loads(EVIDENCE.read_text(encoding="utf-8"))}
    assert {row.id: row.confidence.value for row in restrictions()} == known


def test_there_are_213_restrictions_each_with_a_title_and_a_decision() -> None:
    rows = restrictions()
    assert len({row.id for row in rows}) == len(rows) == 213
    assert [row.id for row in rows if not row.title or row.decision not in DECISIONS] == []


def test_what_a_rule_takes_care_of_is_decided_so_and_the_other_way_round() -> None:
    decided = {row.id for row in restrictions() if row.decision == "rule"}
    assert set(covering()) == decided


def test_what_is_left_out_has_a_reason_and_what_is_known_a_place() -> None:
    rows = restrictions()
    left = [row for row in rows if row.decision == "left out"]
    assert [row.id for row in left if row.because not in REASONS or not row.note] == []
    assert [row.id for row in rows if row.decision != "left out" and row.because] == []
    assert [row.id for row in rows if row.decision == "knowledge" and not row.where] == []


def test_the_table_is_up_to_date() -> None:
    assert TABLE.read_text(encoding="utf-8") == table(), "run `python -m tests.rules.coverage`"
