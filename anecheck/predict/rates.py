"""How fast a target's engine is: fitted to published latencies where there are some, else carried over and marked."""

from __future__ import annotations

from typing import Final, NamedTuple

from anecheck.knowledge.evidence import FAMILIES
from anecheck.knowledge.rows import Chip, Rate
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import Target

TFLOPS: Final = "engine_fp16_tflops"


class Rates(NamedTuple):
    """What an engine does in a second, and how far that may be off.

    `tflops` are 1e12 floating-point operations a second, `gbps` 1e9 bytes a second, `floor_ms` what a call takes however small
    the program. Times may be larger or smaller by the factor `spread`. `standing` is "fitted", "family" (fitted on another chip
    of the family) or "other" (on another family), and `note` says from where the numbers come.
    """

    tflops: float
    gbps: float
    floor_ms: float
    int8_speedup: float
    spread: float
    standing: str
    note: str


def rates(target: Target, knowledge: Knowledge) -> Rates:
    """The rates of a target. A family stands for the first of its chips that was fitted, or for the first of all."""
    own = knowledge.rates.get(target.chip or "")
    spread = knowledge.rate_spread
    if own is not None:
        return Rates(
            own.tflops, own.gbps, own.floor_ms, own.int8_speedup, own.spread, "fitted",
            f"fitted to {own.fitted_to} published latencies on {own.name}",
        )  # fmt: skip
    model = _nearest(target.family, knowledge)
    source = knowledge.chips[model.chip]
    kin = source.family == target.family
    chip = knowledge.chips[target.chip or knowledge.families[target.family].chips[0]]
    if target.chip is None and kin:
        note = f"{source.name}'s, of the same family"
        return Rates(model.tflops, model.gbps, model.floor_ms, model.int8_speedup, spread["family"], "family", note)
    return Rates(
        model.tflops * _ratio(chip, source) if not kin else model.tflops,
        _bandwidth(chip, model, source, knowledge),
        _figure(chip, "dispatch_floor_ms") or model.floor_ms,
        model.int8_speedup,
        spread["family" if kin else "other"],
        "family" if kin else "other",
        f"carried over from {source.name}: nobody published latencies of known networks for it",
    )


def elsewhere(rates: Rates, knowledge: Knowledge) -> Rates:
    """The same for a function of which nothing runs on the engine: its time is Core ML's estimate for M4, and no latency."""
    note = "Core ML's own estimate for M4, by which it compares devices: nothing runs on the engine"
    return rates._replace(spread=knowledge.rate_spread["other"], standing="other", note=note)


def _nearest(family: str, knowledge: Knowledge) -> Rate:
    """The fitted chip of the family, or of the one nearest to it, the older of two."""
    order = {name: place for place, name in enumerate(FAMILIES)}
    return min(
        knowledge.rates.values(),
        key=lambda rate: (
            abs(order[knowledge.chips[rate.chip].family] - order[family]),
            knowledge.chips[rate.chip].year,
        ),
    )


def _ratio(chip: Chip, source: Chip) -> float:
    """How much faster a chip is by its nominal rate; 1 where Apple names none."""
    mine, theirs = _figure(chip, TFLOPS), _figure(source, TFLOPS)
    return mine / theirs if mine and theirs else 1.0


def _bandwidth(chip: Chip, model: Rate, source: Chip, knowledge: Knowledge) -> float:
    """What the engine was seen to draw; else the share of the memory's bandwidth that the fitted chip's engine draws."""
    drawn = _figure(chip, "engine_gbps")
    if drawn:
        return drawn
    mine, theirs = _figure(chip, "dram_gbps"), _figure(source, "dram_gbps")
    return min(model.gbps * mine / theirs, widest(knowledge)) if mine and theirs else model.gbps


def widest(knowledge: Knowledge) -> float:
    """GB/s that the fastest engine measured draws: wide memories give CPU and GPU more, not the engine."""
    return max(_figure(chip, "engine_gbps") for chip in knowledge.chips.values())


def _figure(chip: Chip, name: str) -> float:
    """A number of a chip; the middle of a range, and 0 where there is none."""
    value = chip.figures[name].value if name in chip.figures else 0.0
    if isinstance(value, tuple):
        numbers = [each for each in value if isinstance(each, (int, float))]
        return sum(numbers) / len(numbers) if numbers else 0.0
    return float(value) if isinstance(value, (int, float)) else 0.0
