"""ANE304: programs that change device again and again."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, Device, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Match, ModelRule


class Bouncing(ModelRule):
    """A program goes back and forth between the engine and another device.

    ## What it means
    Core ML's compiler has a message for it ("The network bounces between the ANE and GPU/CPU … too often") and may take
    the engine from such a program altogether. How often is too often, nobody published; more than two engine parts are
    named here.

    ## Instead
    Bring the operations that the engine lacks together at the beginning or the end, or mend those that come up in every
    layer: one rewrite of the layer mends them all.
    """

    code = "ANE304"
    name = "bouncing"
    severity = Severity.INFO
    rewrite = "bring the operations that the engine lacks together at one end, or mend the layer that repeats them"
    evidence = (cite("751k-dispatch", Confidence.REVERSE_ENGINEERED, "H16"),)
    covers = ("GP02",)
    limits = ("engine-segments",)

    def check(self, context: Context) -> Iterator[Match]:
        """Flag functions with more engine segments than the limit."""
        limit = context.limit("engine-segments")
        for function, placement in zip(context.functions, context.placements, strict=True):
            parts = sum(segment.device is Device.ANE for segment in placement.segments)
            if limit is not None and parts > limit.value:
                yield self.finding(
                    f"{parts} parts on the engine, {placement.switches} changes of device",
                    function=function,
                    evidence=limit.citations,
                    parts=parts,
                    switches=placement.switches,
                )
