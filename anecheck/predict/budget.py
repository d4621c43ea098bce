"""What an app can afford: a frame, a place in memory, a time to load. Nothing is asked unless somebody sets it."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

HEADROOM: Final = 0.2
"""The share of a frame that is kept for the system, unless somebody says otherwise."""

RESIDENCY: Final = {"single": "residency-single-bytes", "always": "residency-always-bytes"}
"""The rows of `limits.toml` with the memory of a model that is resident alone, and of one that always is."""

LOAD: Final = {"cold": "load-cold-ms", "camera": "load-camera-ms"}
"""The rows with the time that loading may take where somebody waits, and where a camera does."""


class Neighbour(NamedTuple):
    """Another model that shares the engine in the same frame, with the milliseconds that it takes: low, middle, high."""

    name: str
    ms: tuple[float, float, float]


class Budgets(NamedTuple):
    """What is asked of a model; `None` where nothing is.

    `fps` is the wanted rate in frames a second, of each of which the share `headroom` is kept for the system; `sustained`
    is how many minutes of work the rate has to hold for. `residency` is "single" or "always", `load` "cold" or "camera",
    `memory_limit` the bytes that working set and weights may take together. `beside` are models that run in the same frame.
    """

    fps: float | None = None
    headroom: float = HEADROOM
    sustained: float | None = None
    residency: str | None = None
    load: str | None = None
    memory_limit: float | None = None
    beside: tuple[Neighbour, ...] = ()

    @property
    def frame_ms(self) -> float | None:
        """The milliseconds of a frame that are left after the headroom."""
        return None if self.fps is None else 1000.0 / self.fps * (1.0 - self.headroom)


NO_BUDGETS: Final = Budgets()


class Verdict(NamedTuple):
    """A budget against what was predicted: low, middle and high, in the budget's own unit.

    `high` is infinite where nobody can say how much it may be.
    """

    budget: float
    low: float
    middle: float
    high: float

    @property
    def is_missed(self) -> bool:
        """Whether the estimate lies over the budget."""
        return self.middle > self.budget

    @property
    def is_doubtful(self) -> bool:
        """Whether the estimate lies within, and the upper end of its range does not."""
        return self.middle <= self.budget < self.high


def frame_verdict(budgets: Budgets, ms: tuple[float, float, float], share: tuple[float, float] = (1.0, 1.0)) -> Verdict:
    """Hold a call's `ms` (low, middle, high), and those of its neighbours, against the frame.

    Models that share the engine run one after another: it takes one command at a time. `share` is what is left of the
    burst rate, at least and at most; where nothing may be left, there is no upper end.

    Raises:
        ValueError: no rate was asked for.

    """
    frame = budgets.frame_ms
    if frame is None:
        raise ValueError("no frame rate was asked for")
    low, middle, high = (sum(times) for times in zip(ms, *(other.ms for other in budgets.beside), strict=True))
    least, most = share
    return Verdict(frame, low / most, middle * 2 / (least + most), high / least if least else math.inf)
