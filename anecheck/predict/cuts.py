"""Where to cut a function so that no part has more weights than is taken, and little is handed from part to part."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from anecheck.predict.footprint import Footprint
from anecheck.predict.weights import Key, Weights

NEVER: Final = float("inf")
"""What it costs to cut where no cut is possible: inside a loop or a branch."""


class Plan(NamedTuple):
    """The positions before which to cut, with the bytes that each hands over, and the bytes of weights of each part."""

    positions: tuple[int, ...]
    handed: tuple[int, ...]
    parts: tuple[int, ...]


def cut(footprint: Footprint, weights: Weights, limit: float) -> Plan | None:
    """Cut a function into parts of at most `limit` bytes of weights, as stored; `None` where no cuts achieve that."""
    used = [
        [(weight.key, weight.stored) for weight in weights.of_node[node]] if node in weights.of_node else ()
        for node in footprint.nodes
    ]
    handed = handed_over(footprint)
    positions = cheapest_cuts(used, handed, limit)
    if positions is None:
        return None
    ends = (0, *positions, len(used))
    parts = [sum(dict(pair for row in used[a:b] for pair in row).values()) for a, b in pairwise(ends)]
    return Plan(positions, tuple(int(handed[position]) for position in positions), tuple(parts))


def handed_over(footprint: Footprint) -> list[float]:
    """The packed bytes that a cut before each operation hands over, inputs and states apart; `NEVER` in nested blocks."""
    changes = [0] * (len(footprint.nodes) + 1)
    for buffer, (made, used) in footprint.spans.items():
        if made < used:
            changes[made + 1] += buffer.packed
            changes[used + 1] -= buffer.packed
    sums = accumulate(changes)
    return [NEVER if node.block else size for node, size in zip(footprint.nodes, sums, strict=False)]


def cheapest_cuts(
    weights: Sequence[Sequence[tuple[Key, int]]], handed: Sequence[float], limit: float
) -> tuple[int, ...] | None:
    """The positions to cut before that hand over the fewest bytes in all, and of those the fewest cuts.

    `weights` are those that each operation uses, each by a key and its bytes: one that several operations of a part use
    counts once there, and one that several parts use counts in each. `handed` are the bytes of a cut before each
    operation. The time is linear: where a part may begin only moves on, and the cheapest of the places that are left
    stands first in a queue.
    """
    count = len(weights)
    costs: list[tuple[float, int]] = [(0.0, 0)]
    before = [0] * (count + 1)
    window: deque[int] = deque()
    users: Counter[Key] = Counter()
    start = total = 0
    for end in range(1, count + 1):
        while window and costs[window[-1]] >= costs[end - 1]:
            window.pop()
        window.append(end - 1)
        for key, size in weights[end - 1]:
            total += 0 if users[key] else size
            users[key] += 1
        while total > limit:
            for key, size in weights[start]:
                users[key] -= 1
                total -= 0 if users[key] else size
            start += 1
        while window and window[0] < start:
            window.popleft()
        if not window or costs[window[0]][0] == NEVER:
            if end == count or start >= end:
                return None
            costs.append((NEVER, 0))
            continue
        before[end] = window[0]
        bytes_so_far, cuts_so_far = costs[window[0]]
        costs.append((bytes_so_far + (handed[end] if end < count else 0), cuts_so_far + 1))
    found = []
    end = count
    while end and before[end]:
        end = before[end]
        found.append(end)
    return tuple(reversed(found))
