"""ANE103: casts to and from 32-bit integers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.forms.integer_paths import touches_wide


class IntegerCast(OperationRule):
    """A cast to or from 32-bit integers.

    ## Why it leaves the engine
    The engine takes no 32-bit integers, so Core ML's compiler refuses it a cast on either side of which they stand
    ("Unsupported tensor data type: int32"). Casts between fp16 and fp32, to 8 and 16 bits, and from booleans stay.

    ## Instead
    Give the model the type that it computes with: token ids, positions and masks as fp16 inputs, or embeddings in place of
    ids. Return fp16 and round in the app. Inside the program, compare and select in fp16.

    ## Known exceptions
    A cast that is the first or the last operation costs one switch, not two, and often little more.
    """

    code = "ANE103"
    name = "integer-cast"
    operations = frozenset({"cast"})
    defers = True
    rewrite = "pass fp16 in and out; keep integers outside the model"
    reject = "Unsupported tensor data type: int32"
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("apple-coreai", Confidence.DOCUMENTED),
        cite("guide-a", Confidence.REVERSE_ENGINEERED, "H13"),
    )
    covers = ("DT03",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<int32, [1, 64]> a, tensor<fp16, [1, 64]> b) {
                    tensor<fp16, [1, 64]> c = cast(dtype = string("fp16"), x = a);
                    tensor<fp16, [1, 64]> y = add(x = b, y = c);
                } -> (y);
            """),
            flags=("c",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 64]> a, tensor<fp16, [1, 64]> b) {
                    tensor<fp16, [1, 64]> y = add(x = b, y = a);
                } -> (y);
            """),
            equal=False,
            reason="redesign: the integer input becomes fp16, exact up to 2048",
            pytorch_before=pytorch("""
                ct.convert(
                    torch.jit.trace(model, (a, b)),  # b + a
                    inputs=[ct.TensorType("a", (1, 64), dtype=np.int32), ct.TensorType("b", (1, 64), dtype=np.float16)],
                )
            """),
            pytorch_after=pytorch("""
                ct.convert(
                    torch.jit.trace(model, (a.half(), b)),
                    inputs=[ct.TensorType("a", (1, 64), dtype=np.float16), ct.TensorType("b", (1, 64), dtype=np.float16)],
                )
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a cast with 32-bit integers on either side."""
        if touches_wide(operation):
            source = operation.tensor("x")
            target = operation.outputs[0].tensor if operation.outputs else None
            sides = [tensor.dtype if tensor else "?" for tensor in (source, target)]
            yield self.finding(operation, f"cast from {sides[0]} to {sides[1]}", source=sides[0], target=sides[1])
