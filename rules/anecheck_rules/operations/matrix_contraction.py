"""ANE120: matrix multiplications over an axis that is too long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class MatrixContraction(OperationRule):
    """A matrix multiplication sums over an axis that is too long.

    ## Why it leaves the engine
    A row of the left matrix must fit the engine's kernel memory of 64 KiB, which is 32768 values in fp16. Core ML's
    compiler refuses a longer one ("the output channel of input A … can not fit the Kmem").

    ## Instead
    Split both operands along the summed axis, multiply the pieces, and add the products. The sums of the pieces are
    rounded to fp16 before they are added, so the result differs by rounding.

    ## Contradictions
    A sweep over axes (larql) found the engine admitted up to 16384 and looked no further; M4's plan took 32768 and refused
    40000. The longer one is taken from M4 on, the shorter before it, where nothing longer was tried.
    """

    code = "ANE120"
    name = "matrix-contraction"
    operations = frozenset({"matmul", "linear"})
    rewrite = "split both operands along the summed axis and add the products"
    evidence = (
        cite("751k-analytics", Confidence.MEASURED, "H16"),
        cite("larql", Confidence.MEASURED),
    )
    covers = ("SH09",)
    limits = ("matmul-contraction",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 40000]> a, tensor<fp16, [1, 40000, 2]> b) {
                    tensor<fp16, [1, 2, 2]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = a, y = b);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 40000]> a, tensor<fp16, [1, 40000, 2]> b) {
                    tensor<fp16, [1, 2, 20000]> a0, tensor<fp16, [1, 2, 20000]> a1 = split(axis = int32(2),
                        num_splits = int32(2), x = a);
                    tensor<fp16, [1, 20000, 2]> b0, tensor<fp16, [1, 20000, 2]> b1 = split(axis = int32(1),
                        num_splits = int32(2), x = b);
                    tensor<fp16, [1, 2, 2]> y0 = matmul(transpose_x = bool(false), transpose_y = bool(false), x = a0, y = b0);
                    tensor<fp16, [1, 2, 2]> y1 = matmul(transpose_x = bool(false), transpose_y = bool(false), x = a1, y = b1);
                    tensor<fp16, [1, 2, 2]> y = add(x = y0, y = y1);
                } -> (y);
            """),
            equal=False,
            reason="approximation: each half is rounded to fp16 before they are added",
            pytorch_before=pytorch("""
                def forward(self, a, b):
                    return a @ b
            """),
            pytorch_after=pytorch("""
                def forward(self, a, b):
                    a0, a1 = a.chunk(2, -1)
                    b0, b1 = b.chunk(2, -2)
                    return a0 @ b0 + a1 @ b1
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a contracted axis beyond the family's limit."""
        tensor = operation.tensor("x")
        if tensor is None or not tensor.shape:
            return
        transposed = operation.type == "matmul" and operation.scalar("transpose_x") is True and tensor.rank > 1
        length = tensor.shape[-2 if transposed else -1]
        limit = context.limit("matmul-contraction")
        if limit is not None and length is not None and length > limit.value:
            yield self.finding(
                operation,
                f"sums over {length:,} elements, at most {int(limit.value):,} fit",
                families=context.families_below("matmul-contraction", length),
                evidence=limit.citations,
                reject=f"Error: the output channel of input A ({2 * length} kB) can not fit the Kmem (65536 kB)",
                length=length,
                limit=int(limit.value),
            )
