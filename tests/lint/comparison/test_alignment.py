"""Sequences side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from anecheck.lint.comparison.alignment import MOST_EDITS, aligned, gaps, rising

items = st.lists(st.integers(0, 3), max_size=12)


def longest(old: Sequence[int], new: Sequence[int]) -> int:
    """The length of the longest common subsequence, by its definition."""
    if not old or not new:
        return 0
    if old[0] == new[0]:
        return 1 + longest(old[1:], new[1:])
    return max(longest(old[1:], new), longest(old, new[1:]))


def goes_up(pairs: Sequence[tuple[int, int]]) -> bool:
    return all(left[0] < right[0] and left[1] < right[1] for left, right in pairwise(pairs))


@settings(max_examples=150, deadline=None)
@given(items, items)
def test_no_alignment_has_more_pairs(old: list[int], new: list[int]) -> None:
    pairs = aligned(old, new)
    assert goes_up(pairs)
    assert all(old[left] == new[right] for left, right in pairs)
    assert len(pairs) == longest(old, new)


def test_two_sequences_with_nothing_in_common_are_given_up_on() -> None:
    assert aligned([0] * 1000, [1] * 700) == []


def test_what_lies_behind_more_differences_than_are_weighed_is_found_all_the_same() -> None:
    common = list(range(10, 60))
    old, new = [*common, *[1] * MOST_EDITS, *common], [*common, *[2] * MOST_EDITS, *common]
    pairs = aligned(old, new)
    assert goes_up(pairs)
    assert len(pairs) == 2 * len(common)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=7, unique_by=(lambda p: p[0], lambda p: p[1]))
)
def test_a_rising_chain_is_as_long_as_one_can_be(pairs: list[tuple[int, int]]) -> None:
    chain = rising(pairs)
    assert set(chain) <= set(pairs)
    assert goes_up(chain)
    choices = ([pair for bit, pair in enumerate(sorted(pairs)) if mask >> bit & 1] for mask in range(1 << len(pairs)))
    assert len(chain) == max(len(choice) for choice in choices if goes_up(choice))


def test_gaps_lie_before_between_and_behind() -> None:
    found = list(gaps([(1, 2), (2, 5), (4, 6)], 7, 8))
    assert [(list(gap.old), list(gap.new)) for gap in found] == [([0], [0, 1]), ([5, 6], [7])]
