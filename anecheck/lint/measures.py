"""From the numbers of a function, for one target, to what a report says of its memory and time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import isfinite

from anecheck.knowledge.evidence import Device
from anecheck.lint.footprint_report import (
    CopyReport,
    FootprintReport,
    HolderReport,
    MemoryTotal,
    OperationFootprint,
    OperationTimeReport,
    PeakReport,
    SegmentFootprint,
    TimingReport,
    TrafficReport,
    WeightFormReport,
)
from anecheck.lint.reports import FunctionReport
from anecheck.mil.graph import Node
from anecheck.mil.types import ListType, StateType, TensorType, Type
from anecheck.predict.assess import Assessment
from anecheck.predict.footprint import Buffer
from anecheck.predict.latency import OperationTime, elsewhere_us
from anecheck.predict.placement import MICROSECONDS
from anecheck.predict.weights import BLOCKWISE, INT8, PALETTE, SPARSE, Key, Weight, stored_and_resident
from anecheck.predict.work import CONTRACTIONS, operations, weight_bytes_read, work

LISTED = 10
"""How many of the largest values, and of the slowest operations, a report has."""
GIGA = 1e9
ELSEWHERE, NOTHING = "elsewhere", "nothing"
FORMS = {PALETTE: "palette", SPARSE: "sparse", INT8: "linear", BLOCKWISE: "linear in blocks"}


def with_footprint(report: FunctionReport, assessment: Assessment) -> FunctionReport:
    """Add to a function's report what it takes in memory and time."""
    return replace(report, footprint=footprint_report(assessment))


def footprint_report(assessment: Assessment) -> FootprintReport:
    """All that is told of a function's memory and time."""
    return _Measures(assessment).report()


def memory_total(labels: Sequence[str], assessments: Sequence[Assessment]) -> MemoryTotal:
    """The memory of a model; `labels` are its functions', a pipeline's with their part before the last slash."""
    peaks = [assessment.footprint.peak for assessment in assessments]
    weights: dict[Key, Weight] = {}
    for label, assessment in zip(labels, assessments, strict=True):
        part = label.rpartition("/")[0]
        for key, weight in assessment.weights.all.items():
            own = (part, *key)
            weights[own] = weight._replace(key=own)
    stored, resident = stored_and_resident(weights.values(), assessments[0].streams)
    return MemoryTotal(
        peak_bytes=max(peaks),
        peak_function=labels[peaks.index(max(peaks))],
        weight_stored_bytes=stored,
        weight_resident_bytes=resident,
    )


