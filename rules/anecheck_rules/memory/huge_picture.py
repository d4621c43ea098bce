"""ANE407: input pictures as large as one that failed to compile."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Match, ModelRule
from anecheck.mil.graph import Operand
from anecheck_rules.memory.values import assessed, sizes

LIMIT = "picture-pixels"
PICTURE_RANK = 4


class HugePicture(ModelRule):
    """An input picture has as many pixels as one with which a model failed to compile for the engine.

    ## What it means
    One user reported that a model for pictures of 5568 × 5568 did not compile for the engine. What the limit is, whether it
    lies in the pixels, in one side or in the memory that the values between take, and on which chips, nobody published.

    ## Instead
    Work through the picture in tiles that overlap by what the layers see, or reduce it first. Tiles also keep the values
    between the layers small (ANE401).

    ## Known exceptions
    One report is hearsay, so this is a hint: check that the model loads. What is known of single axes has its own rule
    (ANE116).
    """

    code = "ANE407"
    name = "huge-picture"
    severity = Severity.INFO
    rewrite = "work through the picture in overlapping tiles, or reduce it first"
    evidence = (cite("ct2247", Confidence.FOLKLORE),)
    covers = ("MM07",)
    limits = (LIMIT,)

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each such input that the engine uses."""
        limit = context.limit(LIMIT)
        for function, assessment in assessed(context) if limit is not None else ():
            for operand in function.graph.inputs:
                if limit is not None and _pixels(operand) >= limit.value and operand.tensor is not None:
                    buffer = assessment.footprint.of.get(operand)
                    if buffer is not None and buffer.on_engine:
                        yield self.finding(
                            f"input {operand.name} ({sizes(operand.tensor)}) has {_pixels(operand):,} pixels; with "
                            f"{limit.value:,.0f} a model failed to compile",
                            function=function,
                            evidence=limit.citations,
                            pixels=_pixels(operand),
                        )


def _pixels(operand: Operand) -> int:
    """The pixels of an input that has the form of a picture, its channels before or behind them; 0 for any other."""
    tensor = operand.tensor
    if tensor is None or tensor.rank != PICTURE_RANK:
        return 0
    _, first, second, third = (size if size is not None and size > 0 else 1 for size in tensor.shape)
    return max(second * third, first * second)
