"""ANE104: cumulative sums."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class CumulativeSum(OperationRule):
    """A cumulative sum (`cumsum`) runs on the CPU.

    ## Why it leaves the engine
    The engine has no operation that carries a running total along an axis, and Core ML's compiler refuses `cumsum` for it
    by name. The values around it cross to the CPU and back.

    ## Instead
    Multiply by a triangular matrix of ones: along an axis of length n, `y = x · T` with T[i, j] = 1 where i <= j gives the
    same sums in one `matmul`. For an exclusive sum leave the diagonal out; for a reverse sum use the transposed triangle.
    The matrix has n² elements, so for axes of several thousand sum blocks of 256 this way and add the blocks' totals.
    """

    code = "ANE104"
    name = "cumulative-sum"
    operations = frozenset({"cumsum"})
    reject = 'Unsupported MIL operation "cumsum".'
    rewrite = "multiply by a triangular matrix of ones"
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("aneforge-sweep", Confidence.REVERSE_ENGINEERED, "H17"),
    )
    covers = ("OP09",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 4]> x) {
                    tensor<fp16, [1, 8, 4]> y = cumsum(axis = int32(2), exclusive = bool(false), reverse = bool(false), x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 4]> x) {
                    tensor<fp16, [4, 4]> ones = const()[val = tensor<fp16, [4, 4]>(
                        [[1, 1, 1, 1], [0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]])];
                    tensor<fp16, [1, 8, 4]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = x, y = ones);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x):
                    return x.cumsum(-1)
            """),
            pytorch_after=pytorch("""
                def __init__(self):
                    super().__init__()
                    self.register_buffer("ones", torch.ones(4, 4).triu())

                def forward(self, x):
                    return x @ self.ones
            """),
            pattern="cumsum_ios18",
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag every `cumsum`."""
        axis = operation.scalar("axis")
        yield self.finding(operation, f"cumulative sum over axis {axis}", axis=axis)
