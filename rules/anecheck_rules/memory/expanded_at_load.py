"""ANE408: compressed weights that a release, or a chip, expands to fp16 when the model is loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Citation, Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.predict.assess import Assessment
from anecheck.predict.weights import BLOCKWISE, INT8, PALETTE, SPARSE, Weight
from anecheck_rules.memory.values import amount, assessed, counted

FORMS = {PALETTE: "palettes", SPARSE: "sparse weights", INT8: "weights with a scale", BLOCKWISE: "a scale per block"}
RELEASES = cite("ct-docs-opt", Confidence.DOCUMENTED)
CHIPS = cite("guide25", Confidence.REVERSE_ENGINEERED, "H13", "H14")


class ExpandedAtLoad(ModelRule):
    """Compressed weights are expanded when the model is loaded, and are small only in the file.

    ## Why it costs
    Before iOS 17 and macOS 14 Core ML expands every compressed weight to fp16 when it loads a model: memory and every prediction
    are those of the uncompressed model, and loading takes longer. Later releases keep weights as they are stored where the
    engine reads that form: palettes and sparse weights on all chips from A14 and M1 on, 8 bits with a scale for each channel
    from A15 and M2 on, and scales for blocks of a channel from A16 and M3 on (as a compiler table has it; nobody
    published a measurement). Elsewhere these are expanded too.

    ## Instead
    - Deploy to iOS 17 and macOS 14 or later if what counts is memory and speed, not the download.
    - Palettize for A14, A15, M1 and M2 in place of scales for blocks.

    ## Known exceptions
    The numbers are the same. A model that is small once expanded loses nothing. Weights of 8 bits on A14 and M1 have a rule of
    their own (expanded-weights).
    """

    code = "ANE408"
    name = "expanded-at-load"
    severity = Severity.INFO
    rewrite = "palettes, and iOS 17 or macOS 14 or later: these stay as they are stored"
    evidence = (RELEASES, CHIPS)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [2, 4]> w = constexpr_blockwise_shift_scale(
                        data = tensor<int4, [2, 4]>([[2, -1, 2, 4], [4, 2, -1, -1]]),
                        scale = tensor<fp16, [2, 2]>([[0.5, 0.5], [0.5, 0.5]]));
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            flags=("",),
            also=("ANE601",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [2, 4]> w = constexpr_lut_to_dense(
                        indices = tensor<uint2, [2, 4]>([[2, 1, 2, 3], [3, 2, 1, 1]]),
                        lut = tensor<fp16, [1, 1, 4, 1]>([[[[-1], [-0.5], [1], [2]]]]));
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            target="a15/ios18",
            pytorch_before=pytorch("""
                weights = cto.OpLinearQuantizerConfig(mode="linear_symmetric", dtype="int4", granularity="per_block")
                model = cto.linear_quantize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
            pytorch_after=pytorch("""
                weights = cto.OpPalettizerConfig(nbits=4, granularity="per_grouped_channel", group_size=16)
                model = cto.palettize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function with such weights, once, with what they take in the file and in memory."""
        for function, assessment in assessed(context):
            weights = [weight for weight in assessment.weights.all.values() if _is_expanded(weight, assessment)]
            if not weights:
                continue
            stored, dense = sum(weight.stored for weight in weights), sum(weight.dense for weight in weights)
            released = not assessment.streams
            why = (
                "the release expands all"
                if released
                else f"{context.target.family} expands {_forms(weights, assessment)}"
            )
            yield self.finding(
                f"{counted(len(weights), 'compressed weight')} of {amount(stored)} take {amount(dense)} once loaded: {why}",
                function=function,
                families=_families(context, weights, released=released),
                evidence=(RELEASES,) if released else (Citation(CHIPS.source, CHIPS.confidence, CHIPS.families),),
                weights=len(weights),
                stored_bytes=stored,
                resident_bytes=dense,
            )


def _is_expanded(weight: Weight, assessment: Assessment) -> bool:
    """Whether a weight is compressed in a form that is not kept, but for 8 bits on chips that expand these."""
    missing = weight.needs - assessment.streams
    return bool(missing) and weight.dense > weight.stored and (not assessment.streams or missing != {INT8})


def _forms(weights: list[Weight], assessment: Assessment) -> str:
    counts = Counter(FORMS[need] for weight in weights for need in weight.needs - assessment.streams)
    return " and ".join(form for form, _ in counts.most_common())


def _families(context: Context, weights: list[Weight], *, released: bool) -> tuple[str, ...]:
    """Where these forms are expanded: everywhere before a release, else on the families that cannot read them."""
    if released:
        return tuple(context.knowledge.families)
    needs = {need for weight in weights for need in weight.needs}
    lacking = {family for need in needs for family in context.knowledge.families_without(need)}
    return tuple(family for family in context.knowledge.families if family in lacking)
