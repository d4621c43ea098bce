"""ANE302: operations that cut the engine's part in two."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, Device, cite
from anecheck.lint.rule import Context, Match, ModelRule


class BoundaryInTheMiddle(ModelRule):
    """Operations off the engine lie between two parts that are on it.

    ## What it means
    Each change of device is taken to cost 0.125 ms, and the values that cross it are copied. A cut in the middle pays this
    twice, and what is small enough between two cuts moves off the engine as well.

    ## Instead
    Mend the operation that forces the cut (its own rule says how), or move it to the beginning or the end, where it costs
    one change and can be split off. `anecheck placement` solves the plan again with each cut mended and shows which win.
    """

    code = "ANE302"
    name = "boundary-in-the-middle"
    rewrite = "mend the operation that forces the cut, or move it to the beginning or the end"
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("kokoro", Confidence.COMMUNITY),
    )
    covers = ("GP04",)

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each run of operations between two engine segments, at the one that forces it."""
        for function, placement in zip(context.functions, context.placements, strict=True):
            segments = placement.segments
            for before, between, after in zip(segments, segments[1:], segments[2:], strict=False):
                if before.device is not Device.ANE or after.device is not Device.ANE:
                    continue
                members = placement.operations[between.first : between.last + 1]
                forced = [placed for placed in members if Device.ANE not in placed.support.devices]
                if not forced:
                    continue
                first = forced[0]
                codes = ", ".join(first.support.blockers.get(Device.ANE, ()))
                count = f"{between.count} operations" if between.count > 1 else "1 operation"
                yield self.finding(
                    f"{count} on the {between.device.value} between two engine segments, forced by {first.node.type} ({codes})",
                    node=first.node,
                    function=function,
                    operations=between.count,
                    forced=len(forced),
                )
