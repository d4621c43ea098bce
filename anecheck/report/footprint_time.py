"""How long a prediction is estimated to take, as a person reads it: its parts, what would change each, and the slowest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from anecheck.lint.footprint_report import FootprintReport, TimingReport
from anecheck.report.escape import short_name, visible
from anecheck.report.paper import Paper, Style
from anecheck.report.units import digits, megabytes, milliseconds, plural

BOLD, DIM = Style(bold=True), Style(dim=True)
SLOWEST_SHOWN = 5
MOST: Final = {
    "arithmetic": "most of it arithmetic",
    "weights": "most of it waiting for weights",
    "values": "most of it waiting for values that leave the chip",
    "floor": "most of it what any call takes",
    "elsewhere": "most of it off the engine",
}
WAITS: Final = {
    "arithmetic": ": arithmetic",
    "weights": ": waits for weights",
    "values": ": waits for values",
    "nothing": "",
}


class Part(NamedTuple):
    """A part of the time in milliseconds, what it is and what would change it; one that others hide adds nothing."""

    ms: float
    text: str
    is_hidden: bool = False


def write_time(paper: Paper, footprint: FootprintReport) -> None:
    """Write the time's range and parts, the largest first, the operations that take longest, and where that comes from."""
    timing = footprint.timing
    between = (
        f", {digits(timing.low_ms)} to {milliseconds(timing.high_ms)}"
        if timing.low_ms is not None and timing.high_ms is not None
        else ""
    )
    head = f"time: {milliseconds(timing.estimated_ms)} estimated{between}; {MOST[timing.bound]}"
    paper.paragraph(head, 2, lead=("time", BOLD))
    for part in sorted(_parts(footprint), key=lambda part: -part.ms):
        size = f"({milliseconds(part.ms)})" if part.is_hidden else f"{milliseconds(part.ms)} "
        paper.paragraph(f"{size:>11} {part.text}", 4, hang=12)
    if timing.slowest:
        paper.paragraph("operations that take longest, each by itself", 2, BOLD)
    for row in timing.slowest[:SLOWEST_SHOWN]:
        what = WAITS[row.bound] if row.device == "ane" else f", on {row.device}"
        paper.paragraph(
            f"{digits(row.estimated_us):>6} µs  #{row.index} {visible(row.type)} {short_name(row.name)}{what}",
            4,
            hang=11,
        )
    paper.paragraph(_standing(timing), 2, DIM)


def span(first: int, last: int) -> str:
    """The operations from one index to another."""
    return f"#{first}" if first == last else f"#{first}–#{last}"


def _parts(footprint: FootprintReport) -> Iterator[Part]:
    timing = footprint.timing
    arithmetic, weights = timing.arithmetic_ms, timing.weights_ms
    engine = [operation for operation in footprint.operations if operation.device == "ane"]
    if arithmetic:
        count = f"arithmetic: {digits(sum(operation.gflop for operation in engine))} GFLOP at {digits(timing.tflops)} TFLOPS"
        yield _arithmetic(timing, count)
    if weights:
        read = megabytes(sum(operation.weight_bytes for operation in engine))
        text = f"weights: {read} at {digits(timing.gbps)} GB/s"
        if weights > arithmetic:
            won = f"smaller ones, in a form that the engine reads as stored, win up to {milliseconds(weights - arithmetic)}"
            yield Part(weights, f"{text}; {won}" + (", then arithmetic decides" if arithmetic else ""))
        else:
            yield Part(weights, f"{text}, hidden behind the arithmetic: smaller ones win nothing", is_hidden=True)
    if timing.streamed_ms:
        touching = plural(sum(bool(operation.streamed_bytes) for operation in engine), "operation")
        limit = footprint.traffic.resident_limit_bytes
        why = f", being larger than {megabytes(limit)}" if limit else ""
        yield Part(
            timing.streamed_ms,
            f"values: {megabytes(footprint.traffic.streamed_bytes)} stream through memory at {touching}{why}; "
            "values that stay on the chip cost none of this",
        )
    if timing.floor_ms:
        yield Part(timing.floor_ms, "a call, however small the program: nothing in it changes that")
    if timing.elsewhere_ms:
        off = sum(operation.device != "ane" for operation in footprint.operations)
        yield Part(
            timing.elsewhere_ms,
            f"off the engine: {plural(off, 'operation')}; `anecheck placement` says what would bring "
            f"{'it' if off == 1 else 'them'} there",
        )
    if timing.switches_ms:
        changes = plural(max(len(footprint.segments) - 1, 0), "change")
        yield Part(timing.switches_ms, f"{changes} of device; `anecheck placement` says what forces them")


def _arithmetic(timing: TimingReport, count: str) -> Part:
    arithmetic, weights = timing.arithmetic_ms, timing.weights_ms
    if weights > arithmetic:
        return Part(arithmetic, f"{count}, hidden behind the weights: less of it wins nothing", is_hidden=True)
    eight = (
        f"; 8-bit values times 8-bit weights are {timing.int8_speedup:.3g}× as fast" if timing.int8_speedup > 1 else ""
    )
    then = ", then weights decide" if weights else ""
    return Part(arithmetic, f"{count}; less of it wins up to {milliseconds(arithmetic - weights)}{then}{eight}")


def _standing(timing: TimingReport) -> str:
    sentences = ["Estimated, not measured"]
    if timing.low_ms is None:
        sentences.append("Nothing is predicted to run on the engine")
    elif timing.standing == "fitted":
        sentences.append(f"The engine's rates are {timing.note}: nine in ten published times lay within such a range")
    else:
        sentences.append(f"The engine's rates are {timing.note}; the range is widened for that")
    if timing.elsewhere_ms:
        sentences.append("What runs off the engine takes what Core ML estimates for M4")
    return ". ".join(visible(sentence) for sentence in sentences) + "."
