"""Budgets in numbers: what a frame leaves, and what it is held against."""

from __future__ import annotations

import math

import pytest

from anecheck.knowledge.evidence import Device
from anecheck.predict.budget import HEADROOM, LOAD, NO_BUDGETS, RESIDENCY, Budgets, Neighbour, Verdict, frame_verdict
from anecheck.predict.heat import sustained
from tests.predict.programs import KNOWLEDGE

CALL = (6.0, 9.0, 13.0)


@pytest.mark.parametrize(
    ("fps", "headroom", "left"),
    [(30, HEADROOM, 26.6667), (60, HEADROOM, 13.3333), (60, 0.0, 16.6667), (24, 0.5, 20.8333), (120, 0.1, 7.5)],
)
def test_a_frame_less_its_headroom(fps: float, headroom: float, left: float) -> None:
    assert Budgets(fps=fps, headroom=headroom).frame_ms == pytest.approx(left, abs=1e-4)


def test_nothing_is_asked_unless_somebody_sets_it() -> None:
    assert Budgets() == NO_BUDGETS
    assert NO_BUDGETS.frame_ms is None
    with pytest.raises(ValueError, match="no frame rate"):
        frame_verdict(NO_BUDGETS, CALL)


@pytest.mark.parametrize(
    ("budget", "is_missed", "is_doubtful"),
    [(8.99, True, False), (9.0, False, True), (12.99, False, True), (13.0, False, False), (99, False, False)],
)
def test_missed_doubtful_and_kept(budget: float, is_missed: bool, is_doubtful: bool) -> None:
    verdict = Verdict(budget, *CALL)
    assert (verdict.is_missed, verdict.is_doubtful) == (is_missed, is_doubtful)


def test_times_of_models_in_one_frame_add() -> None:
    beside = (Neighbour("a", (1.0, 2.0, 3.0)), Neighbour("b", (10.0, 20.0, 40.0)))
    verdict = frame_verdict(Budgets(fps=30, beside=beside), CALL)
    assert (verdict.low, verdict.middle, verdict.high) == (17, 31, 56)
    assert verdict.budget == pytest.approx(26.6667, abs=1e-4)
    assert verdict.is_missed
    assert not frame_verdict(Budgets(fps=30, beside=beside[:1]), CALL).is_missed


def test_a_lost_rate_makes_times_longer() -> None:
    # After 10 minutes a phone's engine keeps 67 to 75 %: 0.71 in the middle.
    left = sustained("phone", Device.ANE, 10, KNOWLEDGE)
    assert left is not None
    verdict = frame_verdict(Budgets(fps=60), CALL, (left.low, left.high))
    assert [verdict.low, verdict.middle, verdict.high] == pytest.approx([6 / 0.75, 9 / 0.71, 13 / 0.67])
    assert verdict.is_doubtful
    assert frame_verdict(Budgets(fps=80), CALL, (left.low, left.high)).is_missed
    assert not frame_verdict(Budgets(fps=80), CALL).is_missed


def test_where_nothing_may_be_left_the_range_has_no_end() -> None:
    left = sustained("phone", Device.ANE, 500, KNOWLEDGE)
    assert left is not None
    assert left.low == 0
    verdict = frame_verdict(Budgets(fps=30), CALL, (left.low, left.high))
    assert verdict.high == math.inf
    assert verdict.middle == pytest.approx(9 * 2 / 0.75)
    assert verdict.is_doubtful


@pytest.mark.parametrize(("rows", "values"), [(RESIDENCY, (150e6, 50e6)), (LOAD, (100, 50))])
def test_named_budgets_are_rows_of_the_limits(rows: dict[str, str], values: tuple[float, float]) -> None:
    limits = [KNOWLEDGE.limit(name, family) for family in KNOWLEDGE.families for name in rows.values()]
    assert {limit.value for limit in limits if limit} == set(values)
    assert None not in limits
