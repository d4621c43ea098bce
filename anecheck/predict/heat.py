"""Heat: the share of its burst rate that a device is expected to keep after so many minutes of unbroken work."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import log2
from typing import Final, NamedTuple

from anecheck.knowledge.evidence import Confidence, Device
from anecheck.knowledge.heat import Curve, Heat
from anecheck.knowledge.tables import Knowledge

WORST: Final = "phone"
"""The class that loses most of those measured; what a cooler one may lose after its last measurement is taken from it."""


class Sustained(NamedTuple):
    """The share of the burst rate that is left, between `low` and `high`, with the key of its source.

    `note` says on what it rests and how far it goes beyond that.
    """

    low: float
    high: float
    source: str
    note: str
    confidence: Confidence


def sustained(chip_class: str, device: Device, minutes: float, knowledge: Knowledge) -> Sustained | None:
    """What a device of a class ("phone", "tablet", "laptop", "desktop") keeps after `minutes` of work.

    Between measurements a straight line is taken. After the last one the highest share stays, and the lowest falls on: by
    what phones lose in those minutes, and for phones by as much with each doubling of the time as with the last one.
    `None` for what nobody measured; `unmeasured` has the sentence.

    Raises:
        ValueError: there are no negative minutes.

    """
    if minutes < 0:
        raise ValueError(f"{minutes:g} minutes of work are not possible")
    heat = knowledge.heat
    row = heat.curve(chip_class, device.value)
    if row is None:
        return None
    curve = heat.measured(row)
    last = curve.minutes[-1]
    notes = [row.note]
    if row is not curve:
        notes.append(f"Carried over from the {curve.device_class}: {curve.note}")
    confidence = row.confidence
    if minutes > last:
        confidence = max(confidence, Confidence.EXTRAPOLATED, key=lambda sure: sure.rank)
        notes.append(f"Measured for {last:g} minutes; beyond that the low side is a guess.")
    high = _between(curve.minutes, curve.high, minutes)
    return Sustained(_low(curve, minutes, heat), high, row.source, " ".join(notes), confidence)


def unmeasured(chip_class: str, device: Device, knowledge: Knowledge) -> str:
    """The sentence for a class of which `sustained` knows nothing."""
    rows = knowledge.heat.unmeasured
    found = next((row.text for row in rows if (row.device_class, row.device) == (chip_class, device.value)), None)
    return (
        found or f"Nobody published how long the {device.value.upper()} of a {chip_class or 'device'} holds its rate."
    )


def _low(curve: Curve, minutes: float, heat: Heat) -> float:
    last, end = curve.minutes[-1], curve.low[-1]
    if minutes <= last:
        return _between(curve.minutes, curve.low, minutes)
    if curve.device_class == WORST:
        doubling = _between(curve.minutes, curve.low, last / 2) - end
        return max(end - doubling * log2(minutes / last), 0.0)
    worst = heat.curve(WORST, curve.device)
    lost = _low(worst, last, heat) - _low(worst, minutes, heat) if worst is not None else end
    return max(end - lost, 0.0)


def _between(places: Sequence[float], values: Sequence[float], place: float) -> float:
    """The value at a place on straight lines between points that rise in place; the last one after the last point."""
    after = bisect_right(places, place)
    if after == len(places):
        return float(values[-1])
    before = after - 1
    share = (place - places[before]) / (places[after] - places[before])
    return values[before] + share * (values[after] - values[before])
