"""ANE301: programs, or parts of them, that are too small for the engine to pay."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, Device, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Match, ModelRule
from anecheck.predict.explain import shortfall
from anecheck.predict.placement import MICROSECONDS, Placement


class TooSmallToPay(ModelRule):
    """Operations that the engine could run stay on the CPU, because going there costs more than it saves.

    ## What it means
    Core ML adds up what it takes each operation to cost on each device, 0.125 ms for each change of device, and as much for
    a program that begins on the engine and for every output that is made there. A small program, or a small part between
    operations that must stay on the CPU, is cheaper where it is. Nothing is wrong with its operations: eligible is not
    placed.

    ## Instead
    - Do more in one call: a larger batch, several steps unrolled into one program, the models before and after merged.
    - Leave it on the CPU. Below a few hundred microseconds the engine wins nothing.
    - Where the part lies beside operations that the engine cannot run, mend those first (`anecheck placement` shows which).

    ## Contradictions
    A sweep of single matrix products (larql) saw the engine preferred from about 4992 summed elements on in fp16, and 4096
    in 8 bits. That is no limit of its own but what this sum comes to for a single product, so the sum is done here and the
    figure is not.
    """

    code = "ANE301"
    name = "too-small-to-pay"
    severity = Severity.INFO
    rewrite = "do more in one call, or leave it on the CPU"
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("fluid", Confidence.COMMUNITY),
    )
    covers = ("GP01", "GP03", "OP55")

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function that stays on the CPU whole, and eligible operations that stay there beside others."""
        for function, placement in zip(context.functions, context.placements, strict=True):
            short = shortfall(placement)
            if short is not None:
                saved, cost = short.saved_us / MICROSECONDS, short.cost_us / MICROSECONDS
                yield self.finding(
                    f"the engine would save {saved:.3f} ms of {placement.total_ms:.3f} ms; going there costs {cost:.3f} ms",
                    function=function,
                    saved_ms=saved,
                    cost_ms=cost,
                )
                continue
            stranded = _stranded(placement)
            if stranded:
                noun = (
                    "operation that the engine could run stays"
                    if stranded == 1
                    else "operations that the engine could run stay"
                )
                yield self.finding(
                    f"{stranded} {noun} on the CPU beside others, where a switch would cost more than it saves",
                    function=function,
                    operations=stranded,
                )


def _stranded(placement: Placement) -> int:
    """How many operations the engine could run but does not get; 0 where it is out of the question altogether."""
    if placement.whole or Device.ANE not in placement.problem.devices:
        return 0
    return sum(
        placed.device is Device.CPU and Device.ANE in placed.support.devices and not placed.tie
        for placed in placement.operations
    )
