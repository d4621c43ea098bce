"""ANE602: quantized weights with zero points."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.compression.stored_weights import PROJECTIONS, SCALED, stored, stored_constant, stored_type, uses


class WeightOffset(OperationRule):
    """A quantized weight has zero points that are not 0.

    ## Why it leaves the engine
    A weight is `scale * (code - zero point)`. What Apple recommends for the engine is symmetric: the zero point is 0, and
    the scale can wait until the products are summed up. With another zero point the sum of the inputs is needed as well.
    A compiler read on M2 has a message for it ("Asym quantization is not supported"); which weights of which release get
    it nobody published, so this is a note and placement is predicted as if nothing were wrong.

    ## Instead
    Quantize with `mode="linear_symmetric"`, the default of coremltools. Unsigned codes around 128 (or 8, in 4 bits) are
    symmetric in disguise: subtract the zero point from the codes, store them as int8 (int4), and leave it out. The numbers
    stay the same.

    ## Known exceptions
    Zero points written out as zeros are none. Where they lie in the weight file, which is not read, int8 codes are taken
    to have zeros there, as coremltools writes them for iOS 16 and 17; unsigned codes and the offsets of iOS 18, which
    would be left out if they were 0, are flagged.

    ## Contradictions
    The same compiler has a message against 4-bit weights with a scale per channel, which Apple recommends; its messages
    say what some path refuses, not what Core ML does.
    """

    code = "ANE602"
    name = "weight-offset"
    operations = SCALED
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = 'quantize with mode="linear_symmetric", whose zero point is 0'
    reject = "Asym quantization is not supported"
    covers = ("QZ03",)
    evidence = (
        cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),
        cite("apple-opt-guidance", Confidence.DOCUMENTED),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 3]> x) {
                    tensor<fp16, [2, 3]> w = constexpr_affine_dequantize()[axis = tensor<int32, []>(0),
                        quantized_data = tensor<uint8, [2, 3]>([[1, 128, 255], [130, 100, 90]]),
                        scale = tensor<fp16, [2]>([0.25, 0.5]), zero_point = tensor<uint8, [2]>([128, 128])];
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 3]> x) {
                    tensor<fp16, [2, 3]> w = constexpr_affine_dequantize()[axis = tensor<int32, []>(0),
                        quantized_data = tensor<int8, [2, 3]>([[-127, 0, 127], [2, -28, -38]]),
                        scale = tensor<fp16, [2]>([0.25, 0.5]), zero_point = tensor<int8, [2]>([0, 0])];
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                weights = cto.OpLinearQuantizerConfig(mode="linear", dtype="uint8")
                model = cto.linear_quantize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
            pytorch_after=pytorch("""
                weights = cto.OpLinearQuantizerConfig(mode="linear_symmetric", dtype="int8")
                model = cto.linear_quantize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [2, 4]> w = constexpr_blockwise_shift_scale(
                        data = tensor<uint4, [2, 4]>([[1, 8, 15, 3], [4, 6, 7, 12]]),
                        offset = tensor<uint4, [2, 1]>([[8], [8]]), scale = tensor<fp16, [2, 1]>([[0.25], [0.5]]));
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [2, 4]> w = constexpr_blockwise_shift_scale(
                        data = tensor<int4, [2, 4]>([[-7, 0, 7, -5], [-4, -2, -1, 4]]),
                        scale = tensor<fp16, [2, 1]>([[0.25], [0.5]]));
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                weights = cto.OpLinearQuantizerConfig(mode="linear", dtype="uint4")
                model = cto.linear_quantize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
            pytorch_after=pytorch("""
                weights = cto.OpLinearQuantizerConfig(mode="linear_symmetric", dtype="int4")
                model = cto.linear_quantize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag who computes with a weight whose zero points are not 0, or not known to be."""
        name = "zero_point" if operation.type == "constexpr_affine_dequantize" else "offset"
        if stored(operation, name) is None:
            return
        points = stored_constant(operation, name)
        if points is not None:
            if not any(points):
                return
            message = "the weight has zero points other than 0"
        else:
            data = "quantized_data" if name == "zero_point" else "data"
            codes = stored_type(operation, data)
            if name == "zero_point" and codes is not None and codes.dtype.startswith("int"):
                return  # the attribute must be there, and symmetric weights have zeros in it
            message = "the weight has stored zero points"
        for user, _ in uses(operation, graph):
            if user.type in PROJECTIONS:
                yield self.finding(user, message, weight=operation.name)
