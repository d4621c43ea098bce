"""Conditions that keep a whole program from the engine, whatever its operations, and what a prediction assumes."""

from __future__ import annotations

from collections.abc import Sequence

from anecheck.knowledge.evidence import FAMILIES, Confidence, Device, cite
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import Target
from anecheck.mil.graph import Graph
from anecheck.mil.model import Feature, Interface
from anecheck.predict.cost import EXTRAPOLATED, ONE_SAMPLE
from anecheck.predict.placement import Placed, Placement, Reason

RANGE_OF_SHAPES = (
    cite("ct-flex", Confidence.DOCUMENTED),
    cite("ct2370", Confidence.COMMUNITY),
    cite("ct1029", Confidence.COMMUNITY),
)
SHAPES = "shapes"
"""The subject of reasons that lie in what shapes the inputs accept."""
WEIGHTS = "weights"
"""The subject of the reason that there are more bytes of weights than a release takes."""
INFREQUENT = {
    "ios": (17, 4),
    "ipados": (17, 4),
    "macos": (14, 4),
    "tvos": (17, 4),
    "visionos": (1, 1),
    "watchos": (10, 4),
}
"""The first releases on which an app can say that shapes change rarely, so that Core ML compiles for each shape it meets."""
NEWEST_MAC = {"macos": (27,)}
"""From this release of macOS on the limit on weights is the lower one."""


def whole_program_reasons(
    graph: Graph, interface: Interface | None, target: Target, knowledge: Knowledge
) -> tuple[Reason, ...]:
    """Say why the engine is out of the question for a function; empty where nothing is known against it."""
    inputs = interface.inputs if interface else ()
    reasons = [_range_reason(feature, target) for feature in inputs if is_flexible(feature, "range")]
    most = knowledge.limit("enumerated-shapes", target.family)
    for feature in inputs:
        count = len(feature.flexibility.shapes) if feature.flexibility and is_flexible(feature, "enumerated") else 0
        if most is not None and count > most.value:
            text = f"input '{feature.name}' lists {count} shapes, more than the {most.value:g} with which the engine is used"
            reasons.append(Reason(text, most.citations, knowledge.families_of(most.name), SHAPES))
    limit = knowledge.limit(weight_limit(target), target.family)
    weights = sum(value.type.byte_count or 0 for value in graph.weights)
    if limit is not None and weights > limit.value:
        text = f"weights of {weights / 2**30:.2f} GiB, more than the {limit.value / 2**30:g} GiB that are taken"
        reasons.append(Reason(text, limit.citations, knowledge.families_of(limit.name), WEIGHTS))
    convolutions, bound = len(graph.by_type.get("conv", ())), knowledge.limit("conv-layers", target.family)
    if bound is not None and convolutions >= bound.value:
        text = f"{convolutions} convolutions; with {bound.value:g} or more the engine's compiler failed"
        reasons.append(Reason(text, bound.citations, knowledge.families_of(bound.name)))
    return tuple(reasons)


def is_flexible(feature: Feature, kind: str) -> bool:
    """Whether an input accepts several shapes, as a "range" or "enumerated"."""
    return feature.flexibility is not None and feature.flexibility.kind == kind


def takes_hints(target: Target) -> bool:
    """Whether the target names a release on which an app can say how often shapes change."""
    return target.is_since(INFREQUENT) is True


def _range_reason(feature: Feature, target: Target) -> Reason:
    """Why a range of shapes keeps off the engine; where the app can ask for it, only as long as it does not."""
    condition = ", unless the app asks for reshapeFrequency = .infrequent" if takes_hints(target) else ""
    text = f"input '{feature.name}' accepts a range of shapes, with which Core ML does not use the engine{condition}"
    return Reason(text, RANGE_OF_SHAPES, FAMILIES, SHAPES)


def assumptions(target: Target, devices: Sequence[Device], knowledge: Knowledge) -> tuple[str, ...]:
    """What a prediction for a target takes for granted, in sentences."""
    found = []
    costs = knowledge.costs
    if target.family not in costs.families:
        measured = ", ".join(costs.families)
        found.append(f"estimates and switch costs were read on M4 ({measured}) and are carried over to {target.family}")
    elif target.chip not in {"m4", None}:
        found.append(f"estimates and switch costs were read on M4, of the same family as {target.chip}")
    if Device.GPU in devices:
        found.append(
            "no GPU estimate was ever published: its times and switches are placed by an older segmenter's relations"
        )
    return tuple(found)


def weight_limit(target: Target) -> str:
    """The name of the limit on weights that holds for a target: by release, or by kind of device where none is named."""
    newest = target.is_since(NEWEST_MAC)
    if newest is not None:
        return "model-weight-bytes-macos27" if newest else "model-weight-bytes-macos26"
    if target.chip and target.chip.startswith("m") and not target.os:
        return "model-weight-bytes-macos26"
    return "model-weight-bytes-ios"


def _is_known(placed: Placed) -> bool:
    return all(output.tensor is None or output.tensor.is_static for output in placed.node.outputs)


def doubts(placement: Placement) -> list[str]:
    """What a plan hangs on that nobody measured: estimates carried over, one-sample classes, borders never pinned down."""
    extrapolated = sorted(
        {
            placed.node.type
            for placed in placement.operations
            if _is_known(placed) and placed.estimate.standing == EXTRAPOLATED
        }
    )
    sampled = sorted(
        {placed.estimate.cost_class for placed in placement.operations if placed.estimate.standing == ONE_SAMPLE}
    )
    borders = sorted({placed.estimate.cost_class for placed in placement.operations if placed.estimate.near_border})
    found = []
    if any(not _is_known(placed) for placed in placement.operations):
        found.append("some sizes are unknown before the model runs, so the estimates are lower bounds")
    if extrapolated:
        found.append(f"never estimated by Core ML where anybody looked: {', '.join(extrapolated)}")
    if sampled:
        found.append(f"known from one sample: {'; '.join(sampled)}")
    if borders:
        found.append(f"near a border that is only bracketed: {'; '.join(borders)}")
    return found