class _Measures:
    """The numbers of one function, put in a report's words."""

    def __init__(self, assessment: Assessment) -> None:
        self.assessment = assessment
        self.nodes = assessment.footprint.nodes
        self.devices = {placed.node.index: placed.device for placed in assessment.placement.operations}
        self.times = {row.node: row for row in assessment.timing.operations}
        self.placed = {placed.node: placed for placed in assessment.placement.operations}

    def report(self) -> FootprintReport:
        assessment = self.assessment
        footprint, rows = assessment.footprint, self._operations()
        standing = {
            kind: sum(buffer.held for buffer in footprint.buffers if buffer.kind == kind)
            for kind in ("input", "output", "state")
        }
        stored, resident = assessment.weight_bytes
        return FootprintReport(
            peak=self._peak(),
            largest=[self._holder(buffer) for buffer in footprint.largest()[:LISTED] if buffer.held],
            input_bytes=standing["input"],
            output_bytes=standing["output"],
            state_bytes=standing["state"],
            weight_stored_bytes=stored,
            weight_resident_bytes=resident,
            weight_forms=_forms(assessment.weights.all.values(), assessment.streams),
            traffic=TrafficReport(
                moved_bytes=sum(row.moved_bytes for row in rows),
                streamed_bytes=sum(row.streamed_bytes for row in rows),
                weight_bytes=sum(row.weight_bytes for row in rows),
                resident_limit_bytes=int(assessment.resident_bytes) if isfinite(assessment.resident_bytes) else None,
            ),
            copies=[
                CopyReport(
                    name=copy.value.name,
                    type=str(copy.value.type),
                    source=copy.source.value,
                    target=copy.target.value,
                    index=self.nodes[copy.position].index,
                    packed_bytes=copy.size,
                )
                for copy in assessment.copies
            ],
            segments=self._segments(rows),
            timing=self._timing(rows),
            unknown_sizes=sum(not _is_known(operand.type) for operand in footprint.of),
            operations=rows,
        )

    def _peak(self) -> PeakReport:
        footprint = self.assessment.footprint
        position = footprint.peak_position
        node = self.nodes[position] if position is not None else None
        live = footprint.live(position or 0)
        padded = sorted((each for each in live if each.held > each.packed), key=lambda each: each.packed - each.held)
        return PeakReport(
            held_bytes=footprint.peak,
            packed_bytes=sum(buffer.packed for buffer in live),
            position=position,
            index=node.index if node else None,
            name=node.name if node else None,
            type=node.type if node else None,
            holders=[self._holder(buffer) for buffer in live],
            padded=[self._holder(buffer) for buffer in padded[:LISTED]],
        )

    def _holder(self, buffer: Buffer) -> HolderReport:
        first, last = (self.nodes[at] if at < len(self.nodes) else None for at in (buffer.first, buffer.last))
        return HolderReport(
            name=buffer.value.name,
            kind=buffer.kind,
            type=str(buffer.value.type),
            held_bytes=buffer.held,
            packed_bytes=buffer.packed,
            first=first.index if first else 0,
            last=last.index if last else 0,
            first_operation=first.name if first else "",
            last_operation=last.name if last else "",
        )

    def _operations(self) -> list[OperationFootprint]:
        footprint = self.assessment.footprint
        return [
            self._operation(node, held, packed)
            for node, held, packed in zip(self.nodes, footprint.held, footprint.packed, strict=True)
        ]

    def _operation(self, node: Node, held: int, packed: int) -> OperationFootprint:
        assessment = self.assessment
        time, device = self.times.get(node), self.devices[node.index]
        here = device is Device.ANE
        forms = assessment.streams if here else frozenset[str]()  # what is expanded for others is read expanded
        return OperationFootprint(
            index=node.index,
            name=node.name,
            type=node.type,
            device=device.value,
            held_bytes=held,
            packed_bytes=packed,
            moved_bytes=work(node, assessment.alignment).moved,
            weight_bytes=weight_bytes_read(node, assessment.weights, forms),
            streamed_bytes=time.streamed_bytes if time else 0,
            gflop=operations(node) / GIGA if node.type in CONTRACTIONS else 0.0,
            estimated_us=(time.us if time else 0.0) if here else self._elsewhere(node),
            bound=(time.bound if time else NOTHING) if here else ELSEWHERE,
            block=list(node.block),
        )

    def _elsewhere(self, node: Node) -> float | None:
        placed = self.placed.get(node)
        return elsewhere_us(placed, self.assessment.weights) if placed else None

    def _segments(self, rows: Sequence[OperationFootprint]) -> list[SegmentFootprint]:
        assessment = self.assessment
        indices = [placed.node.index for placed in assessment.placement.operations]
        found, start = [], 0
        for segment in assessment.placement.segments:
            first, last = indices[segment.first], indices[segment.last]
            end = start
            while end < len(rows) and rows[end].index <= last:
                end += 1
            inside, nodes = rows[start:end], self.nodes[start:end]
            here = segment.device is Device.ANE
            forms = assessment.streams if here else frozenset[str]()
            used = {weight.key: weight for node in nodes for weight in assessment.weights.of_node.get(node, ())}
            times = [self.times[node] for node in nodes if node in self.times]
            found.append(
                SegmentFootprint(
                    device=segment.device.value,
                    operations=segment.count,
                    first=first,
                    last=last,
                    peak_bytes=max(row.held_bytes for row in inside),
                    weight_bytes=sum(weight.read(forms) for weight in used.values()),
                    gflop=sum(row.gflop for row in inside),
                    estimated_ms=_together_ms(times)
                    if here
                    else sum(row.estimated_us or 0.0 for row in inside) / MICROSECONDS,
                )
            )
            start = end
        return found

    def _timing(self, rows: Sequence[OperationFootprint]) -> TimingReport:
        timing = self.assessment.timing
        rates = timing.rates
        on_engine = any(row.device == Device.ANE.value for row in rows)
        slowest = sorted((row for row in rows if row.estimated_us), key=lambda row: -(row.estimated_us or 0.0))
        return TimingReport(
            estimated_ms=timing.ms,
            low_ms=timing.range[0] if on_engine else None,
            high_ms=timing.range[1] if on_engine else None,
            floor_ms=timing.floor,
            arithmetic_ms=timing.arithmetic,
            weights_ms=timing.weights,
            streamed_ms=timing.streamed,
            elsewhere_ms=timing.elsewhere,
            switches_ms=timing.switches,
            bound=timing.bound,
            standing=rates.standing,
            note=rates.note,
            tflops=rates.tflops,
            gbps=rates.gbps,
            int8_speedup=rates.int8_speedup,
            slowest=[
                OperationTimeReport(
                    index=row.index,
                    name=row.name,
                    type=row.type,
                    device=row.device,
                    estimated_us=row.estimated_us or 0.0,
                    bound=row.bound,
                )
                for row in slowest[:LISTED]
            ],
        )


def _together_ms(times: Iterable[OperationTime]) -> float:
    """What operations on the engine take one after the other: weights stream ahead of the arithmetic."""
    rows = list(times)
    arithmetic, weights = sum(row.arithmetic_us for row in rows), sum(row.weights_us for row in rows)
    return (max(arithmetic, weights) + sum(row.streamed_us for row in rows)) / MICROSECONDS


def _forms(weights: Iterable[Weight], streams: frozenset[str]) -> list[WeightFormReport]:
    """Weights by the form in which they are stored, the largest first."""
    groups: dict[frozenset[str], list[Weight]] = {}
    for weight in weights:
        groups.setdefault(weight.needs, []).append(weight)
    reports = []
    for needs, group in groups.items():
        stored, resident = stored_and_resident(group, streams)
        form = ", ".join(FORMS.get(need, need) for need in sorted(needs)) or "uncompressed"
        reports.append(
            WeightFormReport(
                form=form,
                count=len(group),
                stored_bytes=stored,
                resident_bytes=resident,
                read_as_stored=needs <= streams,
            )
        )
    return sorted(reports, key=lambda report: -report.stored_bytes)


def _is_known(kind: Type) -> bool:
    """Whether the size of a value is known before the model runs."""
    if isinstance(kind, StateType):
        return _is_known(kind.wrapped)
    if isinstance(kind, ListType):
        return kind.length is not None and _is_known(kind.element)
    return not isinstance(kind, TensorType) or kind.is_static
