"""ANE305: programs that stay off the engine whole."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Match, ModelRule
from anecheck.predict.whole import SHAPES, WEIGHTS


class WholeProgramOff(ModelRule):
    """Something about the whole program keeps it from the engine, whatever its operations.

    ## Why it leaves the engine
    On the newest engines (H18) a function with 387 convolutions or more broke the compiler.

    ## Instead
    Cut the model into pieces (`coremltools.models.utils.bisect_model`).

    ## Known exceptions
    More weights than the system takes, and what shapes the inputs accept, can keep a program off the engine as well. Rules
    of their own (ANE404, ANE701 and ANE702) say so, and this one then does not.
    """

    code = "ANE305"
    name = "whole-program-off"
    rewrite = "cut the model"
    evidence = (cite("751k-defects", Confidence.MEASURED, "H18"),)
    covers = ("LC01",)
    limits = ("conv-layers",)

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function with the reason, unless another rule speaks of it."""
        for function, placement in zip(context.functions, context.placements, strict=True):
            for reason in placement.whole:
                if reason.subject not in {SHAPES, WEIGHTS}:
                    yield self.finding(
                        reason.text, function=function, families=reason.families, evidence=reason.citations
                    )
