"""ANE601: quantized weights whose scale changes along the axis that is summed over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.types import TensorType
from anecheck_rules.compression.stored_weights import SCALED, stored_constant, stored_type, weight_uses


class ScalePerBlock(OperationRule):
    """The scale of a quantized weight changes along the axis that is summed over.

    ## Why it leaves the engine
    One scale for an output channel, or for the whole weight, can be applied once, to the finished sum of products. A scale
    that changes within the sum cannot, and Core ML's compiler refuses the operation for the engine ("ANE only support
    per-cout/per-tensor quantization"). It runs on the CPU or the GPU, and so does nearly the whole of a transformer
    quantized this way, whose time is in its projections.

        int4 [2304, 768]  scale [2304, 24]      leaves: 24 scales in every sum of 768 products
        int4 [2304, 768]  scale [2304,  1]      stays

    coremltools makes such weights with `granularity="per_block"`. The axis is the second of `linear` and `conv`, the first
    of `conv_transpose`, and for `matmul` the one that both operands share. A parameter used as `x @ w` that was quantized along
    its first axis has the same defect, with blocks of one.

    ## Instead
    - Quantize with `granularity="per_channel"`: int8, or int4 where the accuracy allows.
    - Or palettize with `granularity="per_grouped_channel"`: 4-bit codes with a table of 16 values for every 8 to 32 output
      channels are smaller than 4-bit blocks of 32 (4.5 bits a weight), and stay on the engine.
    - A scale for each single input moves onto the input: `(x * s) @ q` is `x @ (s * q)`.
    - Keep per-block weights in a second model for the GPU, which they suit.

    ## Known exceptions
    A `gather` (an embedding) sums nothing and is not flagged, nor are scales shared by several output channels, which
    nobody measured.

    ## Contradictions
    An engine guide that compiles without Core ML finds that engines from A16 and M3 on read such weights. Core ML goes
    another way, and refused them wherever somebody looked up to M5.
    """

    code = "ANE601"
    name = "scale-per-block"
    operations = SCALED
    rewrite = "quantize per channel, or palettize with a table for each group of output channels"
    reject = "ANE: ANE only support per-cout/per-tensor quantization"
    releases = "iOS 16 and macOS 13 on; blocks exist from iOS 18 and macOS 15 on"
    covers = ("QZ01",)
    evidence = (
        cite("ct2510", Confidence.MEASURED, "H16", "H17"),
        cite("ct-docs-opt", Confidence.DOCUMENTED),
        cite("cadam", Confidence.COMMUNITY, "H17"),
        cite("et", Confidence.COMMUNITY),
        cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [2, 4]> w = constexpr_blockwise_shift_scale(
                        data = tensor<int4, [2, 4]>([[1, -2, 3, 4], [5, 6, -7, 2]]),
                        scale = tensor<fp16, [2, 2]>([[0.25, 0.5], [0.125, 0.5]]));
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [2, 4]> w = constexpr_blockwise_shift_scale(
                        data = tensor<int8, [2, 4]>([[1, -2, 6, 8], [5, 6, -28, 8]]),
                        scale = tensor<fp16, [2, 1]>([[0.25], [0.125]]));
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                weights = cto.OpLinearQuantizerConfig(
                    mode="linear_symmetric", dtype="int4", granularity="per_block", block_size=32)
                model = cto.linear_quantize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
            pytorch_after=pytorch("""
                weights = cto.OpLinearQuantizerConfig(
                    mode="linear_symmetric", dtype="int8", granularity="per_channel")
                model = cto.linear_quantize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
        ),
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [3, 4]> x) {
                    tensor<fp16, [4, 2]> w = constexpr_affine_dequantize()[axis = tensor<int32, []>(0),
                        quantized_data = tensor<int8, [4, 2]>([[10, -20], [30, 40], [-50, 60], [70, 80]]),
                        scale = tensor<fp16, [4]>([2, 4, 1, 8]), zero_point = tensor<int8, []>(0)];
                    tensor<fp16, [3, 2]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = x, y = w);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios17>(tensor<fp16, [3, 4]> x) {
                    tensor<fp16, [4, 2]> w = constexpr_affine_dequantize()[axis = tensor<int32, []>(0),
                        quantized_data = tensor<int8, [4, 2]>([[10, -20], [30, 40], [-50, 60], [70, 80]]),
                        scale = tensor<fp16, []>(1), zero_point = tensor<int8, []>(0)];
                    tensor<fp16, [4]> s = const()[val = tensor<fp16, [4]>([2, 4, 1, 8])];
                    tensor<fp16, [3, 4]> scaled = mul(x = x, y = s);
                    tensor<fp16, [3, 2]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = scaled, y = w);
                } -> (y);
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag who sums over an axis along which the scale changes."""
        scales = scale_shape(operation)
        for user, summed in weight_uses(operation, graph) if scales else ():
            weight = operation.outputs[0].tensor
            for axis in summed:
                if weight is None or axis >= len(scales) or (scales[axis] or 1) <= 1:
                    continue
                count, size = scales[axis] or 1, weight.shape[axis]
                elements = f"{size // count} elements" if size and size > count else "element"
                yield self.finding(
                    user,
                    f"a scale for every {elements} along axis {axis} of the weight, over which {user.type} sums",
                    weight=operation.name,
                    axis=axis,
                    scales=count,
                )
                break


def scale_shape(operation: Node) -> tuple[int | None, ...]:
    """How many scales a quantized weight has along each of its axes; empty where there is one, or nobody knows."""
    scale = stored_type(operation, "scale")
    if scale is None or scale.element_count == 1:
        return ()
    if operation.type != "constexpr_affine_dequantize":
        return scale.shape
    weight, axis = operation.outputs[0].tensor, stored_constant(operation, "axis")
    return _along(weight, int(axis[0]), scale) if weight is not None and axis else ()


def _along(weight: TensorType, axis: int, scale: TensorType) -> tuple[int | None, ...]:
    if not -weight.rank <= axis < weight.rank or scale.rank != 1:
        return ()
    return tuple(scale.shape[0] if place == axis % weight.rank else 1 for place in range(weight.rank))
