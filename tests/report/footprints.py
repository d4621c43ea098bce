"""Hand-made footprints: every field has a value, and a test sets those that it is about."""

from __future__ import annotations

from typing import Any

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
)
from anecheck.lint.reports import FunctionReport, ModelReport, Report, Summary, TargetReport, ToolReport


def made(kind: type[Any], usual: dict[str, Any], fields: dict[str, Any]) -> Any:  # noqa: ANN401  # as the class
    return kind(**{**usual, **fields})


def operation(index: int, held: int = 1_000_000, **fields: object) -> OperationFootprint:
    usual = {
        "index": index, "name": f"o{index}", "type": "conv", "device": "ane", "held_bytes": held, "packed_bytes": held,
        "moved_bytes": 7, "weight_bytes": 4_000_000, "streamed_bytes": 0, "gflop": 1.5, "estimated_us": 2.0,
        "bound": "arithmetic",
    }  # fmt: skip
    result: OperationFootprint = made(OperationFootprint, usual, fields)
    return result


def holder(name: str, held: int, packed: int | None = None) -> HolderReport:
    return HolderReport(
        name=name, kind="value", type="fp16[1, 8]", held_bytes=held, packed_bytes=held if packed is None else packed,
        first=1, last=2, first_operation="o1", last_operation="o2",
    )  # fmt: skip


def peak(*holders: HolderReport, **fields: object) -> PeakReport:
    held = sum(each.held_bytes for each in holders)
    packed = sum(each.packed_bytes for each in holders)
    padded = [each for each in holders if each.held_bytes > each.packed_bytes]
    usual = {
        "held_bytes": held, "packed_bytes": packed, "position": 1, "index": 1, "name": "o1", "type": "conv",
        "holders": list(holders), "padded": padded,
    }  # fmt: skip
    result: PeakReport = made(PeakReport, usual, fields)
    return result


def timing(**fields: object) -> TimingReport:
    usual = {
        "estimated_ms": 4.0, "low_ms": 2.0, "high_ms": 8.0, "floor_ms": 0.5, "arithmetic_ms": 3.5, "weights_ms": 1.25,
        "streamed_ms": 0.0, "elsewhere_ms": 0.0, "switches_ms": 0.0, "bound": "arithmetic", "standing": "fitted",
        "note": "fitted to 6 published latencies on A17 Pro", "tflops": 6.29, "gbps": 51.0, "int8_speedup": 2.0,
        "slowest": [],
    }  # fmt: skip
    result: TimingReport = made(TimingReport, usual, fields)
    return result


def footprint(**fields: object) -> FootprintReport:
    usual = {
        "peak": peak(holder("big", 3_000_000), holder("small", 1_000_000)), "largest": [], "input_bytes": 0,
        "output_bytes": 0, "state_bytes": 0, "weight_stored_bytes": 8_000_000, "weight_resident_bytes": 8_000_000,
        "weight_forms": [], "copies": [], "segments": [], "timing": timing(), "unknown_sizes": 0,
        "traffic": TrafficReport(moved_bytes=0, streamed_bytes=0, weight_bytes=0, resident_limit_bytes=2_097_152),
        "operations": [operation(0), operation(1, 4_000_000), operation(2, 2_000_000)],
    }  # fmt: skip
    result: FootprintReport = made(FootprintReport, usual, fields)
    return result


def report(*footprints: FootprintReport, memory: MemoryTotal | None = None) -> Report:
    functions = [
        FunctionReport(
            name="main" if len(footprints) == 1 else f"f{number}",
            opset="ios18",
            summary=Summary(operations=len(each.operations), off_engine=0, weight_bytes=0),
            footprint=each,
        )
        for number, each in enumerate(footprints)
    ]
    target = TargetReport(chip="a17pro", family="H16", os=None, compute_units="cpu-and-ne")
    model = ModelReport(path="model.mlpackage", kind="mlprogram", functions=functions, memory=memory)
    return Report(tool=ToolReport(name="anecheck", version="0"), target=target, targets=[target], models=[model])


def segment(**fields: object) -> SegmentFootprint:
    usual = {
        "device": "ane", "operations": 10, "first": 0, "last": 9, "peak_bytes": 4_000_000, "weight_bytes": 8_000_000,
        "gflop": 1.5, "estimated_ms": 0.25,
    }  # fmt: skip
    result: SegmentFootprint = made(SegmentFootprint, usual, fields)
    return result


def copy(name: str) -> CopyReport:
    return CopyReport(name=name, type="fp16[1]", source="ane", target="cpu", index=4, packed_bytes=500_000)


def slow(name: str, device: str = "ane", bound: str = "weights") -> OperationTimeReport:
    return OperationTimeReport(index=7, name=name, type="conv", device=device, estimated_us=92.5, bound=bound)
