"""Which operation of a model an entry speaks of."""

from __future__ import annotations

import pytest

from anecheck.lint.measured_matching import match, match_functions
from anecheck.lint.placement_report import OperationReport
from anecheck.lint.reports import FunctionReport, Summary
from anecheck.measured.plan import Form, MeasuredOperation, MeasuredPlan, PlanError

Block = list[tuple[int, int]]


def operation(index: int, kind: str, name: str, block: Block | None = None) -> OperationReport:
    return OperationReport(
        index=index, name=name, type=kind, device="cpu", supported=["cpu"], blockers=[], block=block or []
    )


def function(name: str, *operations: OperationReport) -> FunctionReport:
    summary = Summary(operations=len(operations), off_engine=0, weight_bytes=0)
    return FunctionReport(name=name, opset="CoreML8", summary=summary, operations=list(operations))


def plan(*operations: MeasuredOperation) -> MeasuredPlan:
    return MeasuredPlan(Form.OWN, operations)


PROGRAM = [
    operation(0, "cast", "a"),
    operation(1, "cond", "b"),
    operation(1, "cast", "a", [(1, 0)]),
    operation(1, "relu", "d", [(1, 1)]),
    operation(2, "write_state", "write_state"),
    operation(3, "relu", "e"),
]


def test_by_name_in_any_order() -> None:
    entries = [MeasuredOperation("relu", name="e"), MeasuredOperation("cond", name="b")]
    found = match(PROGRAM, entries)
    assert (found.entries, found.unmatched) == ({5: entries[0], 1: entries[1]}, 0)


def test_the_same_name_in_another_block_is_another_operation() -> None:
    entries = [MeasuredOperation("cast", name="a", block=((1, 0),)), MeasuredOperation("cast", name="a")]
    assert match(PROGRAM, entries).entries == {2: entries[0], 0: entries[1]}


def test_a_block_that_is_counted_otherwise_does_not_matter_for_a_name_that_is_there_once() -> None:
    entries = [
        MeasuredOperation("relu", name="d", block=((7, 1),)),
        MeasuredOperation("cast", name="a", block=((7, 0),)),
    ]
    found = match(PROGRAM, entries)
    assert (found.entries, found.unmatched) == ({3: entries[0]}, 1)


def test_a_name_with_another_type_does_not_match() -> None:
    found = match(PROGRAM, [MeasuredOperation("tanh", name="e"), MeasuredOperation("relu", name="new")])
    assert (found.entries, found.unmatched) == ({}, 2)


def test_what_stands_twice_is_taken_once() -> None:
    entry = MeasuredOperation("relu", name="e")
    found = match(PROGRAM, [entry, entry])
    assert (found.entries, found.unmatched) == ({5: entry}, 1)


def test_an_operation_without_results_goes_by_its_index() -> None:
    entry = MeasuredOperation("write_state", index=2)
    assert match(PROGRAM, [entry]).entries == {4: entry}
    assert match(PROGRAM, [MeasuredOperation("relu", index=2)]).unmatched == 1


def test_by_type_and_order_with_nested_blocks_or_without() -> None:
    relus = [MeasuredOperation("relu", cost=cost) for cost in (0.1, 0.2)]
    assert match(PROGRAM, relus).entries == {3: relus[0], 5: relus[1]}
    assert match(PROGRAM, relus[:1]).entries == {5: relus[0]}


def test_other_counts_are_not_guessed_at() -> None:
    entries = [MeasuredOperation("relu")] * 3 + [MeasuredOperation("cond")]
    found = match(PROGRAM, entries)
    assert (found.entries, found.unmatched) == ({1: entries[3]}, 3)


def test_functions_go_by_name() -> None:
    functions = [function("main", operation(0, "relu", "a")), function("other", operation(0, "relu", "a"))]
    entry = MeasuredOperation("relu", "other", "a")
    assert {name: each.entries for name, each in match_functions(functions, plan(entry)).items()} == {
        "other": {0: entry}
    }
    nameless = MeasuredOperation("relu")
    assert list(match_functions(functions, plan(nameless))) == ["main"]


def test_the_only_function_may_have_been_measured_as_main() -> None:
    entry = MeasuredOperation("relu", "main", "a")
    assert list(match_functions([function("prefill", operation(0, "relu", "a"))], plan(entry))) == ["prefill"]


def test_a_plan_of_other_functions_is_refused() -> None:
    functions = [function("a", operation(0, "relu", "a")), function("b")]
    with pytest.raises(PlanError, match="of the functions 'c', and the model has 'a', 'b'"):
        match_functions(functions, plan(MeasuredOperation("relu", "c", "a")))


def test_a_plan_of_another_model_is_refused() -> None:
    operations = [operation(index, "relu", f"r{index}") for index in range(5)]
    few = [MeasuredOperation("relu", "main", f"r{index}") for index in range(3, 9)]
    with pytest.raises(PlanError, match="of the model's 5 operations it has 2, and 6 in all"):
        match_functions([function("main", *operations)], plan(*few))
    assert (
        len(
            match_functions(
                [function("main", *operations)], plan(*few[:0], *few[:2], MeasuredOperation("relu", "main", "r0"))
            )["main"].entries
        )
        == 3
    )
