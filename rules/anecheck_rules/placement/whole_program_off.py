"""ANE305: programs that stay off the engine whole."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Match, ModelRule


class WholeProgramOff(ModelRule):
    """Something about the whole program keeps it from the engine, whatever its operations.

    ## Why it leaves the engine
    - An input accepts a range of shapes (`ct.RangeDim`): Core ML's runtime does not use the engine for such a model, but
      for the default shape in some releases.
    - The weights are larger than the system takes: about 1 GB on iPhones, 1 or 2 GiB on Macs by release. The model loads and
      runs, all of it on the CPU, and nothing says so.
    - On the newest engines (H18) a function with 387 convolutions or more broke the compiler.

    ## Instead
    - Fix the shapes, or enumerate them (`ct.EnumeratedShapes`, up to 128); pad inputs to a few sizes and mask the rest, or
      give each size a function of its own in one package.
    - Cut the model into pieces (`coremltools.models.utils.bisect_model`), or compress its weights.

    ## Known contradictions
    From iOS 17.4 and macOS 14.4 on the hint `reshapeFrequency = .infrequent` lets an app use the engine with a range of
    shapes; it is given when the model is loaded, so it cannot be seen here.
    """

    code = "ANE305"
    name = "whole-program-off"
    rewrite = "fix or enumerate the shapes; cut the model or compress its weights"
    evidence = (
        cite("ct-flex", Confidence.DOCUMENTED),
        cite("ct2370", Confidence.COMMUNITY),
        cite("ct1029", Confidence.COMMUNITY),
        cite("ct-bisect", Confidence.DOCUMENTED),
        cite("eeane", Confidence.MEASURED, "H14"),
        cite("751k-defects", Confidence.MEASURED, "H18"),
    )
    covers = ("MM04", "LC01")
    limits = ("model-weight-bytes-ios", "model-weight-bytes-macos26", "model-weight-bytes-macos27", "conv-layers")

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function with the reason."""
        for function, placement in zip(context.functions, context.placements, strict=True):
            for reason in placement.whole:
                yield self.finding(reason.text, function=function, families=reason.families, evidence=reason.citations)
