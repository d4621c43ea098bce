"""ANE241: attention written out where one operation exists for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, GraphContext, Match, ModelRule, mil, pytorch
from anecheck_rules.forms.attention import Attention, attention

FUSED_OPSET = 8
"""The operation set of iOS 18, the first with `scaled_dot_product_attention`."""

FUSED_RELEASES: Final = {
    "ios": (18,),
    "ipados": (18,),
    "macos": (15,),
    "tvos": (18,),
    "visionos": (2,),
    "watchos": (11,),
}
"""The first releases that run that operation set."""


class WrittenOutAttention(ModelRule):
    """Attention is written out as matrix products and a softmax, where one operation computes it.

    ## Why it costs
    Written out, the scores (a row for each query, a column for each key, in every head) are a tensor of their own that four
    or five operations write and read. `scaled_dot_product_attention`, which the operation set of iOS 18 and macOS 15 has,
    takes queries, keys, values and a mask, and keeps the scores to itself.

        q ─ mul(1/√d) ─┐
        k ─────────────┴ matmul ─ add(mask) ─ softmax ─┐
        v ─────────────────────────────────────────────┴ matmul ─ y

        q, k, v, mask ── scaled_dot_product_attention ─ y

    Core ML's own estimates for M4 count bytes. For the 12 heads of a ViT-B/16 (197 tokens, width 64) they come to 17 µs a
    layer for the one operation, and to 93 µs for matmul, mul, softmax and matmul, most of them for the scores. It is an
    estimate that placement goes by, not a time that anybody measured.

    ## Instead
    - Convert for iOS 18 or macOS 15 and call `torch.nn.functional.scaled_dot_product_attention`. A mask may be boolean or be
      added.
    - Leave `scale` out. The operation has none but one over the root of the width, so coremltools 9 writes attention out
      again wherever `scale=` is given, be it the usual one. Multiply the weights and bias of the query's projection by
      scale · √d instead.
    - Keep four dimensions, and values as wide as keys.

    Then convert both ways and measure on the device. Where they are level, leave it as it is.

    ## Contradictions
    Nobody has compared the two on the engine by the clock, so this is a note. For the one operation: Core ML's plan and
    estimates on M4 (751k), where it is supported and counted as said above. Against it: Apple's advice for Core AI, whose
    engine models are to split heads and write attention out; the engine guide, to which the operation ends a run of fused
    neighbours; a sweep of single operations (vx437) in which the engine is only preferred from about two million elements a
    tensor on, which is what the fixed price of a switch makes of any single operation; and stablehlo-coreml, whose author
    reports that several with wide heads and many keys in one function failed to compile for the engine on macOS 26, and
    leaves the bounds, which he does not know, to the user.
    """

    code = "ANE241"
    name = "written-out-attention"
    severity = Severity.INFO
    rewrite = "use scaled_dot_product_attention without scale= (iOS 18 and macOS 15 on), and measure both"
    releases = "iOS 18 and macOS 15 on"
    limits = ("fused-attention-rank",)
    covers = ("AT07",)
    evidence = (
        cite("751k-dispatch", Confidence.FOLKLORE, "H16"),
        cite("ct2864", Confidence.COMMUNITY),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 32, 16]> q, tensor<fp16, [1, 4, 32, 16]> k, tensor<fp16, [1, 4, 32, 16]> v) {
                    tensor<fp16, [1, 4, 32, 32]> s = matmul(transpose_x = bool(false), transpose_y = bool(true), x = q, y = k);
                    tensor<fp16, [1, 4, 32, 32]> t = mul(x = s, y = fp16(0.25));
                    tensor<fp16, [1, 4, 32, 32]> p = softmax(axis = int32(-1), x = t);
                    tensor<fp16, [1, 4, 32, 16]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = p, y = v);
                } -> (y);
            """),
            flags=("p",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 32, 16]> q, tensor<fp16, [1, 4, 32, 16]> k, tensor<fp16, [1, 4, 32, 16]> v) {
                    tensor<fp16, [1, 4, 32, 16]> y = scaled_dot_product_attention(key = k, query = q, value = v);
                } -> (y);
            """),
            pattern="attn_manual_ios18",
            pytorch_before=pytorch("""
                def forward(self, q, k, v):
                    return (q @ k.transpose(-2, -1) / 16**0.5).softmax(-1) @ v
            """),
            pytorch_after=pytorch("""
                def forward(self, q, k, v):
                    return torch.nn.functional.scaled_dot_product_attention(q, k, v)
            """),
        ),
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 4, 32, 16]> q, tensor<fp16, [1, 4, 32, 16]> k, tensor<fp16, [1, 4, 32, 16]> v,
                        tensor<fp16, [1, 1, 32, 32]> m) {
                    tensor<fp16, [1, 4, 32, 16]> h = mul(x = q, y = fp16(0.25));
                    tensor<fp16, [1, 4, 32, 32]> s = matmul(transpose_x = bool(false), transpose_y = bool(true), x = h, y = k);
                    tensor<fp16, [1, 4, 32, 32]> t = add(x = s, y = m);
                    tensor<fp16, [1, 4, 32, 32]> p = softmax(axis = int32(-1), x = t);
                    tensor<fp16, [1, 4, 32, 16]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = p, y = v);
                } -> (y);
            """),
            flags=("p",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 32, 16]> q, tensor<fp16, [1, 4, 32, 16]> k, tensor<fp16, [1, 4, 32, 16]> v,
                        tensor<fp16, [1, 1, 32, 32]> m) {
                    tensor<fp16, [1, 4, 32, 16]> y = scaled_dot_product_attention(attn_mask = m, key = k, query = q, value = v);
                } -> (y);
            """),
            target="m4/macos15",
            pattern="sdpa_mask_ios17",
            pytorch_before=pytorch("""
                ct.convert(model, minimum_deployment_target=ct.target.iOS17)  # attention in its parts
            """),
            pytorch_after=pytorch("""
                ct.convert(model, minimum_deployment_target=ct.target.iOS18)
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 6, 4]> x, tensor<fp16, [1, 6, 4]> k, tensor<fp16, [1, 6, 4]> v) {
                    tensor<fp16, [4, 4]> w = const()[val = tensor<fp16, [4, 4]>(
                        [[1, 2, 0, 1], [0, 1, 1, 3], [2, 0, 1, 1], [1, 1, 0, 2]])];
                    tensor<fp16, [4]> b = const()[val = tensor<fp16, [4]>([1, -1, 0, 2])];
                    tensor<fp16, [1, 6, 4]> q = linear(bias = b, weight = w, x = x);
                    tensor<fp16, [1, 6, 4]> h = mul(x = q, y = fp16(0.125));
                    tensor<fp16, [1, 6, 6]> s = matmul(transpose_x = bool(false), transpose_y = bool(true), x = h, y = k);
                    tensor<fp16, [1, 6, 6]> p = softmax(axis = int32(-1), x = s);
                    tensor<fp16, [1, 6, 4]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = p, y = v);
                } -> (y);
            """),
            flags=("p",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 6, 4]> x, tensor<fp16, [1, 6, 4]> k, tensor<fp16, [1, 6, 4]> v) {
                    tensor<fp16, [4, 4]> w = const()[val = tensor<fp16, [4, 4]>(
                        [[0.25, 0.5, 0, 0.25], [0, 0.25, 0.25, 0.75], [0.5, 0, 0.25, 0.25], [0.25, 0.25, 0, 0.5]])];
                    tensor<fp16, [4]> b = const()[val = tensor<fp16, [4]>([0.25, -0.25, 0, 0.5])];
                    tensor<fp16, [1, 6, 4]> q = linear(bias = b, weight = w, x = x);
                    tensor<fp16, [1, 6, 4]> y = scaled_dot_product_attention(key = k, query = q, value = v);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x, k, v):
                    return torch.nn.functional.scaled_dot_product_attention(self.query(x), k, v, scale=0.125)
            """),
            pytorch_after=pytorch("""
                def fold_scale(self):
                    for parameter in self.query.parameters():
                        parameter.data *= 0.125 * 4**0.5  # the scale wanted, over the one built in

                def forward(self, x, k, v):
                    return torch.nn.functional.scaled_dot_product_attention(self.query(x), k, v)
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function that writes attention out and could have it in one operation, once."""
        limit = context.limit("fused-attention-rank")
        for function in context.functions:
            if function.graph.function.opset_number < FUSED_OPSET and not context.target.is_since(FUSED_RELEASES):
                continue
            found = [
                middle
                for node in function.graph.by_type.get("softmax", ())
                if (middle := attention(node, function.graph)) is not None
                and (limit is None or middle.rank <= limit.value)
            ]
            if found:
                yield self._speak(found, function)

    def _speak(self, found: list[Attention], function: GraphContext) -> Match:
        largest = max(found, key=lambda middle: (middle.probabilities and middle.probabilities.element_count) or 0)
        count = "one attention" if len(found) == 1 else f"{len(found)} attentions"
        verb, which = ("is", "its scores") if len(found) == 1 else ("are", "the largest scores")
        text = f"{count} {verb} written out, {which} {largest.probabilities}; one operation of iOS 18 computes it"
        odd = [middle for middle in found if not middle.has_usual_scale]
        if odd:
            text += f", once the scale of {odd[0].scale:.4g} is in the weights of the query"
        return self.finding(
            text,
            node=found[0].softmax,
            function=function,
            attentions=[middle.softmax.name for middle in found],
            unusual_scales=len(odd),
        )
