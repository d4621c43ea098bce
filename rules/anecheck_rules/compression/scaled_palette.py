"""ANE605: palettized weights that are scaled before they are used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.compression.stored_weights import PROJECTIONS, stored, uses

SCALING = frozenset({"constexpr_blockwise_shift_scale", "constexpr_sparse_blockwise_shift_scale"})


class ScaledPalette(OperationRule):
    """A palettized weight is multiplied by a scale before it is used.

    ## Why it goes wrong
    Palettizing with `enable_per_channel_scale=True` divides each output channel by its largest value, so that one table
    fits all channels, and multiplies afterwards. coremltools puts the multiplication into the weight. The engine wants it
    behind the operation, and models with it in the weight crashed on macOS 26 when they were loaded for the engine.

        codes, table ─ constexpr_lut_to_dense ─ constexpr_blockwise_shift_scale ─ linear ─      (crashes)
        codes, table ─ constexpr_lut_to_dense ─ linear ─ mul(scale) ─                           (fine)

    ## Instead
    - coremltools has a pass that moves the scale, and does not run it by itself: add
      `common::reorder_lut_per_channel_scale` to the pipeline. It moves scales along the output axis of `linear`, `matmul`
      and `conv` with no other user, and divides a bias by the scale.
    - Or palettize with a table for each group of channels instead of a scale
      (`granularity="per_grouped_channel"`), which fits channels of different size as well.
    """

    code = "ANE605"
    name = "scaled-palette"
    operations = SCALING
    blocks = frozenset()
    rewrite = "multiply the operation's result by the scale instead (pass common::reorder_lut_per_channel_scale)"
    covers = ("QZ07",)
    releases = "seen on macOS 26; such weights exist from iOS 18 and macOS 15 on"
    evidence = (cite("ct2688", Confidence.COMMUNITY), cite("coremltools-9", Confidence.DOCUMENTED))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 3]> x) {
                    tensor<fp16, [2, 3]> codes = constexpr_lut_to_dense(
                        indices = tensor<uint2, [2, 3]>([[0, 1, 3], [2, 2, 1]]),
                        lut = tensor<fp16, [1, 1, 4, 1]>([[[[-1], [-0.25], [0.5], [1]]]]));
                    tensor<fp16, [2, 3]> w = constexpr_blockwise_shift_scale(data = codes,
                        scale = tensor<fp16, [2, 1]>([[0.5], [4]]));
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 3]> x) {
                    tensor<fp16, [2, 3]> w = constexpr_lut_to_dense(
                        indices = tensor<uint2, [2, 3]>([[0, 1, 3], [2, 2, 1]]),
                        lut = tensor<fp16, [1, 1, 4, 1]>([[[[-1], [-0.25], [0.5], [1]]]]));
                    tensor<fp16, [2]> scale = const()[val = tensor<fp16, [2]>([0.5, 4])];
                    tensor<fp16, [1, 2]> unscaled = linear(weight = w, x = x);
                    tensor<fp16, [1, 2]> y = mul(x = unscaled, y = scale);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                weights = cto.OpPalettizerConfig(
                    nbits=4, granularity="per_grouped_channel", group_size=16, enable_per_channel_scale=True)
                model = cto.palettize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
            pytorch_after=pytorch("""
                weights = cto.OpPalettizerConfig(
                    nbits=4, granularity="per_grouped_channel", group_size=16, enable_per_channel_scale=False)
                model = cto.palettize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 3]> x) {
                    tensor<fp16, [2, 2, 1, 1]> codes = constexpr_lut_to_dense(
                        indices = tensor<uint1, [2, 2, 1, 1]>([[[[0]], [[1]]], [[[1]], [[1]]]]),
                        lut = tensor<fp16, [1, 1, 1, 1, 2, 1]>([[[[[[-1], [1]]]]]]));
                    tensor<fp16, [2, 2, 1, 1]> w = constexpr_blockwise_shift_scale(data = codes,
                        scale = tensor<fp16, [2, 1, 1, 1]>([[[[0.5]]], [[[4]]]]));
                    tensor<fp16, [2]> b = const()[val = tensor<fp16, [2]>([1, -2])];
                    tensor<fp16, [1, 2, 3, 3]> y = conv(bias = b, dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 3]> x) {
                    tensor<fp16, [2, 2, 1, 1]> w = constexpr_lut_to_dense(
                        indices = tensor<uint1, [2, 2, 1, 1]>([[[[0]], [[1]]], [[[1]], [[1]]]]),
                        lut = tensor<fp16, [1, 1, 1, 1, 2, 1]>([[[[[[-1], [1]]]]]]));
                    tensor<fp16, [2]> b = const()[val = tensor<fp16, [2]>([2, -0.5])];
                    tensor<fp16, [1, 2, 3, 3]> unscaled = conv(bias = b, dilations = tensor<int32, [2]>([1, 1]),
                        groups = int32(1), pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                    tensor<fp16, [1, 2, 1, 1]> scale = const()[val = tensor<fp16, [1, 2, 1, 1]>([[[[0.5]], [[4]]]])];
                    tensor<fp16, [1, 2, 3, 3]> y = mul(x = unscaled, y = scale);
                } -> (y);
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag who computes with what a table gave, times a scale; a table of integers (ANE608) is another matter."""
        data = stored(operation, "data" if operation.type == "constexpr_blockwise_shift_scale" else "nonzero_data")
        table = data.producer if data is not None else None
        if data is None or table is None or not table.type.startswith("constexpr_lut_"):
            return
        if data.tensor is None or not data.tensor.dtype.startswith("fp"):
            return
        for user, _ in uses(operation, graph):
            if user.type in PROJECTIONS:
                yield self.finding(user, "the palettized weight is scaled before it is used", weight=operation.name)
