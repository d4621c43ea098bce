"""A chart of a series in a terminal: a column for a run of values, with the largest of them, and a mark at the peak."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

BLOCKS: Final = " ▁▂▃▄▅▆▇█"
"""A cell of a column, from empty to full in eighths."""


class Chart(NamedTuple):
    """The rows of a chart from the top, as wide as one another, and the column of the peak."""

    rows: list[str]
    peak: int


def columns(values: Sequence[float], width: int) -> list[float]:
    """Values in `width` columns: the largest of each run, or the same value in several columns where there are few."""
    return [max(values[at] for at in run) for run in _runs(len(values), width)]


def chart(values: Sequence[float], width: int, height: int, *, ascii_only: bool = False) -> Chart:
    """Draw values above a line at 0. What is more than 0 shows; in ASCII a cell is full or empty."""
    if not values or width < 1:
        return Chart([], 0)
    drawn = columns(values, width)
    most = max(drawn)
    steps = 1 if ascii_only else len(BLOCKS) - 1
    cells = " #" if ascii_only else BLOCKS
    heights = [max(round(value / most * height * steps), 1) if value > 0 else 0 for value in drawn]
    rows = [
        "".join(cells[min(max(each - row * steps, 0), steps)] for each in heights) for row in reversed(range(height))
    ]
    return Chart(rows, _middle_of_peak(values, width))


def _middle_of_peak(values: Sequence[float], width: int) -> int:
    """The middle of the columns that show the first of the largest values."""
    peak = values.index(max(values))
    shown = [column for column, run in enumerate(_runs(len(values), width)) if peak in run]
    return shown[len(shown) // 2]


def _runs(count: int, width: int) -> list[range]:
    """For each column the positions that it shows."""
    starts = [column * count // width for column in range(width + 1)]
    return [range(start, max(end, start + 1)) for start, end in pairwise(starts)]
