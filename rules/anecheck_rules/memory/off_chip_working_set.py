"""ANE402: working sets beyond what was seen to stay on the chip."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Match, ModelRule
from anecheck_rules.memory.values import SHOWN, amount, assessed

LIMIT = "on-chip-bytes"


class OffChipWorkingSet(ModelRule):
    """More is live at once on the engine than was seen to stay on the chip.

    ## Why it costs
    A product of matrices with 24 MiB of operands and result ran at full speed on M4, one with 96 MiB 30 % slower: the second
    no longer stayed on the chip. All that is live at the busiest operation of a function is added up here, inputs, outputs
    and states among it, as the engine lays it out.

    ## Instead
    - Bring down the peak: the finding names what is live there. Long skip connections keep large values alive through the
      network; a smaller picture or a shorter part of the sequence shrinks all of them.
    - Return no intermediate results that nobody reads: outputs are held from the beginning to the end.

    ## Contradictions
    The figure is rough and disputed. It was read on one M4 without Core ML, between two sizes a factor of four apart, and may
    include a cache that the whole chip shares; nothing up to the smaller of the two is flagged. Others warn from 32 MB on
    (Orion), without a measurement. Compiler tables know only a border for each operand (ANE401), and no sum.
    """

    code = "ANE402"
    name = "off-chip-working-set"
    severity = Severity.INFO
    rewrite = "bring down the peak: smaller pictures or parts of the sequence, shorter skip connections, fewer outputs"
    evidence = (cite("maderix", Confidence.REVERSE_ENGINEERED, "H16"),)
    covers = ("MM01",)
    limits = (LIMIT,)

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function whose peak on the engine is higher."""
        limit = context.limit(LIMIT)
        for function, assessment in assessed(context) if limit is not None else ():
            footprint = assessment.footprint
            position = footprint.peak_position
            if limit is None or position is None or footprint.peak <= limit.value:
                continue
            live = [buffer for buffer in footprint.live(position) if buffer.on_engine]
            total = sum(buffer.held for buffer in live)
            if total > limit.value:
                node = footprint.nodes[position]
                named = ", ".join(f"{buffer.value.name} {amount(buffer.held)}" for buffer in live[:3])
                yield self.finding(
                    f"{amount(total)} are live at {node.type} {node.name}, more than the {amount(limit.value)} that were "
                    f"seen to run at full speed; {len(live)} values, the largest {named}",
                    function=function,
                    related=(node,),
                    families=context.knowledge.families_of(LIMIT),
                    evidence=limit.citations,
                    live_bytes=total,
                    largest=[{"value": buffer.value.name, "bytes": buffer.held} for buffer in live[:SHOWN]],
                )
