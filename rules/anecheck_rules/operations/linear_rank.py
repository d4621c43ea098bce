"""ANE126: linear layers over tensors of rank five."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class LinearRank(OperationRule):
    """A linear layer's input has five dimensions or more.

    ## Why it leaves the engine
    The engine's compiler takes `linear` only on inputs of rank four or less ("ANE cannot support Linear with input rank >=
    5"). Convolutions and element-wise operations do take five dimensions.

    ## Instead
    Reshape to rank three or four before the layer and back after it; the layer works on the last axis alone, so the
    numbers stay the same.
    """

    code = "ANE126"
    name = "linear-rank"
    operations = frozenset({"linear"})
    rewrite = "reshape to rank three or four before the layer and back after it"
    evidence = (
        cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),
        cite("guide17", Confidence.REVERSE_ENGINEERED),
    )
    covers = ("SH04",)
    limits = ("linear-rank",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 4, 2]> x) {
                    tensor<fp16, [2, 2]> w = const()[val = tensor<fp16, [2, 2]>([[1, 2], [3, 4]])];
                    tensor<fp16, [2]> b = const()[val = tensor<fp16, [2]>([1, -1])];
                    tensor<fp16, [1, 2, 3, 4, 2]> y = linear(bias = b, weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 4, 2]> x) {
                    tensor<fp16, [2, 2]> w = const()[val = tensor<fp16, [2, 2]>([[1, 2], [3, 4]])];
                    tensor<fp16, [2]> b = const()[val = tensor<fp16, [2]>([1, -1])];
                    tensor<fp16, [1, 24, 2]> flat = reshape(shape = tensor<int32, [3]>([1, 24, 2]), x = x);
                    tensor<fp16, [1, 24, 2]> h = linear(bias = b, weight = w, x = flat);
                    tensor<fp16, [1, 2, 3, 4, 2]> y = reshape(shape = tensor<int32, [5]>([1, 2, 3, 4, 2]), x = h);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x):
                    return self.linear(x)  # [1, 2, 3, 4, 2]
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return self.linear(x.flatten(1, 3)).unflatten(1, (2, 3, 4))
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag inputs of a rank beyond the family's limit."""
        tensor = operation.tensor("x")
        limit = context.limit("linear-rank")
        if tensor is not None and limit is not None and tensor.rank > limit.value:
            yield self.finding(
                operation,
                f"linear layer on rank {tensor.rank}, at most {int(limit.value)} dimensions fit",
                families=context.families_below("linear-rank", tensor.rank),
                rank=tensor.rank,
            )
