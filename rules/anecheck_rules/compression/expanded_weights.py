"""ANE614: 8-bit weights that an older engine expands at load."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.compression.stored_weights import PROJECTIONS, stored_type, uses

CODES = {"constexpr_affine_dequantize": "quantized_data", "constexpr_blockwise_shift_scale": "data"}


class ExpandedWeights(ModelRule):
    """8-bit weights become fp16 when the model is loaded.

    ## Why it costs
    From A15 and M2 on the engine reads 8-bit weights with a scale from memory as they are. On A14 and M1 they are expanded
    to fp16 when the model is loaded: the file is half as large, but memory holds fp16, and every prediction reads it. A
    layer that waits for its weights, as every projection of a language model does for a single token, is no faster than
    without compression.

    ## Instead
    Palettize for these chips: the engine of A14 and M1 reads palettes of 4 bits, and sparse weights, as they are stored.
    On M1 Max a large feed-forward network took 19.4 ms in fp16 and 6.0 ms with 4-bit palettes. Check the accuracy, which is
    that of 4-bit weights; from iOS 18 and macOS 15 on a table for each group of channels helps.

    ## Known exceptions
    The numbers are the same, and a layer that computes longer than it reads loses nothing. Nobody published how 4-bit
    integers with a scale behave there, so they are not counted.
    """

    code = "ANE614"
    name = "expanded-weights"
    severity = Severity.INFO
    rewrite = "palettize to 4 bits where A14 and M1 matter: they read palettes as they are stored"
    covers = ("QZ04",)
    releases = "iOS 16 and macOS 13 on"
    evidence = (
        cite("guide25", Confidence.REVERSE_ENGINEERED, "H13"),
        cite("smp-joint", Confidence.COMMUNITY, "H13"),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [2, 4]> w = constexpr_blockwise_shift_scale(
                        data = tensor<int8, [2, 4]>([[64, -32, 64, 127], [127, 64, -32, -32]]),
                        scale = tensor<fp16, [1, 1]>([[0.015625]]));
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            flags=("",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [2, 4]> w = constexpr_lut_to_dense(
                        indices = tensor<uint2, [2, 4]>([[2, 1, 2, 3], [3, 2, 1, 1]]),
                        lut = tensor<fp16, [1, 1, 4, 1]>([[[[-1], [-0.5], [1], [1.984375]]]]));
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            target="m1",
            pytorch_before=pytorch("""
                weights = cto.OpLinearQuantizerConfig(mode="linear_symmetric", dtype="int8")
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
        families = context.knowledge.families_without("streams-int8")
        if context.target.family not in families:
            return
        for function in context.functions:
            graph = function.graph
            sizes = [
                size for kind in CODES for node in graph.by_type.get(kind, ()) if (size := _stored_bytes(node, graph))
            ]
            if sizes:
                yield self.finding(
                    f"{len(sizes)} 8-bit weight{'s' if len(sizes) > 1 else ''} of {_amount(sum(sizes))} "
                    f"take{'' if len(sizes) > 1 else 's'} {_amount(2 * sum(sizes))} once loaded",
                    function=function,
                    families=families,
                    weights=len(sizes),
                    stored_bytes=sum(sizes),
                )


def _stored_bytes(node: Node, graph: Graph) -> int:
    """The size of the 8-bit codes behind a weight that products are summed with; 0 for anything else."""
    codes = stored_type(node, CODES[node.type])
    if codes is None or codes.dtype not in {"int8", "uint8"}:
        return 0
    return (codes.byte_count or 0) if any(user.type in PROJECTIONS for user, _ in uses(node, graph)) else 0


def _amount(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size} bytes"
