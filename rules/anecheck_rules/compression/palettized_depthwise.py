"""ANE607: palettized weights of depthwise convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.compression.stored_weights import PALETTES, palette_bits, uses

FIRST_SEEN = dict.fromkeys(("ios", "ipados", "macos", "tvos", "visionos", "watchos"), (26,))
"""Apple's systems share their release numbers from 26 on; the failure was seen from there on."""


class PalettizedDepthwise(OperationRule):
    """A depthwise convolution has a palettized weight.

    ## Why it goes wrong
    On an iPhone with A19 and iOS 26 a model whose depthwise convolutions had 4-bit palettes was not compiled for the
    engine; with fp16 weights in those alone it was. A depthwise weight is small, nine or 25 values a channel, so there is
    next to nothing to gain by compressing it, and its few values lose most by it.

    ## Instead
    Leave depthwise convolutions out: name them in `op_name_configs` with `None`. `weight_threshold`, 2,048 elements by
    default, leaves out those with a 3 × 3 kernel and fewer than 228 channels.

    ## Contradictions
    On an iPhone with A16 and iOS 17 Apple timed MobileNetV2 palettized to 4 bits, which by default takes in its larger
    depthwise weights, at 0.45 ms against 0.48 ms in fp16. Hence a note, and none for a named release before 26.
    """

    code = "ANE607"
    name = "palettized-depthwise"
    operations = PALETTES
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "leave depthwise convolutions out of palettization (op_name_configs)"
    covers = ("QZ21",)
    releases = "seen on iOS 26"
    evidence = (cite("john", Confidence.COMMUNITY, "H18"), cite("ct-palettization-perf", Confidence.DOCUMENTED, "H15"))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 5, 5]> x) {
                    tensor<fp16, [2, 1, 1, 3]> w = constexpr_lut_to_dense(
                        indices = tensor<uint2, [2, 1, 1, 3]>([[[[0, 1, 2]]], [[[3, 3, 1]]]]),
                        lut = tensor<fp16, [1, 1, 1, 1, 4, 1]>([[[[[[-1], [-0.5], [0.5], [1]]]]]]));
                    tensor<fp16, [1, 2, 5, 3]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(2),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 5, 5]> x) {
                    tensor<fp16, [2, 1, 1, 3]> w = const()[val = tensor<fp16, [2, 1, 1, 3]>(
                        [[[[-1, -0.5, 0.5]]], [[[1, 1, -0.5]]]])];
                    tensor<fp16, [1, 2, 5, 3]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(2),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                weights = cto.OpPalettizerConfig(nbits=4)
                model = cto.palettize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
            pytorch_after=pytorch("""
                weights = cto.OpPalettizerConfig(nbits=4)
                depthwise = {name: None for name in names_of_depthwise_convolutions}
                config = cto.OptimizationConfig(global_config=weights, op_name_configs=depthwise)
                model = cto.palettize_weights(model, config)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag convolutions with one group for each channel, unless the target's release is an older one."""
        if context.target.is_since(FIRST_SEEN) is False:
            return
        bits = palette_bits(operation)
        for user, parameter in uses(operation, graph):
            x, groups = user.tensor("x"), user.scalar("groups")
            channels = x.shape[1] if x is not None and x.rank > 1 else None
            if user.type == "conv" and parameter == "weight" and channels is not None and 1 < channels == groups:
                yield self.finding(
                    user,
                    f"depthwise convolution with a palette of {bits} bits"
                    if bits
                    else "palettized depthwise convolution",
                    weight=operation.name,
                    channels=channels,
                )
