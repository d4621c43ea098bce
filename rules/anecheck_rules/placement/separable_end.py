"""ANE303: a beginning or an end off the engine that could be a model of its own."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, Device, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Match, ModelRule


class SeparableEnd(ModelRule):
    """The beginning or the end of a program runs off the engine and could be split off.

    ## What it means
    An embedding look-up at the beginning, or the choice of boxes or tokens at the end, costs one change of device. It is
    also what makes the whole program take integers in, or give them out. The choice of queries at the end of a detector
    (a `topk`, and the gathers, tiles and reshapes behind it) ran on the CPU of an M3 Pro like this, while all the rest of the
    network was on the engine.

    ## Instead
    Make it a model of its own, or plain code in the app: `coremltools.models.utils.bisect_model` cuts a program, and a
    pipeline joins the parts again. The rest then begins and ends on the engine, and the app decides where the other part
    runs and how often.
    """

    code = "ANE303"
    name = "separable-end"
    severity = Severity.INFO
    rewrite = "split it off as a model of its own, or do it in the app"
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("apple-coreai", Confidence.DOCUMENTED),
    )
    covers = ("GP04", "OP56")

    def check(self, context: Context) -> Iterator[Match]:
        """Flag the first and the last segment where the engine has another."""
        for function, placement in zip(context.functions, context.placements, strict=True):
            segments = placement.segments
            if not any(segment.device is Device.ANE for segment in segments):
                continue
            for segment, which in ((segments[0], "first"), (segments[-1], "last")):
                if segment.device is Device.ANE:
                    continue
                members = placement.operations[segment.first : segment.last + 1]
                forced = [placed for placed in members if Device.ANE not in placed.support.devices]
                if forced:
                    count = f"{segment.count} operations" if segment.count > 1 else "operation"
                    yield self.finding(
                        f"the {which} {count} on the {segment.device.value}, {len(forced)} of them forced",
                        node=forced[0].node,
                        function=function,
                        operations=segment.count,
                        forced=len(forced),
                    )
