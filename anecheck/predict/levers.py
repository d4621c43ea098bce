"""What would make a prediction faster, each worked out by the same formula as the estimate itself."""

from __future__ import annotations

from typing import Final, NamedTuple

from anecheck.predict.assess import Assessment
from anecheck.predict.latency import Timing
from anecheck.predict.weights import INT8, PALETTE
from anecheck.predict.work import weight_bytes_read

WORTH: Final = 0.95
"""What leaves more of the time than this is not worth a word."""
PALETTE_BITS, INT8_BITS, DENSE_BITS = 4, 8, 16


class Lever(NamedTuple):
    """Something to do, and the milliseconds that the prediction is then estimated to take."""

    text: str
    ms: float


def levers(assessment: Assessment) -> list[Lever]:
    """What would help, the most effective first; empty where only the floor is left."""
    timing = assessment.timing
    found = [*_elsewhere(timing), *_weights(assessment), *_eight_bits(assessment), *_smaller(assessment)]
    return sorted((lever for lever in found if lever.ms < WORTH * timing.ms), key=lambda lever: lever.ms)


def _elsewhere(timing: Timing) -> list[Lever]:
    """The engine's part alone; of a program that has none there nothing would be left."""
    if not timing.elsewhere or not timing.floor:
        return []
    return [Lever("keep the operations on the CPU out of the model, or mend them", _total(timing, elsewhere=0.0))]


def _weights(assessment: Assessment) -> list[Lever]:
    palettes = _stored_as(PALETTE_BITS, assessment)
    if PALETTE not in assessment.streams or palettes >= 1:
        return []
    return [Lever("palettize the weights to 4 bits", _total(assessment.timing, weights=palettes))]


def _eight_bits(assessment: Assessment) -> list[Lever]:
    timing = assessment.timing
    speedup = timing.rates.int8_speedup
    if speedup <= 1 or INT8 not in assessment.streams or any(row.is_int8 for row in timing.operations):
        return []
    text = "quantize weights and activations to 8 bits"
    weights = _stored_as(INT8_BITS, assessment)
    return [Lever(text, _total(timing, arithmetic=1 / speedup, weights=weights, streamed=0.5))]


def _stored_as(bits: int, assessment: Assessment) -> float:
    """The bytes that a prediction would read of weights of so many bits, over those that it reads as they are."""
    rows = assessment.timing.operations
    read = sum(row.weight_bytes for row in rows)
    dense = sum(weight_bytes_read(row.node, assessment.weights, frozenset()) for row in rows)
    return dense * bits / DENSE_BITS / read if read else 1.0


def _smaller(assessment: Assessment) -> list[Lever]:
    """Half the pixels, where the model looks at pictures."""
    pictures = any(
        (tensor := operand.tensor) is not None and tensor.rank == 4 and (tensor.shape[-1] or 0) >= 64
        for operand in assessment.graph.inputs
    )
    if not pictures:
        return []
    return [
        Lever(
            "give it half the pixels (0.7 of width and height)", _total(assessment.timing, arithmetic=0.5, streamed=0.5)
        )
    ]


def _total(
    timing: Timing, *, arithmetic: float = 1.0, weights: float = 1.0, streamed: float = 1.0, elsewhere: float = 1.0
) -> float:
    """The estimate with each part at a share of what it is."""
    return (
        timing.floor
        + max(timing.arithmetic * arithmetic, timing.weights * weights)
        + timing.streamed * streamed
        + (timing.elsewhere + timing.switches) * elsewhere
    )
