"""ANE117: tensors of too many dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.types import TensorType


class TensorRank(OperationRule):
    """A tensor has more dimensions than the engine knows.

    ## Why it leaves the engine
    The engine addresses batch, channels, depth, height and width: five dimensions. Window partitions, pixel shuffles and
    patch embeddings are often written over six or more; such an operation leaves the engine, and some fail to compile or
    to load at all.

    ## Instead
    Go there in steps of rank five or less: a transpose over six axes is two reshapes with a transpose of at most five
    each, because axes that stay next to each other can be moved as one. For shuffles use `pixel_shuffle`,
    `space_to_depth` and `depth_to_space`.
    """

    code = "ANE117"
    name = "tensor-rank"
    rewrite = "reshape and transpose in steps of rank five or less; axes that stay together move as one"
    evidence = (
        cite("apple-coreai", Confidence.DOCUMENTED),
        cite("apple-vit", Confidence.DOCUMENTED),
        cite("guide17", Confidence.REVERSE_ENGINEERED),
    )
    covers = ("SH01",)
    limits = ("tensor-rank",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 8, 4]> x) {
                    tensor<fp16, [1, 2, 4, 2, 4, 4]> a = reshape(shape = tensor<int32, [6]>([1, 2, 4, 2, 4, 4]), x = x);
                    tensor<fp16, [1, 2, 2, 4, 4, 4]> b = transpose(perm = tensor<int32, [6]>([0, 1, 3, 2, 4, 5]), x = a);
                    tensor<fp16, [4, 16, 4]> y = reshape(shape = tensor<int32, [3]>([4, 16, 4]), x = b);
                } -> (y);
            """),
            flags=("a", "b", "y"),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 8, 4]> x) {
                    tensor<fp16, [2, 4, 2, 16]> a = reshape(shape = tensor<int32, [4]>([2, 4, 2, 16]), x = x);
                    tensor<fp16, [2, 2, 4, 16]> b = transpose(perm = tensor<int32, [4]>([0, 2, 1, 3]), x = a);
                    tensor<fp16, [4, 16, 4]> y = reshape(shape = tensor<int32, [3]>([4, 16, 4]), x = b);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x):
                    return x.view(1, 2, 4, 2, 4, 4).permute(0, 1, 3, 2, 4, 5).reshape(4, 16, 4)
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return x.view(2, 4, 2, 16).transpose(1, 2).reshape(4, 16, 4)
            """),
        ),
    )

    def concerns_tensor(self, tensor: TensorType, context: Context) -> bool:
        """Only ranks above the limit, which few programs have."""
        limit = context.limit("tensor-rank")
        return limit is not None and len(tensor.shape) > limit.value

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag the highest rank among run-time operands and results."""
        rank = max([len(tensor.shape) for tensor in operation.running_tensors], default=0)
        limit = context.limit("tensor-rank")
        if limit is not None:
            yield self.finding(
                operation,
                f"rank {rank}, at most {int(limit.value)} dimensions fit",
                families=context.families_below(limit.name, rank),
                rank=rank,
            )
