"""ANE505: masks of minus infinity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.numerics.infinities import lowest, softmax_after

CAST_TO_INFINITY = -1e38
"""coremltools takes lower numbers for minus infinity, and others beyond fp16 for numbers that need fp32."""


class InfiniteMask(OperationRule):
    """Scores are masked with minus infinity, or with a number that becomes it in fp16, before a softmax.

    ## Why it goes wrong
    Apple's rules for the engine say that it does not handle IEEE minus infinity correctly in a softmax, and to mask with
    -40000. Wherever the model runs, a row that is masked altogether (a padded query) is NaN with minus infinity, and one
    NaN spreads through the next layer's matrix products to every token.

    Three ways lead there:
    - `float("-inf")` and `torch.finfo(torch.float32).min`: coremltools makes -inf of everything beyond 1e38.
    - -1e9 and the like: too large for fp16, so coremltools leaves the operation in fp32, off the engine, and the cast after
      it makes -inf.
    - (1 - mask) · -inf, as in older BERT code: 0 · inf is NaN, so here every score that is *not* masked is lost.

    ## Instead
    Mask with -40000 (or -1e4): exp(-40000 - max) is zero in any precision, so the probabilities are the same, and sums with
    scores up to 25,000 stay finite. In Hugging Face models set the mask yourself instead of relying on `finfo.min`; a
    boolean mask for `F.scaled_dot_product_attention` needs no number at all from iOS 18 on.

    ## Contradictions
    coremltools itself writes -inf where it splits attention, and models with such masks are in the field: without rows
    that are masked altogether many of them give usable results. Apple's sentence stands in a guide to Core AI, which drives
    the same engine.
    """

    code = "ANE505"
    name = "infinite-mask"
    engine_only = False
    operations = frozenset({"select", "add", "mul", "fill"})
    blocks = frozenset()
    rewrite = "mask with -40000, which is finite in fp16"
    covers = ("AT10",)
    limits = ("fp16-largest", "attention-mask-value")
    evidence = (cite("apple-coreai", Confidence.DOCUMENTED), cite("john", Confidence.COMMUNITY, "H17", "H18"))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 32, 32]> x) {
                    tensor<bool, [32, 32]> hidden = const()[val = tensor<bool, [32, 32]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 4, 32, 32]> masked = select(a = fp16(-inf), b = x, cond = hidden);
                    tensor<fp16, [1, 4, 32, 32]> y = softmax(axis = int32(-1), x = masked);
                } -> (y);
            """),
            flags=("masked",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 32, 32]> x) {
                    tensor<bool, [32, 32]> hidden = const()[val = tensor<bool, [32, 32]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 4, 32, 32]> masked = select(a = fp16(-40000), b = x, cond = hidden);
                    tensor<fp16, [1, 4, 32, 32]> y = softmax(axis = int32(-1), x = masked);
                } -> (y);
            """),
            pattern="masked_fill_ios18",
            pytorch_before=pytorch("""
                class Weights(torch.nn.Module):
                    def __init__(self, hidden):
                        super().__init__()
                        self.register_buffer("hidden", hidden)

                    def forward(self, x):
                        return x.masked_fill(self.hidden, float("-inf")).softmax(-1)
            """),
            pytorch_after=pytorch("""
                class Weights(torch.nn.Module):
                    def __init__(self, hidden):
                        super().__init__()
                        self.register_buffer("hidden", hidden)

                    def forward(self, x):
                        return x.masked_fill(self.hidden, -40000.0).softmax(-1)
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp32, [1, 4, 32, 32]> x, tensor<fp16, [1, 1, 32, 32]> m) {
                    tensor<bool, [1, 1, 32, 32]> hidden = equal(x = m, y = fp16(0x0p+0));
                    tensor<fp32, [1, 4, 32, 32]> wide = select(a = fp32(-0x1.dcd65p+29), b = x, cond = hidden);
                    tensor<fp16, [1, 4, 32, 32]> masked = cast(dtype = string("fp16"), x = wide);
                    tensor<fp16, [1, 4, 32, 32]> y = softmax(axis = int32(-1), x = masked);
                } -> (y);
            """),
            flags=("wide",),
            also=("ANE105",),
            after=mil("""
                func main<ios18>(tensor<fp32, [1, 4, 32, 32]> x, tensor<fp16, [1, 1, 32, 32]> m) {
                    tensor<bool, [1, 1, 32, 32]> hidden = equal(x = m, y = fp16(0x0p+0));
                    tensor<fp16, [1, 4, 32, 32]> scores = cast(dtype = string("fp16"), x = x);
                    tensor<fp16, [1, 4, 32, 32]> masked = select(a = fp16(-40000), b = scores, cond = hidden);
                    tensor<fp16, [1, 4, 32, 32]> y = softmax(axis = int32(-1), x = masked);
                } -> (y);
            """),
            pattern="masked_fill_dyn_ios18",
            pytorch_before=pytorch("""
                def weights(x, m):
                    return x.masked_fill(m == 0, -1e9).softmax(-1)
            """),
            pytorch_after=pytorch("""
                def weights(x, m):
                    return x.masked_fill(m == 0, -4e4).softmax(-1)
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4, 4]> scores) {
                    tensor<fp16, [4, 4]> mask = const()[val = tensor<fp16, [4, 4]>(
                        [[0, -inf, -inf, -inf], [0, 0, -inf, -inf], [0, 0, 0, -inf], [0, 0, 0, 0]])];
                    tensor<fp16, [1, 2, 4, 4]> masked = add(x = scores, y = mask);
                    tensor<fp16, [1, 2, 4, 4]> y = softmax(axis = int32(-1), x = masked);
                } -> (y);
            """),
            flags=("masked",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4, 4]> scores) {
                    tensor<fp16, [4, 4]> mask = const()[val = tensor<fp16, [4, 4]>(
                        [[0, -40000, -40000, -40000], [0, 0, -40000, -40000], [0, 0, 0, -40000], [0, 0, 0, 0]])];
                    tensor<fp16, [1, 2, 4, 4]> masked = add(x = scores, y = mask);
                    tensor<fp16, [1, 2, 4, 4]> y = softmax(axis = int32(-1), x = masked);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def weights(scores, length=4):
                    mask = torch.full((length, length), float("-inf")).triu(1)
                    return (scores + mask).softmax(-1)
            """),
            pytorch_after=pytorch("""
                def weights(scores, length=4):
                    mask = torch.full((length, length), -40000.0).triu(1)
                    return (scores + mask).softmax(-1)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag the operation that brings a constant below what fp16 holds, if a softmax in fp16 follows."""
        limit, advised = context.limit("fp16-largest"), context.limit("attention-mask-value")
        if limit is None or advised is None:
            return
        constants = ("a", "b") if operation.type == "select" else ("value",) if operation.type == "fill" else ("x", "y")
        value = min(lowest(operation.operand(parameter)) for parameter in constants)
        if value >= -limit.value:
            return
        softmax = softmax_after(operation, graph)
        if softmax is None:
            return
        given = f"{value:g}" if value > CAST_TO_INFINITY else "-inf"
        yield self.finding(
            operation,
            f"mask of {given} before a {softmax.type}: {_effect(operation, given)}; {advised.value:g} masks as well",
            related=(softmax,),
            value=given,
            advised=advised.value,
        )


def _effect(operation: Node, given: str) -> str:
    if given != "-inf":
        return "too large for fp16, so minus infinity once cast"
    return "0 × -inf is NaN where nothing is masked" if operation.type == "mul" else "a row masked altogether is NaN"
