"""ANE409: predictions that wait for their weights, at a rate that is wanted."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.calls import Call
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Match, ModelRule
from anecheck.predict.budget import frame_verdict
from anecheck.predict.latency import OperationTime
from anecheck.predict.weights import BLOCKWISE, INT8, PALETTE
from anecheck_rules.forms.budgets import calls, megabytes, ms, of, on

MOST = 3
"""How many operations are named."""
FORMS = ((PALETTE, "4-bit palettes", 4), (INT8, "8 bits a channel", 2), (BLOCKWISE, "4 bits a block", 4))
"""Forms of compressed weights, with how many times less than fp16 they have to read."""


class BandwidthBound(ModelRule):
    """At the rate that is wanted, reading the weights takes longer than computing with them.

    ## What it means
    Said only where a rate was asked for and is missed, or may be (`--fps`). Every prediction reads all weights from memory. A
    layer that uses each weight once, as a linear layer does for a single token, waits for them: the engine draws 50 to 60
    GB/s on phones and on most Macs and about 120 on the largest, not what the chip's memory gives to CPU and GPU.

    The same is why compression of weights makes some models faster and others not. Where the arithmetic takes longer than the
    reading, fewer bytes win nothing: Apple's ResNet-50 went from 1.52 to 1.43 ms on A16 with weights of 2 bits in place
    of 16. Where the reading takes longer, the time falls with the bytes, if the chip reads the form as it is stored.

    ## Instead
    Compress to a form that the chip reads: palettes from A14 and M1 on, 8 bits with a scale for each channel from A15
    and M2 on, scales for blocks from A16 and M3 on (as a compiler table has it). Or use each weight more often in one call:
    several tokens, several pictures.
    """

    code = "ANE409"
    name = "bandwidth-bound"
    severity = Severity.INFO
    per_target = True
    rewrite = "compress the weights to a form that the chip reads as it is stored, or do more in one call"
    covers = ("MM10", "QZ12")
    evidence = (
        cite("latency-fit", Confidence.ESTIMATED, "H13", "H14", "H15", "H16"),
        cite("anemll-bench", Confidence.COMMUNITY, "H13", "H14", "H15", "H16", "H17"),
        cite("guide25", Confidence.REVERSE_ENGINEERED),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each prediction that waits for its weights and has no time to."""
        if context.budgets.fps is None:
            return
        for call in calls(context):
            verdict = frame_verdict(context.budgets, call.ms)
            parts = [part for part in call.parts if part.timing.bound == "weights"]
            if not parts or not (verdict.is_missed or verdict.is_doubtful):
                continue
            rows = [row for part in parts for row in part.timing.operations if row.weights_us > row.arithmetic_us]
            read = sum(row.weight_bytes for part in parts for row in part.timing.operations)
            timing = parts[0].timing
            yield self.finding(
                f"{on(context)}{of(call)}{megabytes(read)} of weights are read for each prediction, {ms(timing.weights)} ms at "
                f"{timing.rates.gbps:g} GB/s, where the arithmetic takes {ms(timing.arithmetic)} ms; {len(rows)} operations "
                f"wait for theirs, most of all {_named(rows)}. {_bought(call, context)}",
                function=call.functions[0] if call.label else None,
                families=(context.target.family,),
                related=tuple(row.node for row in sorted(rows, key=lambda row: -row.weights_us)[:MOST]),
                weight_bytes=read,
                weights_ms=timing.weights,
                arithmetic_ms=timing.arithmetic,
            )


def _named(rows: list[OperationTime]) -> str:
    longest = sorted(rows, key=lambda row: -row.weights_us)[:MOST]
    return ", ".join(f"{row.node.name} ({megabytes(row.weight_bytes)})" for row in longest)


def _bought(call: Call, context: Context) -> str:
    """What each form of compression would leave of the reading, and on which families."""
    dense = sum(weight.dense for part in call.parts for weight in part.weights.all.values())
    gbps = call.parts[0].rates.gbps
    told = []
    for need, form, times in FORMS:
        families = context.knowledge.families_with(need)
        where = f"from {families[0]} on" if families else "nowhere"
        told.append(f"{form} would take {ms(dense / times / gbps / 1e6)} ms ({where})")
    return ", ".join(told)
