"""Two sequences side by side: which places of the one go with which of the other, in order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

Pair: TypeAlias = tuple[int, int]
"""A place in the old sequence and one in the new."""

MOST_EDITS = 64
"""How many differences are weighed against each other at once: the work grows with this times the length."""


class Gap(NamedTuple):
    """What lies between two pairs, on either side: from the first place to before the last."""

    old: range
    new: range


def rising(pairs: Iterable[Pair]) -> list[Pair]:
    """The longest choice of pairs, no place in two of them, that goes up on both sides."""
    ordered = sorted(pairs)
    ends: list[int] = []
    """The last new place of the lowest chain of each length."""
    heads: list[int] = []
    """Which pair it belongs to."""
    earlier: list[int] = []
    for number, (_, new) in enumerate(ordered):
        length = bisect_left(ends, new)
        earlier.append(heads[length - 1] if length else -1)
        ends[length : length + 1] = [new]
        heads[length : length + 1] = [number]
    chain: list[Pair] = []
    number = heads[-1] if heads else -1
    while number >= 0:
        chain.append(ordered[number])
        number = earlier[number]
    return chain[::-1]


def gaps(chain: Iterable[Pair], old_length: int, new_length: int) -> Iterator[Gap]:
    """What lies between the pairs of a rising chain, before the first and after the last, if there is something on both sides."""
    old_start = new_start = 0
    for old, new in (*chain, (old_length, new_length)):
        if old > old_start and new > new_start:
            yield Gap(range(old_start, old), range(new_start, new))
        old_start, new_start = old + 1, new + 1


def aligned(old: Sequence[int], new: Sequence[int]) -> list[Pair]:
    """Pairs of equal items in order, with as few left over as can be.

    This is Myers' greedy search for the shortest edit script. Where more than `MOST_EDITS` edits lie ahead, what has come
    furthest is kept and the search begins anew behind it, so that the work grows with the length and not with its square.
    """
    pairs: list[Pair] = []
    x = y = 0
    while x < len(old) and y < len(new):
        found, x, y = _stretch(old, new, x, y)
        pairs += found
    return pairs


def _stretch(old: Sequence[int], new: Sequence[int], x0: int, y0: int) -> tuple[list[Pair], int, int]:
    """Align from one place on, up to the end or to the most edits; where it came to, and the pairs on the way."""
    reach = {1: x0}
    history: list[dict[int, int]] = []
    width, height = len(old), len(new)
    for edits in range(MOST_EDITS + 1):
        history.append(dict(reach))
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
            x = reach[diagonal + 1] if down else reach[diagonal - 1] + 1
            y = x - x0 - diagonal + y0
            while x < width and y < height and old[x] == new[y]:
                x, y = x + 1, y + 1
            reach[diagonal] = x
            if x >= width and y >= height:
                return _retrace(history, x0, y0, diagonal, x), x, y
    inside = [
        (x + x - x0 - diagonal + y0, diagonal)
        for diagonal, x in reach.items()
        if (diagonal + MOST_EDITS) % 2 == 0 and x <= width and x - x0 - diagonal + y0 <= height
    ]
    if not inside:  # every way has left one of the sequences
        return [], x0 + 1, y0 + 1
    _, best = max(inside)
    x = reach[best]
    return _retrace(history, x0, y0, best, x), x, x - x0 - best + y0


def _retrace(history: Sequence[dict[int, int]], x0: int, y0: int, diagonal: int, x: int) -> list[Pair]:
    """Walk back from where the search came to, and name the places that were equal."""
    pairs: list[Pair] = []
    for edits in range(len(history) - 1, -1, -1):
        reach = history[edits]
        down = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
        before = diagonal + 1 if down else diagonal - 1
        start = (reach[before] if down else reach[before] + 1) if edits else x0
        while x > start:
            x -= 1
            pairs.append((x, x - x0 - diagonal + y0))
        x, diagonal = (reach[before], before) if edits else (x, diagonal)
    return pairs[::-1]
