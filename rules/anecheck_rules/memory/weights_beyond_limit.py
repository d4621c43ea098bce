"""ANE404: more weights than the system takes to the engine, and where to cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Match, ModelRule
from anecheck.mil.graph import Node
from anecheck.predict.whole import WEIGHTS, weight_limit
from anecheck_rules.memory.values import amount, assessed

CHUNK = "model-chunk-bytes-ios"
NAMED = 3
"""How many cuts a message names; all are in the data."""

if TYPE_CHECKING:
    from anecheck.predict.cuts import Plan


class WeightsBeyondLimit(ModelRule):
    """There are more weights than the system takes to the engine, so the whole program stays off it.

    ## Why it leaves the engine
    About 1 GB is taken on iPhones, and 1 or 2 GiB on Macs by release. A larger model loads and runs, all of it on the CPU, and
    nothing says so.

    ## Instead
    - Cut the model into a chain of models. The finding names cuts that leave no part with too much, and of those the ones
      that hand the fewest bytes from part to part; for iPhones parts of 950 MB are aimed at, as ANEMLL cuts them. A weight
      that several parts use is counted, and stored, in each. `coremltools.models.utils.bisect_model` cuts a model in two
      in the middle; to cut elsewhere, convert the parts of the PyTorch model one by one.
    - Or compress the weights, to 4-bit palettes for instance: it is the size of the weight file that is compared.

    ## Known exceptions
    Only what one function refers to is counted. A single operation with more than a part may have cannot be cut: make two
    layers of it, or compress it.

    ## Contradictions
    Reports differ: 1.0 to 1.4 GB on one iPhone, 2 to 3 GB in a single function on M1. The limits here are those of Apple's
    documentation for iPhones, and those found in the system for Macs.
    """

    code = "ANE404"
    name = "weights-beyond-limit"
    rewrite = "cut the model where little is handed over, or compress its weights"
    evidence = (
        cite("ct-bisect", Confidence.DOCUMENTED),
        cite("eeane", Confidence.MEASURED, "H14"),
        cite("anemll", Confidence.COMMUNITY),
    )
    covers = ("MM04",)
    limits = ("model-weight-bytes-ios", "model-weight-bytes-macos26", "model-weight-bytes-macos27", CHUNK)

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function that is off the engine for its weights, and say where to cut."""
        for function, assessment in assessed(context):
            for reason in assessment.placement.whole:
                if reason.subject != WEIGHTS:
                    continue
                part, nodes = _part(context), assessment.footprint.nodes
                from anecheck.predict.cuts import cut  # noqa: PLC0415  # only where something has to be cut

                plan = cut(assessment.footprint, assessment.weights, part)
                places = list(zip(plan.positions, plan.handed, strict=True)) if plan is not None else []
                yield self.finding(
                    f"{reason.text}; {_advice(plan, nodes, part)}",
                    function=function,
                    related=tuple(nodes[position] for position, _ in places),
                    families=reason.families,
                    evidence=reason.citations,
                    cuts=[{"before": nodes[position].name, "bytes": size} for position, size in places],
                    part_bytes=list(plan.parts) if plan is not None else [],
                )


def _advice(plan: Plan | None, nodes: Sequence[Node], part: float) -> str:
    """Where to cut, in words."""
    if plan is None:
        return f"no cut leaves every part with {amount(part)} or less: compress or split its largest layers"
    if not plan.positions:
        return "compress them"
    places = [
        f"{nodes[position].name} (hands over {amount(size)})"
        for position, size in zip(plan.positions, plan.handed, strict=True)
    ]
    more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
    parts = f"{len(plan.parts)} parts of at most {amount(max(plan.parts))}"
    return f"cut it into {parts}, before {', '.join(places[:NAMED])}{more}"


def _part(context: Context) -> float:
    """The bytes of weights that a part may have: what is taken, and on iPhones what others aim at."""
    name = weight_limit(context.target)
    limits = [context.limit(name), context.limit(CHUNK) if name == "model-weight-bytes-ios" else None]
    return min((limit.value for limit in limits if limit is not None), default=0)
