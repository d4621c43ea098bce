"""ANE606: palettized weights of convolutions with a large stride."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.compression.stored_weights import PALETTES, uses


class PalettizedStride(OperationRule):
    """A convolution with a palettized weight has a stride above 2.

    ## Why it costs
    Apple's rules for the engine allow palettized kernels a stride of 1 or 2, dense ones up to 32, and a compiler read on M2
    has a message against palettized weights with a large stride. The convolution that cuts a picture into patches, with a
    stride of 14 or 16, is what meets it: `palettize_weights` takes it like every other weight, and it stands at the very
    beginning of the model, where leaving the engine costs a switch.

    ## Instead
    - Leave that weight as it is: `op_name_configs={"patch_embedding": None}` excludes it. The patch convolution of a
      ViT-B/16 has 0.6 M of 86 M weights, so the file grows by two percent.
    - Quantize it linearly instead, one scale per output channel.
    - Where stride and kernel are equal, reshape and transpose the picture into patches and use `linear`, whose palettized
      weight has no stride.

    ## Known exceptions
    Apple wrote the rule for Core AI, whose compiler is not Core ML's, among advice on what is efficient; the message speaks
    of refusing. Nobody published a placement, so this is a note and placement is predicted as for a dense weight.
    """

    code = "ANE606"
    name = "palettized-stride"
    operations = PALETTES
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "leave this convolution's weight out of palettization"
    covers = ("QZ08",)
    limits = ("palettized-conv-stride",)
    evidence = (
        cite("apple-coreai", Confidence.DOCUMENTED),
        cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 8, 8]> x) {
                    tensor<fp16, [2, 1, 4, 1]> w = constexpr_lut_to_dense(
                        indices = tensor<uint2, [2, 1, 4, 1]>([[[[0], [1], [2], [3]]], [[[3], [3], [1], [0]]]]),
                        lut = tensor<fp16, [1, 1, 1, 1, 4, 1]>([[[[[[-1], [-0.5], [0.5], [1]]]]]]));
                    tensor<fp16, [1, 2, 2, 2]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([4, 4]), weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 8, 8]> x) {
                    tensor<fp16, [2, 1, 4, 1]> w = const()[val = tensor<fp16, [2, 1, 4, 1]>(
                        [[[[-1], [-0.5], [0.5], [1]]], [[[1], [1], [-0.5], [-1]]]])];
                    tensor<fp16, [1, 2, 2, 2]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([4, 4]), weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                weights = cto.OpPalettizerConfig(nbits=4)
                config = cto.OptimizationConfig(global_config=weights)
                model = cto.palettize_weights(model, config)
            """),
            pytorch_after=pytorch("""
                weights = cto.OpPalettizerConfig(nbits=4)
                config = cto.OptimizationConfig(global_config=weights, op_name_configs={"patch_embedding": None})
                model = cto.palettize_weights(model, config)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag convolutions with the weight that move further than the limit in any direction."""
        limit = context.limit("palettized-conv-stride")
        if limit is None:
            return
        for user, parameter in uses(operation, graph):
            strides = [int(step) for step in user.constant("strides") or ()]
            if user.type == "conv" and parameter == "weight" and strides and max(strides) > limit.value:
                yield self.finding(
                    user,
                    f"palettized weight with a stride of {max(strides)}, at most {limit.value:g}",
                    families=context.families_below(limit.name, max(strides)),
                    evidence=(*limit.citations, *self.evidence[1:]),
                    weight=operation.name,
                    strides=strides,
                )
