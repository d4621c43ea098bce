"""From a predicted placement to the totals, operations and explanations of a report."""

from __future__ import annotations

from anecheck.knowledge.evidence import Confidence, Device
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import Target
from anecheck.lint.engine import Judgement
from anecheck.lint.reports import (
    BoundaryReport,
    FunctionReport,
    LatencyReport,
    MendReport,
    OperationReport,
    PlacementReport,
    SegmentReport,
    ShortfallReport,
    Summary,
)
from anecheck.lint.rule import GraphContext
from anecheck.mil.graph import Node
from anecheck.predict.assess import Assessment
from anecheck.predict.explain import best_mends, boundaries, shortfall
from anecheck.predict.placement import MICROSECONDS, Placed, Placement
from anecheck.predict.support import support
from anecheck.predict.whole import assumptions, doubts


def function_report(
    function: GraphContext, assessment: Assessment, judgement: Judgement, knowledge: Knowledge, *, operations: bool
) -> FunctionReport:
    """Count a function's operations by predicted device; with `operations`, list them and explain the plan."""
    graph, placement = function.graph, assessment.placement
    running = graph.running
    devices = _devices(running, placement)
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
        operations=_operations(function, placement, judgement, knowledge) if operations else None,
        placement=_explanation(placement, judgement.target, knowledge) if operations else None,
    )


def _latency(assessment: Assessment) -> LatencyReport:
    timing = assessment.timing
    low, high = timing.range
    return LatencyReport(ms=timing.ms, low_ms=low, high_ms=high, standing=timing.rates.standing, bound=timing.bound)


def _devices(running: list[Node], placement: Placement) -> dict[Node, Device]:
    """The device of every operation; one in a nested block goes with the operation around it."""
    outer = {placed.node.index: placed.device for placed in placement.operations}
    return {node: outer[node.index] for node in running}


def _operations(
    function: GraphContext, placement: Placement, judgement: Judgement, knowledge: Knowledge
) -> list[OperationReport]:
    placed = {item.node: item for item in placement.operations}
    devices = _devices(function.graph.running, placement)
    return [
        _operation(node, placed.get(node), devices.get(node), judgement, knowledge) for node in function.graph.nodes
    ]


def _operation(
    node: Node, placed: Placed | None, device: Device | None, judgement: Judgement, knowledge: Knowledge
) -> OperationReport:
    able = placed.support if placed else support(node, judgement.blockers, knowledge)
    estimate = placed.estimate if placed else None
    return OperationReport(
        index=node.index,
        name=node.name,
        type=node.type,
        device=device.value if device else None,
        supported=[other.value for other in Device if other in able.devices],
        blockers=list(able.blockers.get(Device.ANE, ())),
        tie=[other.value for other in placed.tie] if placed else [],
        estimated_us={other.value: getattr(estimate, other.value) for other in Device} if estimate else {},
        block=list(node.block),
    )


def _explanation(placement: Placement, target: Target, knowledge: Knowledge) -> PlacementReport:
    doubted = doubts(placement)
    measured = target.family in knowledge.costs.families and not doubted
    short = shortfall(placement)
    names = [placed.node.name for placed in placement.operations]
    indices = [placed.node.index for placed in placement.operations]
    return PlacementReport(
        segments=[
            SegmentReport(
                device=segment.device.value,
                first=indices[segment.first],
                last=indices[segment.last],
                operations=segment.count,
                estimated_us=segment.us,
            )
            for segment in placement.segments
        ],
        boundaries=[
            BoundaryReport(
                index=indices[cut.position],
                source=cut.source.value,
                target=cut.target.value,
                cut_by=names[cut.cut_by] if cut.cut_by is not None else None,
                cut_by_type=placement.operations[cut.cut_by].node.type if cut.cut_by is not None else None,
                blockers=list(cut.codes),
            )
            for cut in boundaries(placement)
        ],
        mends=[
            MendReport(
                operations=[names[position] for position in mend.positions],
                blockers=list(mend.codes),
                segments=mend.segments,
                switches=mend.switches,
                estimated_ms=mend.total_us / MICROSECONDS,
                won_ms=mend.won_us / MICROSECONDS,
            )
            for mend in best_mends(placement)
        ],
        shortfall=ShortfallReport(saved_ms=short.saved_us / MICROSECONDS, cost_ms=short.cost_us / MICROSECONDS)
        if short
        else None,
        whole_program=[reason.text for reason in placement.whole],
        assumptions=list(assumptions(target, placement.problem.devices, knowledge)),
        confidence=Confidence.MEASURED if measured else Confidence.EXTRAPOLATED,
        doubts=doubted,
    )
