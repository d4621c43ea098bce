"""What an app can afford: a frame, a place in memory, a time to load. Nothing is asked unless somebody sets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HEADROOM: Final = 0.2
"""The share of a frame that is kept for the system, unless somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another model that shares the engine in the same frame, with the milliseconds that it takes: low, middle, high."""

    name: str
    ms: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Budgets:
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
    memory_limit: int | None = None
    beside: tuple[Neighbour, ...] = ()

    @property
    def frame_ms(self) -> float | None:
        """The milliseconds of a frame that are left after the headroom."""
        return None if self.fps is None else 1000.0 / self.fps * (1.0 - self.headroom)


NO_BUDGETS: Final = Budgets()
