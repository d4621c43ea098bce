"""What a report says of a predicted placement where it is asked for: every operation, what cuts the program, what would help."""

from __future__ import annotations

from dataclasses import replace

from anecheck.knowledge.evidence import Confidence, Device
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import Target
from anecheck.lint.engine import Judgement
from anecheck.lint.placement_report import (
    BoundaryReport,
    MendReport,
    OperationReport,
    PlacementReport,
    SegmentReport,
    ShortfallReport,
)
from anecheck.lint.reports import FunctionReport
from anecheck.lint.rule import GraphContext
from anecheck.lint.totals import devices_of
from anecheck.mil.graph import Node
from anecheck.predict.explain import best_mends, boundaries, shortfall
from anecheck.predict.placement import MICROSECONDS, Placed, Placement
from anecheck.predict.support import support
from anecheck.predict.whole import assumptions, doubts


def explained(
    report: FunctionReport, function: GraphContext, placement: Placement, judgement: Judgement, knowledge: Knowledge
) -> FunctionReport:
    """A function's report with its operations and the reasons of its plan."""
    return replace(
        report,
        operations=_operations(function, placement, judgement, knowledge),
        placement=_explanation(placement, judgement.target, knowledge),
    )


def _operations(
    function: GraphContext, placement: Placement, judgement: Judgement, knowledge: Knowledge
) -> list[OperationReport]:
    placed = {item.node: item for item in placement.operations}
    devices = devices_of(function.graph.running, placement)
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
