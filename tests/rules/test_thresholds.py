"""Shortcuts in rules that skip the table of limits hold as long as the table does."""

from __future__ import annotations

from anecheck_rules.operations.tensor_dimension import AXES, SHORT
from anecheck_rules.operations.tensor_rank import FEWEST

from anecheck.knowledge.tables import Knowledge

LIMITS = Knowledge().limits


def test_no_axis_is_limited_to_what_is_skipped_as_short() -> None:
    names = {name for axes in AXES.values() for name in axes}
    assert min(limit.value for (name, _), limit in LIMITS.items() if name in names) > SHORT


def test_no_rank_is_limited_to_less_than_what_is_skipped() -> None:
    assert min(limit.value for (name, _), limit in LIMITS.items() if name == "tensor-rank") >= FEWEST
