"""ANE114: sorting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.forms.integer_paths import is_wide


class Sort(OperationRule):
    """Sorting (`argsort`) runs on the CPU.

    ## Why it leaves the engine
    The order comes as 32-bit integers, which the engine does not have ("Unsupported tensor data type: int32"), and the
    operation has no other form. Sorting in PyTorch becomes an `argsort`, a cast and a `gather_along_axis`: the cast
    stays on the CPU as well, and the values come back to the engine only for the read.

    ## Instead
    - Return the values and sort outside the model.
    - If only the first few matter, chain `reduce_max` with masks; for one value `reduce_max` is all.
    - For short axes count ranks: compare every value with every other in fp16 and sum the results. The ranks, compared
      with a constant range, give a one-hot matrix that sorts by one `matmul`. That is n² comparisons for n values.

    ## Contradictions
    Compiler tables list sorting in hardware from H14 on (guide-a). Core ML's plan on M4 does not use it, for the order comes
    as int32, so every sort is flagged.
    """

    code = "ANE114"
    name = "sort"
    operations = frozenset({"argsort"})
    rewrite = "return the values and sort outside the model"
    reject = "Unsupported tensor data type: int32"
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("apple-coreai", Confidence.DOCUMENTED),
        cite("guide-a", Confidence.REVERSE_ENGINEERED, "H13"),
    )
    covers = ("OP06", "OP46")
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 64]> x) {
                    tensor<fp16, [1, 64]> scores = sigmoid(x = x);
                    tensor<int32, [1, 64]> y = argsort(ascending = bool(false), axis = int32(1), x = scores);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 64]> x) {
                    tensor<fp16, [1, 64]> scores = sigmoid(x = x);
                } -> (scores);
            """),
            equal=False,
            reason="redesign: the model returns the values, and the app sorts",
            pytorch_before=pytorch("""
                def forward(self, x):
                    return torch.sigmoid(x).argsort(1, descending=True)
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return torch.sigmoid(x)  # the app sorts
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag every one, together with a cast that is the only user of the order."""
        axis = operation.scalar("axis")
        axis = -1 if axis is None else axis
        order = operation.outputs[0] if operation.outputs else None
        user = graph.only_user(order) if order is not None and is_wide(order) else None
        yield self.finding(
            operation,
            f"order of {operation.tensor('x')} along axis {axis}",
            related=(user,) if user and user.type == "cast" else (),
            axis=axis,
        )
