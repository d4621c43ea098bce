"""ANE603: palettized weights whose table changes along the axis that is summed over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.compression.stored_weights import PALETTES, stored_type, weight_uses


class PalettePerBlock(OperationRule):
    """The table of a palettized weight changes along the axis that is summed over.

    ## Why it leaves the engine
    A palettized weight stores a code for each value and a table of what the codes stand for. The forms that Apple
    recommends for the engine have one table for the whole weight, or one for each group of output channels. A table for
    each row and block of inputs, as formats for other runtimes have it, made a model fail to load on an iPhone with A19
    (error -14).

        codes [64, 64]  tables [4, 1, 16, 1]    one for every 16 outputs: fine
        codes [64, 64]  tables [64, 2, 16, 1]   one for each output and every 32 inputs: fails

    ## Instead
    Palettize with `granularity="per_grouped_channel"` along the output axis, which coremltools takes by itself; do not
    set `channel_axis` to the other. A table of 64 or 256 values holds what several smaller ones hold.
    """

    code = "ANE603"
    name = "palette-per-block"
    operations = PALETTES
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "use one table for the weight or for each group of output channels"
    covers = ("QZ06",)
    releases = "iOS 18 and macOS 15 on"
    evidence = (cite("john", Confidence.COMMUNITY, "H18"), cite("apple-opt-guidance", Confidence.DOCUMENTED))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [2, 4]> w = constexpr_lut_to_dense(
                        indices = tensor<uint1, [2, 4]>([[0, 1, 1, 0], [1, 1, 0, 1]]),
                        lut = tensor<fp16, [2, 2, 2, 1]>([[[[1], [2]], [[0.5], [-1]]], [[[3], [4]], [[-0.5], [0.25]]]]));
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [2, 4]> w = constexpr_lut_to_dense(
                        indices = tensor<uint2, [2, 4]>([[0, 1, 3, 2], [1, 1, 2, 3]]),
                        lut = tensor<fp16, [2, 1, 4, 1]>([[[[1], [2], [0.5], [-1]]], [[[3], [4], [-0.5], [0.25]]]]));
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                weights = cto.OpPalettizerConfig(
                    nbits=4, granularity="per_grouped_channel", group_size=32, channel_axis=1)
                model = cto.palettize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
            pytorch_after=pytorch("""
                weights = cto.OpPalettizerConfig(nbits=4, granularity="per_grouped_channel", group_size=32)
                model = cto.palettize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag who sums over an axis along which there are several tables."""
        tables = stored_type(operation, "lut")
        weight = operation.outputs[0].tensor
        if tables is None or weight is None or tables.rank != weight.rank + 2:  # up to iOS 17 there is one table
            return
        for user, summed in weight_uses(operation, graph):
            for axis in summed:
                count, size = tables.shape[axis] or 1, weight.shape[axis]
                if count > 1:
                    elements = f"{size // count} elements" if size else "block"
                    yield self.finding(
                        user,
                        f"a table for every {elements} along axis {axis} of the weight, over which {user.type} sums",
                        weight=operation.name,
                        axis=axis,
                        tables=count,
                    )
                    break
