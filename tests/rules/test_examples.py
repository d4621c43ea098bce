"""Every rule's own examples: `before` raises it on the operations named, `after` raises nothing."""

from __future__ import annotations

import pytest
from anecheck_rules import RULES

from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits, parse_target
from anecheck.lint.engine import Judgement, functions_of, judge
from anecheck.lint.rule import Example, ModelRule, Rule
from anecheck.mil.model import Kind, Model
from anecheck.mil.parser import parse

KNOWLEDGE = Knowledge()
PACK: tuple[Rule, ...] = tuple(rule() for rule in RULES)
JUDGING = tuple(rule for rule in PACK if not rule.code.startswith("ANE3"))
"""Examples are tiny; that they are too small for the engine to pay (ANE3xx) is no fault of theirs."""
CASES = [
    pytest.param(rule, example, id=f"{rule.code}-{number}")
    for rule in PACK
    for number, example in enumerate(rule.EXAMPLES, 1)
]


def judged(text: str, target: str) -> Judgement:
    """What the whole pack says of a program."""
    model = Model("example", Kind.ML_PROGRAM, "mlProgram", 9, program=parse(text))
    functions = functions_of(model)
    return judge(model, functions, JUDGING, parse_target(target, KNOWLEDGE), ComputeUnits.CPU_AND_NE, KNOWLEDGE)


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_before_raises_the_rule_on_the_operations_named_and_no_other_rule(rule: Rule, example: Example) -> None:
    judgement = judged(example.before, example.target)
    assert judgement.crashes == []
    found = sorted((match.rule.code, match.node.name if match.node else "") for _, match in judgement.matches)
    assert found == sorted((rule.code, name) for name in example.flags)


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_after_raises_nothing(rule: Rule, example: Example) -> None:
    if example.after is None:
        assert example.reason, f"{rule.code} gives neither a rewrite nor the reason why there is none"
        return
    judgement = judged(example.after, example.target)
    assert [(match.rule.code, match.message) for _, match in judgement.matches] == []


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_what_is_not_equal_says_why(rule: Rule, example: Example) -> None:
    if not example.equal:
        assert example.reason.startswith(("redesign: ", "approximation: ")), rule.code


@pytest.mark.parametrize("rule", PACK, ids=lambda rule: rule.code)
def test_every_rule_explains_itself(rule: Rule) -> None:
    assert rule.title.endswith("."), "the first line of the page is a sentence"
    assert rule.section("Instead"), "the page says what to write instead"
    assert "## Why it leaves the engine" in rule.page or "## What it means" in rule.page
    assert rule.rewrite, "there is advice in one line"
    assert "\n" not in rule.rewrite
    assert rule.EXAMPLES or isinstance(rule, ModelRule)


@pytest.mark.parametrize("rule", PACK, ids=lambda rule: rule.code)
def test_every_rule_cites_known_sources(rule: Rule) -> None:
    assert rule.evidence
    assert [citation.source for citation in rule.evidence if citation.source not in KNOWLEDGE.sources] == []


def test_codes_and_names_are_unique_and_well_formed() -> None:
    codes = [rule.code for rule in PACK]
    names = [rule.name for rule in PACK]
    assert len(set(codes)) == len(codes)
    assert len(set(names)) == len(names)
    assert all(code.startswith("ANE") and len(code) == 6 and code[3:].isdigit() and code[3] != "0" for code in codes)
    assert all(name == name.lower() and " " not in name for name in names)
