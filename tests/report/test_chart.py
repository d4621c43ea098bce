"""A chart of a series in characters."""

from __future__ import annotations

import pytest

from anecheck.report.chart import chart, columns


def test_columns_show_eighths() -> None:
    assert chart([0, 1, 4, 8, 16], 5, 2).rows == ["    █", " ▁▄██"]


def test_what_is_small_still_shows_and_nothing_does_not() -> None:
    assert chart([0, 1, 1_000_000], 3, 1).rows == [" ▁█"]


def test_ascii_cells_are_full_or_empty() -> None:
    assert chart([0, 1, 4, 8, 16], 5, 2, ascii_only=True).rows == ["    #", " ####"]


def test_few_values_take_several_columns_and_many_share_one() -> None:
    assert columns([1, 2], 5) == [1, 1, 1, 2, 2]
    assert columns([1, 9, 2, 3, 4, 5], 3) == [9, 3, 5]


@pytest.mark.parametrize(("values", "width", "at"), [([1, 2], 6, 4), ([1, 9, 2, 9], 2, 0), ([3, 3], 2, 0), ([1], 9, 4)])
def test_the_mark_is_over_the_first_peak(values: list[int], width: int, at: int) -> None:
    assert chart(values, width, 3).peak == at


@pytest.mark.parametrize("count", [1, 2, 39, 40, 41, 500])
@pytest.mark.parametrize("width", [1, 40, 116])
def test_every_row_is_as_wide_as_asked_and_the_peak_is_full(count: int, width: int) -> None:
    values = [index * 7919 % 101 + 1 for index in range(count)]
    drawn = chart(values, width, 10)
    assert [len(row) for row in drawn.rows] == [width] * 10
    assert [row[drawn.peak] for row in drawn.rows] == ["█"] * 10


@pytest.mark.parametrize("values", [[], [0, 0]])
def test_nothing_to_draw(values: list[int]) -> None:
    assert "".join(chart(values, 4, 2).rows).strip() == ""
