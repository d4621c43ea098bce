"""ANE809: predictions that take longer than the frame that they are for."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Match, ModelRule
from anecheck.predict.budget import frame_verdict
from anecheck_rules.forms.budgets import (
    calls,
    carried_over,
    finite,
    milliseconds,
    ms,
    of,
    on,
    outcome,
    severity,
    what_helps,
)


class FrameBudget(ModelRule):
    """A prediction is estimated to take longer than the frame leaves it.

    ## What it means
    Said only where a rate was asked for (`--fps 60`, or `fps` in the configuration). A frame at 60 a second lasts 16.7 ms and
    one at 30 a second 33.3 ms; of these a fifth is kept for the system unless `--headroom` says otherwise. Models named with
    `--with` run in the same frame, and the engine takes one command at a time: from two queues two models overlapped by 2 to
    6 %. So their times add.

    The time is an estimate: what a call costs at least, then the longer of arithmetic and weights, then the values that are too
    large to stay on the chip. Its rates are fitted to published latencies of networks on A14, A15, A16 and A17 Pro; on networks
    kept for testing the median error was 14 % on A14 and 15 to 35 % elsewhere. For other chips it is carried over and the
    range is wide. A warning means that the estimate itself is too long, a hint that only the end of its range is.

    ## Instead
    The message names what would help most, worked out by the same formula: fewer bits where the weights decide, 8-bit
    activations where the arithmetic does and the chip computes them faster, fewer pixels where values leave the chip. Operations
    off the engine come first: `anecheck placement` shows what they cost. Or run at half the rate.

    ## Known exceptions
    The formula knows nothing of other work on the device, of the first call after a pause (Core ML takes tens of
    milliseconds to wake the engine), or of the app's own copies.
    """

    code = "ANE809"
    name = "frame-budget"
    engine_only = False
    per_target = True
    rewrite = "cut what the message names, or run at a lower rate"
    covers = ("LC07",)
    evidence = (cite("latency-fit", Confidence.ESTIMATED, "H13", "H14", "H15", "H16"),)

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each prediction that misses the frame, or may."""
        budgets = context.budgets
        if budgets.fps is None:
            return
        for call in calls(context):
            verdict = frame_verdict(budgets, call.ms)
            level = severity(verdict)
            if not verdict.is_missed and any(part.has_unknown_sizes for part in call.parts):
                yield self.finding(
                    f"{on(context)}{of(call)}some sizes are not fixed and count as 1, so the {ms(verdict.middle)} ms estimated "
                    f"are too few, and whether a frame at {budgets.fps:g} a second is kept is unknown",
                    function=call.functions[0] if call.label else None,
                    families=(context.target.family,),
                    severity=Severity.INFO,
                    budget_ms=verdict.budget,
                )
                continue
            if level is None:
                continue
            beside = ", ".join(f"{other.name} ({ms(other.ms[1])} ms)" for other in budgets.beside)
            company = f", {beside} beside it," if beside else ""
            yield self.finding(
                f"{on(context)}{of(call)}{milliseconds(verdict)}{company} where a frame at {budgets.fps:g} a second leaves "
                f"{ms(verdict.budget)} ms: {outcome(verdict)}{carried_over(call)}{what_helps(call, budgets)}",
                function=call.functions[0] if call.label else None,
                families=(context.target.family,),
                severity=level,
                budget_ms=verdict.budget,
                estimated_ms=verdict.middle,
                low_ms=verdict.low,
                high_ms=finite(verdict.high),
                bound=call.parts[0].timing.bound,
            )
