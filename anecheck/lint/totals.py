"""From a predicted placement to the totals of a report."""

from __future__ import annotations

from anecheck.knowledge.evidence import Device
from anecheck.lint.engine import Judgement
from anecheck.lint.reports import FunctionReport, LatencyReport, Summary
from anecheck.lint.rule import GraphContext
from anecheck.mil.graph import Node
from anecheck.predict.assess import Assessment
from anecheck.predict.placement import Placement


def function_report(function: GraphContext, assessment: Assessment, judgement: Judgement) -> FunctionReport:
    """Count a function's operations by predicted device."""
    graph, placement = function.graph, assessment.placement
    running = graph.running
    devices = devices_of(running, placement)
    off = sum(Device.ANE in judgement.blockers.get(node, {}) for node in running)
    return FunctionReport(
        name=function.label,
        opset=graph.function.opset,
        summary=Summary(
            operations=len(running),
            off_engine=off,
            ane=sum(device is Device.ANE for device in devices.values()),
            gpu=sum(device is Device.GPU for device in devices.values()),
            cpu=sum(device is Device.CPU for device in devices.values()),
            segments=len(placement.segments),
            switches=placement.switches,
            estimated_ms=placement.total_ms,
            peak_working_set_bytes=assessment.footprint.peak,
            weight_bytes=sum(value.type.byte_count or 0 for value in graph.weights),
            resident_weight_bytes=assessment.weight_bytes[1],
            has_unknown_sizes=assessment.has_unknown_sizes,
            latency=_latency(assessment),
        ),
    )


def _latency(assessment: Assessment) -> LatencyReport:
    timing = assessment.timing
    low, high = timing.range
    return LatencyReport(ms=timing.ms, low_ms=low, high_ms=high, standing=timing.rates.standing, bound=timing.bound)


def devices_of(running: list[Node], placement: Placement) -> dict[Node, Device]:
    """The device of every operation; one in a nested block goes with the operation around it."""
    outer = {placed.node.index: placed.device for placed in placement.operations}
    return {node: outer[node.index] for node in running}
