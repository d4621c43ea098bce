"""A longer program takes more work in proportion, and no deeper stack: counted, not timed."""

from __future__ import annotations

import sys
from collections import Counter
from functools import cache
from typing import Any

import pytest

from anecheck.knowledge.target import ComputeUnits
from anecheck.mil.graph import Graph
from anecheck.mil.parser import parse
from anecheck.predict import explain
from anecheck.predict import placement as predictor
from anecheck.predict.cost import CostModel
from anecheck.predict.explain import MOST_CANDIDATES, MOST_MENDS, best_mends, boundaries
from anecheck.predict.placement import Placement, place
from anecheck.predict.support import ANYWHERE, UNITS, Support
from tests.predict.programs import ANE, CPU, GPU, KNOWLEDGE, chain

BLOCKED = Support(frozenset({GPU, CPU}), {ANE: ("XYZ",)})
UNIT = ("conv", "relu", "acos", "abs")


@cache
def graph_of(count: int) -> Graph:
    return Graph(parse(chain([UNIT[number % len(UNIT)] for number in range(count)])).functions["main"])


def plan(count: int, units: ComputeUnits = ComputeUnits.ALL) -> Placement:
    graph = graph_of(count)
    supports = {node: BLOCKED if node.type == "acos" else ANYWHERE for node in graph.running}
    return place(graph, supports, UNITS[units], KNOWLEDGE.costs)


def calls(count: int) -> tuple[Counter[str], int]:
    """Every Python call that planning makes, by name, and how deep they nest."""
    graph_of(count)
    made: Counter[str] = Counter()
    depth = deepest = 0

    def watch(frame: Any, event: str, _argument: object) -> None:  # noqa: ANN401  # as sys.setprofile calls it
        nonlocal depth, deepest
        if event == "call":
            made[frame.f_code.co_name] += 1
            depth += 1
            deepest = max(deepest, depth)
        elif event == "return":
            depth -= 1

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        plan(count)
    finally:
        sys.setprofile(before)
    return made, deepest


def test_calls_grow_with_the_length_and_the_stack_does_not() -> None:
    (short, shallow), (long, deep) = calls(500), calls(2000)
    assert short["estimate"] == 500
    assert long["estimate"] == 2000
    assert short["_backward"] == long["_backward"] == 1
    assert sum(long.values()) <= 4.1 * sum(short.values())
    assert deep == shallow


def test_a_program_longer_than_the_stack_is_planned() -> None:
    count = 4 * sys.getrecursionlimit()
    placement = plan(count)
    assert len(placement.operations) == len(placement.problem.times) == len(placement.problem.outputs) == count
    assert sum(segment.count for segment in placement.segments) == count
    assert len(boundaries(placement)) == placement.switches


@pytest.mark.parametrize("count", [400, 1600])
def test_mending_solves_a_limited_number_of_plans(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    placement = plan(count, ComputeUnits.CPU_AND_NE)
    solved = []

    def counted(problem: predictor.Problem) -> Placement:
        solved.append(len(problem.nodes))
        return predictor.solve(problem)

    monkeypatch.setattr(explain, "solve", counted)
    assert best_mends(placement)
    assert len(solved) <= MOST_CANDIDATES * MOST_MENDS
    assert set(solved) == {count}


def test_every_operation_is_estimated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for count in (1000, 4000):
        seen: list[str] = []
        monkeypatch.setattr(CostModel, "estimate", _counting(seen))
        plan(count)
        monkeypatch.undo()
        assert len(seen) == len(set(seen)) == count


def _counting(seen: list[str]) -> Any:  # noqa: ANN401  # a method in a method's place
    estimate = CostModel.estimate

    def counted(self: CostModel, node: Any) -> Any:  # noqa: ANN401
        seen.append(node.name)
        return estimate(self, node)

    return counted
