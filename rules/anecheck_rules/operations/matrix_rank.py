"""ANE138: matrix multiplications of rank five."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil import pattern
from anecheck.mil.graph import Graph, Node


class MatrixRank(OperationRule):
    """Matrices are multiplied over three batch axes.

    ## Why it leaves the engine
    A fifth axis is the engine's depth, and its matrix multiplication knows depth 1 alone; its compiler has a text that
    refuses more. On M1 and M5, on a way around Core ML, multiplications of five axes failed to compile where a `transpose`
    made one of the operands, which is how attention over windows, or over grouped heads, is commonly written.

    ## Instead
    Batch axes are only counted, so merge them into one or two before and part them after. The same numbers:

        q [1, G, H, S, D] · k [1, G, H, D, S]

        reshape both to [G, H, …] → matmul → reshape to [1, G, H, S, S]

    ## Known exceptions
    Products whose third axis has one entry, and operands that no `transpose` made, are not flagged: nobody saw them fail.

    ## Contradictions
    Nobody published a compute plan of a product of five axes on Core ML, which may merge the axes by itself: a note.
    """

    code = "ANE138"
    name = "matrix-rank"
    severity = Severity.INFO
    operations = frozenset({"matmul"})
    blocks = frozenset()
    rewrite = "merge the batch axes by a reshape before the multiplication and part them after it"
    evidence = (
        cite("guide17", Confidence.REVERSE_ENGINEERED),
        cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),
        cite("aneforge", Confidence.REVERSE_ENGINEERED, "H13", "H17"),
    )
    covers = ("SH03",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 4, 2]> q, tensor<fp16, [1, 2, 4, 3, 2]> k) {
                    tensor<fp16, [1, 2, 3, 4, 2]> heads = transpose(perm = tensor<int32, [5]>([0, 1, 3, 2, 4]), x = k);
                    tensor<fp16, [1, 2, 3, 4, 4]> y = matmul(transpose_x = bool(false), transpose_y = bool(true), x = q,
                        y = heads);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 4, 2]> q, tensor<fp16, [1, 2, 4, 3, 2]> k) {
                    tensor<fp16, [2, 3, 4, 2]> rows = reshape(shape = tensor<int32, [4]>([2, 3, 4, 2]), x = q);
                    tensor<fp16, [2, 4, 3, 2]> keys = reshape(shape = tensor<int32, [4]>([2, 4, 3, 2]), x = k);
                    tensor<fp16, [2, 3, 4, 2]> heads = transpose(perm = tensor<int32, [4]>([0, 2, 1, 3]), x = keys);
                    tensor<fp16, [2, 3, 4, 4]> h = matmul(transpose_x = bool(false), transpose_y = bool(true), x = rows,
                        y = heads);
                    tensor<fp16, [1, 2, 3, 4, 4]> y = reshape(shape = tensor<int32, [5]>([1, 2, 3, 4, 4]), x = h);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def scores(q, k):  # [1, windows, heads, length, size], [1, windows, length, heads, size]
                    return q @ k.transpose(2, 3).transpose(-1, -2)
            """),
            pytorch_after=pytorch("""
                def scores(q, k):
                    q, k = q.squeeze(0), k.squeeze(0)
                    return (q @ k.transpose(1, 2).transpose(-1, -2)).unsqueeze(0)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag products of five axes whose depth is more than 1 and of which an operand was transposed."""
        output = operation.outputs[0].tensor
        if output is None or output.rank != 5 or output.shape[2] == 1:
            return
        transposed = [name for name in ("x", "y") if pattern.maker(operation.operand(name), "transpose") is not None]
        if transposed:
            shape = " × ".join("?" if size is None else str(size) for size in output.shape)
            yield self.finding(operation, f"multiplies matrices of five axes ({shape}), one of them transposed before")
