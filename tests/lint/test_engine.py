"""Running rules: what they find, what they block, what they leave to each other, and what survives a crash."""

from __future__ import annotations

from anecheck.knowledge.evidence import Device
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits, Target
from anecheck.lint.asked.settings import Settings
from anecheck.lint.engine import Judgement, functions_of, judge
from anecheck.lint.examine import lint_model
from anecheck.lint.finding import Finding, Severity
from anecheck.lint.rule import Rule
from anecheck.mil.model import Kind, Model
from anecheck.mil.parser import parse
from tests.lint.packs import CountsOperations, Crashes, FlagsEverything, FlagsRelu, OnlyOldFamilies, RemarksOnRelu

KNOWLEDGE = Knowledge()
MODEL = Model(
    "chain",
    Kind.ML_PROGRAM,
    "mlProgram",
    8,
    program=parse("""
        func main<ios17>(tensor<fp16, [1, 8]> x) {
            tensor<fp16, [1, 8]> a = exp(x = x);
            tensor<fp16, [1, 8]> b = relu(x = a);
            tensor<fp16, [1, 8]> c = log(x = b);
            tensor<fp16, [1, 8]> y = sqrt(x = c);
        } -> (y);
    """),
)


def judged(*rules: Rule, family: str = "H16", units: ComputeUnits = ComputeUnits.CPU_AND_NE) -> Judgement:
    return judge(MODEL, functions_of(MODEL), rules, Target(family), units, KNOWLEDGE)


def found(judgement: Judgement) -> list[tuple[str, str]]:
    return [(match.rule.code, match.node.name if match.node else "") for _, match in judgement.matches]


def linted(*rules: Rule, targets: tuple[Target, ...] = (Target("H16"),)) -> list[Finding]:
    return lint_model(MODEL, Settings(rules, targets, ComputeUnits.CPU_AND_NE, KNOWLEDGE)).findings


def test_a_rule_sees_only_the_operations_that_it_names() -> None:
    assert found(judged(FlagsRelu())) == [("XYZ101", "b")]


def test_a_match_blocks_its_operation_and_the_related_ones() -> None:
    judgement = judged(FlagsRelu())
    blocked = {node.name: blockers for node, blockers in judgement.blockers.items()}
    assert blocked == {"b": {Device.ANE: ["XYZ101"]}, "c": {Device.ANE: ["XYZ101"]}}


def test_a_deferring_rule_speaks_and_blocks_only_where_no_other_does() -> None:
    judgement = judged(FlagsRelu(), FlagsEverything())
    assert found(judgement) == [("XYZ101", "b"), ("XYZ102", "a"), ("XYZ102", "y")]
    assert {node.name: blockers[Device.ANE] for node, blockers in judgement.blockers.items()} == {
        "a": ["XYZ102"],
        "b": ["XYZ101"],
        "c": ["XYZ101"],
        "y": ["XYZ102"],
    }


def test_what_blocks_nothing_explains_nothing_of_its_related_operations() -> None:
    judgement = judged(RemarksOnRelu(), FlagsEverything())
    assert ("XYZ102", "c") in found(judgement)
    (remark,) = linted(RemarksOnRelu())
    assert (remark.related, remark.blocks, remark.related_blocks) == (["c"], [], [])
    (flagged,) = linted(FlagsRelu())
    assert flagged.related_blocks == ["ane"]


def test_a_crashing_rule_becomes_a_diagnostic_and_the_others_go_on() -> None:
    findings = linted(Crashes(), FlagsRelu())
    assert [finding.code for finding in findings] == ["ANE030", "XYZ101"]
    assert findings[0].message == "rule XYZ103 (crashes) failed: RuntimeError: cannot bear exp"


def test_a_match_for_other_families_is_not_reported() -> None:
    assert found(judged(OnlyOldFamilies())) == []
    assert found(judged(OnlyOldFamilies(), family="H13")) == [("XYZ104", "b")]


def test_rules_about_the_engine_say_nothing_where_the_app_does_not_use_it() -> None:
    for units in (ComputeUnits.CPU_ONLY, ComputeUnits.CPU_AND_GPU):
        assert found(judged(FlagsRelu(), CountsOperations(), units=units)) == [("XYZ801", "")]


def test_folklore_is_never_more_than_a_hint() -> None:
    (finding,) = linted(CountsOperations())
    assert finding.severity is Severity.INFO
    assert finding.message == "4 operations"


def test_several_targets_give_the_union_and_the_same_finding_once() -> None:
    findings = linted(FlagsRelu(), OnlyOldFamilies(), targets=(Target("H16"), Target("H13")))
    assert [(finding.code, finding.confidence.value) for finding in findings] == [
        ("XYZ101", "compute-plan-measured"),
        ("XYZ104", "extrapolated"),
    ]


def test_a_finding_points_at_its_operation() -> None:
    (finding,) = linted(FlagsRelu())
    assert (finding.function, finding.operation, finding.operation_type, finding.operation_index) == (
        "main",
        "b",
        "relu",
        1,
    )
    assert finding.related == ["c"]
    assert finding.blocks == ["ane"]
    assert finding.mil_line == 5  # program(1.0), {, func, exp, relu
