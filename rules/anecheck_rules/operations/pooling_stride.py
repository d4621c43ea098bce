"""ANE135: pooling with strides that the engine has no step for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node

STEPS = frozenset({1, 2, 4})
"""Standing still, and the strides that Apple names for pooling."""


class PoolingStride(OperationRule):
    """A pooling window moves by neither 1, 2 nor 4.

    ## Why it costs
    Apple's advice is to pool with strides of 2 or 4 and no others. What the compiler makes of a 3 or a 5 is not published; its
    texts also ask that the stride divide the width and the height.

    ## Instead
    Where the window is as long as the stride, nothing overlaps, and the pool is a reduction over an axis of its own. The
    same numbers, one axis after the other:

        max_pool (3 × 3, stride 3)

        reshape [N, C, H, W/3, 3] → reduce_max (last axis) → reshape [N, C, H/3, 3, W/3] → reduce_max (axis 3)

    Otherwise pool with stride 1 and take every third result by a strided slice, if the picture is small, or train with a
    stride of 2 or 4.

    ## Known exceptions
    Pools that give a single position (global pooling) do not move, whatever stride they name, and are not flagged.

    ## Contradictions
    Observers wrote in 2019 that strides above 2 leave the engine. No compute plan of one was published since, and the
    advice was written for Core AI, so this is a note.
    """

    code = "ANE135"
    name = "pooling-stride"
    severity = Severity.INFO
    operations = frozenset({"max_pool", "avg_pool", "l2_pool"})
    blocks = frozenset()
    rewrite = "reduce over an axis of its own where windows do not overlap, or pool by 2 or 4"
    evidence = (
        cite("apple-coreai", Confidence.DOCUMENTED),
        cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),
    )
    covers = ("OP25",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 6, 6]> x) {
                    tensor<fp16, [1, 2, 2, 2]> y = max_pool(ceil_mode = bool(false),
                        kernel_sizes = tensor<int32, [2]>([3, 3]), pad = tensor<int32, [4]>([0, 0, 0, 0]),
                        pad_type = string("valid"), strides = tensor<int32, [2]>([3, 3]), x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 6, 6]> x) {
                    tensor<fp16, [1, 2, 6, 2, 3]> columns = reshape(shape = tensor<int32, [5]>([1, 2, 6, 2, 3]), x = x);
                    tensor<fp16, [1, 2, 6, 2]> wide = reduce_max(axes = tensor<int32, [1]>([-1]), keep_dims = bool(false),
                        x = columns);
                    tensor<fp16, [1, 2, 2, 3, 2]> rows = reshape(shape = tensor<int32, [5]>([1, 2, 2, 3, 2]), x = wide);
                    tensor<fp16, [1, 2, 2, 2]> y = reduce_max(axes = tensor<int32, [1]>([3]), keep_dims = bool(false),
                        x = rows);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def shrink(x):  # [N, C, H, W], multiples of 3
                    return torch.nn.functional.max_pool2d(x, kernel_size=3)
            """),
            pytorch_after=pytorch("""
                def shrink(x):
                    n, c, h, w = x.shape
                    x = x.reshape(n, c, h, w // 3, 3).amax(-1)
                    return x.reshape(n, c, h // 3, 3, w // 3).amax(3)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag strides other than Apple's, along axes on which the window moves."""
        strides, output = operation.constant("strides"), operation.outputs[0].tensor
        if not strides or output is None or len(strides) > output.rank:
            return
        sizes = output.shape[-len(strides) :]
        moving = [int(step) for step, size in zip(strides, sizes, strict=True) if size != 1]
        odd = [step for step in moving if step not in STEPS]
        if odd:
            yield self.finding(
                operation, f"{operation.type} moves by {odd[0]}, where 2 and 4 are the strides to use", strides=moving
            )
