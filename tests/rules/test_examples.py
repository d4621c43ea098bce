"""Every rule's own examples: `before` raises it on the operations named, `after` raises nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from anecheck_rules import RULES

from anecheck.artifact.load import load
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits, parse_target
from anecheck.lint.engine import Judgement, functions_of, judge
from anecheck.lint.rule import REASONS, Example, ModelRule, Rule
from anecheck.mil.graph import Graph
from anecheck.mil.model import Interface, Kind, Model
from anecheck.mil.parser import parse

KNOWLEDGE = Knowledge()
PACK: tuple[Rule, ...] = tuple(rule() for rule in RULES)
JUDGING = tuple(rule for rule in PACK if not rule.code.startswith("ANE3"))
"""Examples are tiny; that they are too small for the engine to pay (ANE3xx) is no fault of theirs."""
CONVERSIONS = Path(__file__).parents[2] / "fixtures/conversions"
EXAMPLES = [(rule, number, example) for rule in PACK for number, example in enumerate(rule.EXAMPLES, 1)]
CASES = [pytest.param(rule, example, id=f"{rule.code}-{number}") for rule, number, example in EXAMPLES]
CONVERTED = [
    pytest.param(rule, example, id=f"{rule.code}-{number}") for rule, number, example in EXAMPLES if example.pattern
]


def judged_model(text: str, interface: Interface | None = None) -> Model:
    """A model around a program, as old as its operation set."""
    program = parse(text)
    opset = max(function.opset_number for function in program.functions.values())
    interfaces = {"main": interface} if interface else {}
    return Model("example", Kind.ML_PROGRAM, "mlProgram", opset + 1, interfaces, program)


def judged(text: str, target: str, interface: Interface | None = None) -> Judgement:
    """What the whole pack says of a program."""
    model = judged_model(text, interface)
    functions = functions_of(model)
    return judge(model, functions, JUDGING, parse_target(target, KNOWLEDGE), ComputeUnits.CPU_AND_NE, KNOWLEDGE)


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_before_raises_the_rule_on_the_operations_named_and_no_other_rule(rule: Rule, example: Example) -> None:
    judgement = judged(example.before, example.target, example.interface)
    assert judgement.crashes == []
    found = sorted((match.rule.code, match.node.name if match.node else "") for _, match in judgement.matches)
    assert [name for code, name in found if code == rule.code] == sorted(example.flags)
    assert {code for code, _ in found} == {rule.code, *example.also}


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_after_raises_nothing_and_blocks_nothing(rule: Rule, example: Example) -> None:
    if example.after is None:
        assert example.reason, f"{rule.code} gives neither a rewrite nor the reason why there is none"
        return
    judgement = judged(example.after, example.target, example.interface_after)
    assert [(match.rule.code, match.message) for _, match in judgement.matches] == []
    assert judgement.crashes == []
    assert judgement.blockers == {}


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_what_is_not_equal_says_why(rule: Rule, example: Example) -> None:
    if not example.equal:
        assert example.reason.startswith(("redesign: ", "approximation: ")), rule.code


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_the_pytorch_of_an_example_parses(rule: Rule, example: Example) -> None:
    for snippet in (example.pytorch_before, example.pytorch_after):
        ast.parse(snippet, filename=f"PyTorch of {rule.code}")
    assert example.pytorch_before or not example.pytorch_after, "what to write instead takes the place of something"


@pytest.mark.parametrize(("rule", "example"), CONVERTED)
def test_an_example_of_a_known_conversion_has_its_operations(rule: Rule, example: Example) -> None:
    assert example.pytorch_before, f"{rule.code} names the conversion of no PyTorch"
    (converted,) = functions_of(load(CONVERSIONS / f"{example.pattern}.mlpackage"))
    (shown,) = functions_of(judged_model(example.before))
    assert _types(shown.graph) == _types(converted.graph)


def _types(graph: Graph) -> list[str]:
    """The operations in order, without the casts between the interface and the inside, which examples leave out."""
    return [
        node.type
        for node in graph.running
        if node.type != "cast"
        or not (any(operand in graph.inputs for _, operand in node.operands()) or graph.is_output(node.outputs[0]))
    ]


@pytest.mark.parametrize("rule", PACK, ids=lambda rule: rule.code)
def test_every_rule_explains_itself(rule: Rule) -> None:
    assert rule.title.endswith("."), "the first line of the page is a sentence"
    assert rule.section("Instead"), "the page says what to write instead"
    assert any(rule.section(heading) for heading in REASONS), "the page gives the reason"
    assert rule.rewrite, "there is advice in one line"
    assert "\n" not in rule.rewrite
    assert rule.EXAMPLES or isinstance(rule, ModelRule)


@pytest.mark.parametrize("rule", PACK, ids=lambda rule: rule.code)
def test_every_rule_names_known_limits(rule: Rule) -> None:
    assert [name for name in rule.limits if not KNOWLEDGE.families_of(name)] == []


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
