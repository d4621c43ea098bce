"""Where to cut a function, against all ways of cutting it, and on programs."""

from __future__ import annotations

import random
import sys
from itertools import combinations, pairwise
from types import FrameType

import pytest

from anecheck.mil.graph import Graph
from anecheck.mil.parser import parse
from anecheck.predict.cuts import NEVER, cheapest_cuts, cut, handed_over
from anecheck.predict.footprint import footprint
from anecheck.predict.weights import Weights
from tests.predict.programs import apply, conv, program

Rows = list[list[tuple[tuple[object, ...], int]]]


def part_bytes(weights: Rows, first: int, end: int) -> int:
    """The bytes of a part, the same weight counted once."""
    return sum(dict(pair for row in weights[first:end] for pair in row).values())


def by_trying_all(weights: Rows, handed: list[float], limit: int) -> tuple[float, int] | None:
    """The fewest bytes that any cuts hand over, and of those the fewest cuts; `None` where none keep to the limit."""
    count = len(weights)
    costs = [
        (sum(handed[position] for position in cuts), number)
        for number in range(count)
        for cuts in combinations(range(1, count), number)
        if all(part_bytes(weights, a, b) <= limit for a, b in pairwise((0, *cuts, count)))
    ]
    least = min(costs, default=(NEVER, 0))
    return None if least[0] == NEVER else least


def random_case(seed: int) -> tuple[Rows, list[float], int]:
    draw = random.Random(seed)  # noqa: S311  # a case for a test
    sizes = [draw.randint(1, 9) for _ in range(6)]
    weights: Rows = [
        [((key,), sizes[key]) for key in draw.sample(range(6), draw.choice([0, 0, 1, 1, 2]))]
        for _ in range(draw.randint(1, 9))
    ]
    handed = [NEVER if draw.random() < 0.2 else float(draw.randint(0, 5)) for _ in weights]
    return weights, handed, draw.randint(4, 20)


@pytest.mark.parametrize("seed", range(300))
def test_the_cuts_are_the_cheapest_of_all(seed: int) -> None:
    weights, handed, limit = random_case(seed)
    expected, found = by_trying_all(weights, handed, limit), cheapest_cuts(weights, handed, limit)
    if expected is None or found is None:
        assert found is expected
        return
    assert (sum(handed[position] for position in found), len(found)) == expected
    assert all(part_bytes(weights, a, b) <= limit for a, b in pairwise((0, *found, len(weights))))


def test_the_random_cases_are_of_every_kind() -> None:
    kinds = [
        found if found is None else min(len(found), 3)
        for seed in range(300)
        if [found := cheapest_cuts(*random_case(seed))]
    ]
    assert {None, 0, 1, 2, 3} <= set(kinds)


def test_an_operation_with_too_much_for_any_part_cannot_be_cut() -> None:
    assert cheapest_cuts([[(("a",), 5)], [(("b",), 11)]], [0, 0], 10) is None
    assert cheapest_cuts([[(("a",), 5)], [(("b",), 10)]], [0, 0], 10) == (1,)


def calls_of_cutting(size: int) -> int:
    """How many calls it takes to cut a chain in which every weight is used twice."""
    weights: Rows = [[((number // 2,), 1 + number % 7)] for number in range(size)]
    count = 0

    def tally(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(tally)
    try:
        found = cheapest_cuts(weights, [float(number % 5) for number in range(size)], size // 5)
    finally:
        sys.setprofile(before)
    assert found
    return count


def test_the_work_grows_with_the_number_of_operations_and_no_faster() -> None:
    assert calls_of_cutting(8000) <= 4.1 * calls_of_cutting(2000)


NARROW, WIDE = "tensor<fp16, [1, 16, 8, 8]>", "tensor<fp16, [1, 64, 8, 8]>"


def test_a_program_is_cut_where_the_least_is_live() -> None:
    rows = [
        conv("a", "x", WIDE, weight="[64, 16, 3, 3]"),
        apply("relu", "b", "a", WIDE),
        conv("c", "b", NARROW, weight="[16, 64, 3, 3]").replace("uint64(64)", "uint64(128)"),
        apply("relu", "d", "c", NARROW),
        conv("e", "d", WIDE, weight="[64, 16, 3, 3]").replace("uint64(64)", "uint64(192)"),
    ]
    graph = Graph(parse(program(rows, ("e",), NARROW)).functions["main"])
    memory, weights = footprint(graph, 64), Weights(graph)
    one = 64 * 16 * 9 * 2
    plan = cut(memory, weights, 2 * one)
    assert plan is not None
    assert [memory.nodes[position].name for position in plan.positions] in (["d"], ["e"])
    assert plan.handed == (16 * 8 * 8 * 2,)
    assert plan.parts == (2 * one, one)
    assert cut(memory, weights, 3 * one) == ((), (), (3 * one,))
    assert cut(memory, weights, one - 1) is None
    crossing = [sum(buffer.packed for buffer in memory.crossing(position)) for position in range(len(memory.nodes))]
    assert handed_over(memory) == crossing
