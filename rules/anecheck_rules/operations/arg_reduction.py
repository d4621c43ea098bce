"""ANE113: the position of the largest or smallest value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.forms.integer_paths import is_wide


class ArgReduction(OperationRule):
    """A `reduce_argmax` or `reduce_argmin` runs on the CPU.

    ## Why it leaves the engine
    The result is a 32-bit integer, and Core ML's compiler refuses it for the engine with "Output type int32 is not
    supported." The cast that usually follows starts from int32 and stays on the CPU too. With 16-bit positions (iOS 17
    and later) Core ML's placement still has no engine cost for the operation.

    ## Instead
    - Return the scores and find the position outside the model: for one row it takes microseconds there.
    - If only the value is wanted, take `reduce_max` or `reduce_min`.
    - To mark the position inside the model, compare the scores with their `reduce_max`; equal values are all marked.

    ## Contradictions
    Compiler tables list a hardware version from H15 on, older ones for channels and spatial axes up to 2048 long
    (guide17), and a matrix of converters has none for A18 (rs-strings). Core ML's plan on M4 places none and gives them no
    cost, so all are flagged, whatever their axis.
    """

    code = "ANE113"
    name = "arg-reduction"
    operations = frozenset({"reduce_argmax", "reduce_argmin"})
    rewrite = "return the scores and find the position outside the model"
    reject = "Output type int32 is not supported."
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("guide18", Confidence.REVERSE_ENGINEERED, "H13", "H14", "H15", "H17"),
    )
    covers = ("OP06",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 10]> x) {
                    tensor<fp16, [1, 10]> scores = softmax(axis = int32(1), x = x);
                    tensor<int32, [1]> y = reduce_argmax(axis = int32(1), keep_dims = bool(false),
                        output_dtype = string("int32"), x = scores);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 10]> x) {
                    tensor<fp16, [1, 10]> scores = softmax(axis = int32(1), x = x);
                } -> (scores);
            """),
            equal=False,
            reason="redesign: the model returns the scores, and the app finds the position",
            pytorch_before=pytorch("""
                def forward(self, x):
                    return torch.softmax(x, 1).argmax(1)
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return torch.softmax(x, 1)  # the app takes the position
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag every one, together with a cast that is the only user of 32-bit positions."""
        axis = operation.scalar("axis")
        axis = -1 if axis is None else axis
        position = operation.outputs[0] if operation.outputs else None
        wide = position is not None and is_wide(position)
        user = graph.only_user(position) if position is not None and wide else None
        which = "largest" if operation.type == "reduce_argmax" else "smallest"
        yield self.finding(
            operation,
            f"{'int32 ' if wide else ''}position of the {which} value of {operation.tensor('x')} along axis {axis}",
            related=(user,) if user and user.type == "cast" else (),
            evidence=() if wide else self.evidence[1:],
            axis=axis,
        )
