"""ANE410: models that take more memory than a limit that somebody set."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.calls import Call
from anecheck.lint.rule import Context, Match, ModelRule
from anecheck.predict.assess import Assessment
from anecheck_rules.forms.budgets import calls, megabytes, of, on

MOST = 3
"""How many values are named."""


class MemoryLimit(ModelRule):
    """Weights and working set together take more than the limit that was set.

    ## What it means
    Said only with `--memory-limit`. Counted are the weights as memory holds them on the target, and the most that is live at
    once: inputs, outputs and states all the time, other values from the operation that makes them to the last that uses them, as
    the engine lays them out.

    An app is ended at about half of the memory of a phone with 4 to 6 GB, and at 3 GB on one with 8 unless it asks for more.
    Most of what the engine holds is charged to another process of the system, and counts for the device all the same.

    ## Instead
    - Where the working set is what is large, the message names the values that hold the peak, and what would be live without
      it. Cut the operations there into parts that work through half of the picture or sequence each, or give the model a
      smaller picture: half the pixels are half of each such value.
    - Where the weights are, compress them, or cut the model and load one part at a time.
    """

    code = "ANE410"
    name = "memory-limit"
    engine_only = False
    per_target = True
    rewrite = "cut where the peak is, use a smaller picture, or compress the weights"
    evidence = (cite("ml-ane-tf", Confidence.DOCUMENTED), cite("guide25", Confidence.REVERSE_ENGINEERED))

    def check(self, context: Context) -> Iterator[Match]:
        """Flag a model with more."""
        limit = context.budgets.memory_limit
        if limit is None:
            return
        for call in calls(context):
            size = call.memory_bytes
            if size <= limit:
                continue
            largest = max(call.parts, key=lambda part: part.footprint.peak)
            yield self.finding(
                f"{on(context)}{of(call)}{megabytes(size)} ({megabytes(call.resident_bytes)} of weights, "
                f"{megabytes(call.peak_bytes)} of working set), {megabytes(size - limit)} more than the limit of "
                f"{megabytes(limit)}; {_advice(call, largest)}",
                function=call.functions[0] if call.label else None,
                families=(context.target.family,),
                budget_bytes=limit,
                resident_weight_bytes=call.resident_bytes,
                peak_working_set_bytes=call.peak_bytes,
            )


def _advice(call: Call, part: Assessment) -> str:
    """What holds most, and where cutting it would help."""
    if call.resident_bytes > call.peak_bytes:
        dense = sum(weight.dense for each in call.parts for weight in each.weights.all.values())
        return f"the weights are most of it; with 4 bits they would be {megabytes(dense / 4)}"
    footprint = part.footprint
    position = footprint.peak_position
    if position is None:
        return "inputs, outputs and states are all of it"
    holders = footprint.live(position)[:MOST]
    named = ", ".join(f"{buffer.value.name} ({megabytes(buffer.held)})" for buffer in holders)
    half = footprint.peak / 2
    large = sum(size > half for size in footprint.held)
    which = "it" if large == 1 else f"each of the {large} operations with more than {megabytes(half)} live"
    return (
        f"the peak is at {footprint.nodes[position].name}, held by {named}; with {which} cut into two parts, or half the pixels, "
        f"about {megabytes(half)} would be the most"
    )
