"""Typed access to `heat.toml`: what devices keep of their burst rate under unbroken work."""

from __future__ import annotations

from typing import NamedTuple

from anecheck.knowledge.evidence import Confidence


class Curve(NamedTuple):
    """The share of the burst rate that a class of devices keeps, by minutes of work on "ane" or "gpu".

    `low` and `high` are as long as `minutes`, and none of them has anything where the points are those of the class
    `carried_over_from`. `series` names the raw measurements, `devices` counts the machines that were measured.
    """

    device_class: str
    device: str
    source: str
    confidence: Confidence
    note: str
    minutes: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    series: tuple[str, ...] = ()
    measured_on: tuple[str, ...] = ()
    devices: int = 0
    carried_over_from: str = ""


class Unmeasured(NamedTuple):
    """A class of devices whose heat nobody measured, and the sentence that says so."""

    device_class: str
    device: str
    text: str


class Observation(NamedTuple):
    """A single observation; `heat` says whether heat is what it shows."""

    subject: str
    device_class: str
    device: str
    text: str
    heat: bool
    source: str
    confidence: Confidence


class Heat(NamedTuple):
    """The whole table."""

    curves: tuple[Curve, ...]
    unmeasured: tuple[Unmeasured, ...]
    observations: tuple[Observation, ...]

    def curve(self, device_class: str, device: str) -> Curve | None:
        """The curve of a class, as its row stands; `None` where nobody measured one."""
        return next((row for row in self.curves if (row.device_class, row.device) == (device_class, device)), None)

    def measured(self, curve: Curve) -> Curve:
        """The curve itself, or the one from which its points are carried over."""
        found = self.curve(curve.carried_over_from, curve.device) if curve.carried_over_from else curve
        if found is None:
            raise KeyError(f"heat.toml has no {curve.device} curve of class '{curve.carried_over_from}'")
        return found
