"""Fitting the rates of `latency.toml`: the four numbers of a chip by which estimates come nearest to published times."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from anecheck.predict.latency import Timing

if TYPE_CHECKING:
    from tests.accuracy.latency import Row

SHARED_FLOOR = ("a16", "a17pro")
"""Chips whose rows were taken with the same tool on the same release (Xcode 15, iOS 17): a call costs the same on both."""
START = (5.0, 30.0, 1.7)
"""1e12 operations a second, 1e9 bytes a second, a factor: of each chip, after the floor that a group shares."""
START_FLOOR = 0.3
"""Milliseconds."""
LEAST = 4
"""With fewer rows than numbers nothing is fitted."""


def groups(rows: Mapping[str, Sequence[Row]]) -> list[dict[str, Sequence[Row]]]:
    """Which chips are fitted together; those with too few rows are left out."""
    enough = {chip: members for chip, members in rows.items() if len(members) >= LEAST}
    together = {chip: members for chip, members in enough.items() if chip in SHARED_FLOOR}
    alone = [{chip: members} for chip, members in enough.items() if chip not in SHARED_FLOOR]
    return [*alone, together] if together else alone


def fitted(rows: Mapping[str, Sequence[Row]], memory_gbps: Mapping[str, float]) -> str:
    """Rows of `latency.toml` for chips that share a floor."""

    def loss(logs: Sequence[float]) -> float:
        """The mean absolute logarithm of estimated over published, rounded at the bottom; each network counts once.

        No engine draws more than the memory gives.
        """
        total = 0.0
        for chip, numbers in _numbers(rows, logs).items():
            if numbers[1] > memory_gbps[chip]:
                return math.inf
            members = rows[chip]
            networks = Counter(row.network for row in members)
            errors = ((row, math.log(total_ms(row.timing, numbers) / row.ms)) for row in members)
            total += sum(math.sqrt(error**2 + 1e-3) / networks[row.network] for row, error in errors) / len(networks)
        return total / len(rows)

    start = [math.log(START_FLOOR), *(math.log(value) for _ in rows for value in START)]
    found = _numbers(rows, _descend(loss, start))
    lines = []
    for chip, (tflops, gbps, floor, speedup) in found.items():
        eight = any(_int8(row.timing) for row in rows[chip])
        lines.append(
            f'[[rate]]\nchip = "{chip}"\ntflops = {tflops:.2f}\ngbps = {gbps:.1f}\nfloor_ms = {floor:.2f}\n'
            f"int8_speedup = {speedup if eight else 1.0:.2f}\nfitted_to = {len(rows[chip])}\n"
        )
    return "\n".join(lines)


def _numbers(chips: Iterable[str], logs: Sequence[float]) -> dict[str, tuple[float, float, float, float]]:
    floor = math.exp(logs[0])
    found = {}
    for place, chip in enumerate(chips):
        tflops, gbps, speedup = (math.exp(value) for value in logs[1 + 3 * place : 4 + 3 * place])
        found[chip] = (tflops, gbps, floor, speedup)
    return found


def total_ms(timing: Timing, numbers: Sequence[float]) -> float:
    """The estimate with other rates than those it was made with."""
    tflops, gbps, floor, speedup = numbers
    eight = _int8(timing)
    rest = sum(row.operations for row in timing.operations) - eight
    arithmetic = (rest + eight / speedup) / tflops / 1e9
    weights = sum(row.weight_bytes for row in timing.operations) / gbps / 1e6
    streamed = sum(row.streamed_bytes for row in timing.operations) / gbps / 1e6
    return floor + max(arithmetic, weights) + streamed + timing.elsewhere + timing.switches


def _int8(timing: Timing) -> float:
    """The operations that were computed on 8-bit values."""
    return sum(row.operations for row in timing.operations if row.is_int8)


def _descend(loss: Callable[[Sequence[float]], float], start: list[float]) -> list[float]:
    """Pattern search: steps along each axis and both ways, halved where none helps."""
    point, step, least = list(start), 0.4, loss(start)
    while step > 1e-4:
        moved = False
        for axis in range(len(point)):
            for change in (step, -step):
                tried = list(point)
                tried[axis] += change
                value = loss(tried)
                if value < least - 1e-12:
                    point, least, moved = tried, value, True
        if not moved:
            step /= 2
    return point
