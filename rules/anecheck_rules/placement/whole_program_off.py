"""ANE305: programs that stay off the engine whole."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Match, ModelRule
from anecheck.predict.whole import SHAPES


class WholeProgramOff(ModelRule):
    """Something about the whole program keeps it from the engine, whatever its operations.

    ## Why it leaves the engine
    - The weights are larger than the system takes: about 1 GB on iPhones, 1 or 2 GiB on Macs by release. The model loads and
      runs, all of it on the CPU, and nothing says so.
    - On the newest engines (H18) a function with 387 convolutions or more broke the compiler.

    ## Instead
    - Cut the model into pieces (`coremltools.models.utils.bisect_model`), or compress its weights.

    ## Known exceptions
    What shapes the inputs accept can keep a program off the engine as well. Rules of their own (ANE701 and ANE702) say
    so, and this one then does not.
    """

    code = "ANE305"
    name = "whole-program-off"
    rewrite = "cut the model, or compress its weights"
    evidence = (
        cite("ct-bisect", Confidence.DOCUMENTED),
        cite("eeane", Confidence.MEASURED, "H14"),
        cite("751k-defects", Confidence.MEASURED, "H18"),
    )
    covers = ("MM04", "LC01")
    limits = ("model-weight-bytes-ios", "model-weight-bytes-macos26", "model-weight-bytes-macos27", "conv-layers")

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function with the reason, unless another rule speaks of it."""
        for function, placement in zip(context.functions, context.placements, strict=True):
            for reason in placement.whole:
                if reason.subject != SHAPES:
                    yield self.finding(
                        reason.text, function=function, families=reason.families, evidence=reason.citations
                    )
