"""The rules against what Core ML's own placement report said of 1,206 operations on M4."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest
from anecheck_rules import RULES

from anecheck.artifact.load import load
from anecheck.knowledge.evidence import Device
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits, parse_target
from anecheck.lint.engine import functions_of, judge

PLACEMENTS = Path(__file__).parents[3] / "shared/evidence/placements"

REMAINING: frozenset[tuple[str, int]] = frozenset()
"""Operations (model, index) on which the rules are known to disagree with the measurement; none at present."""


def test_what_the_rules_keep_from_the_engine_is_what_the_plan_kept_from_it() -> None:
    table = PLACEMENTS / "placements.jsonl"
    if not table.exists():
        pytest.skip(f"the measured placements are not beside the repository ({table.parent.name}/{table.name})")
    measured: dict[str, dict[int, dict[str, object]]] = defaultdict(dict)
    for line in table.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        measured[row["file"]][row["op_index"]] = row
    knowledge, rules = Knowledge(), [rule() for rule in RULES]
    target = parse_target("m4", knowledge)
    total, wrong = 0, []
    for file, rows in measured.items():
        model = load(PLACEMENTS / file)
        functions = functions_of(model)
        judgement = judge(model, functions, rules, target, ComputeUnits.CPU_AND_NE, knowledge)
        for node in functions[0].graph.nodes:
            row = rows[node.index]
            assert row["op"] == node.type, file
            total += 1
            blocked = Device.ANE in judgement.blockers.get(node, {})
            if blocked == ("ANE" in str(row["supported"])):
                wrong.append((str(row["model"]), node.index))
    assert total == 1206
    assert len(measured) == 356
    assert set(wrong) == set(REMAINING)
    assert len(wrong) <= 0.02 * total
