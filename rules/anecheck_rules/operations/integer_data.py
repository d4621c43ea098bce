"""ANE102: 32-bit integers as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.types import TensorType
from anecheck_rules.forms.integer_paths import WIDE_INTEGERS, is_wide

BOUNDS_OF_WRITES = ("begin", "end", "stride")
"""Run-time bounds of `slice_update` are left to the rule about dynamic slices, which knows what was seen of them."""


class IntegerData(OperationRule):
    """An operation computes on 32-bit integers.

    ## Why it leaves the engine
    The engine computes on fp16 and on 8- and 16-bit integers. Core ML's compiler refuses it any operation that takes or
    gives a 32-bit integer tensor while the model runs, whatever the operation is. Constants such as axes and shapes do
    not count: they are compiled in.

    ## Instead
    Keep the data path in fp16, which holds every integer up to 2048 exactly. Compute indices, positions and masks before
    the model runs and pass them in, or make them constants; compare in fp16 rather than on integers.

    A `select` may stay; what leaves is the comparison of integers that makes its condition. Pass a mask of ones and zeros in
    fp16 and blend: `b + m · (a − b)`.

    ## Contradictions
    A direct engine compile on M5 (aneforge) has no `logical_and`, `logical_or` and `logical_xor`, and the strings of the
    compiler (rs-strings) name no conversion of them. M4's plan lists the engine for all of these on booleans. The plan is
    how Core ML places, so masks made of fp16 comparisons are not flagged, only those made of integers.
    """

    code = "ANE102"
    name = "integer-data"
    defers = True
    rewrite = "keep the data in fp16 (exact for integers up to 2048), or compute it outside the model"
    reject = "Unsupported tensor data type: int32"
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("apple-coreai", Confidence.DOCUMENTED),
    )
    covers = ("DT01", "DT02", "CF03")
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<int32, [1, 64]> a, tensor<int32, [1, 64]> b) {
                    tensor<int32, [1, 64]> y = add(x = a, y = b);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 64]> a, tensor<fp16, [1, 64]> b) {
                    tensor<fp16, [1, 64]> y = add(x = a, y = b);
                } -> (y);
            """),
            equal=False,
            reason="redesign: the inputs and the output become fp16, exact for integers up to 2048",
            pytorch_before=pytorch("""
                ct.convert(
                    torch.jit.trace(model, (a, b)),  # a + b
                    inputs=[ct.TensorType("a", (1, 64), dtype=np.int32), ct.TensorType("b", (1, 64), dtype=np.int32)],
                )
            """),
            pytorch_after=pytorch("""
                ct.convert(
                    torch.jit.trace(model, (a, b)),
                    inputs=[ct.TensorType("a", (1, 64), dtype=np.float16), ct.TensorType("b", (1, 64), dtype=np.float16)],
                    outputs=[ct.TensorType(dtype=np.float16)],
                )
            """),
        ),
    )

    def concerns_tensor(self, tensor: TensorType, context: Context) -> bool:
        """Only wide integers."""
        return tensor.dtype in WIDE_INTEGERS

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a run-time operand or a result of a wide integer type. Casts have a rule of their own."""
        if operation.type == "cast":
            return
        spared = BOUNDS_OF_WRITES if operation.type == "slice_update" else ()
        wide = [
            (parameter, operand)
            for parameter, bound in operation.inputs.items()
            for operand in bound
            if is_wide(operand) and parameter not in spared
        ]
        if wide:
            parameter, operand = wide[0]
            dtype = operand.tensor.dtype if operand.tensor else ""
            yield self.finding(
                operation, f"{operation.type} takes {dtype} data ('{parameter}')", parameter=parameter, dtype=dtype
            )
        elif any(map(is_wide, operation.outputs)):
            yield self.finding(operation, f"{operation.type} gives 32-bit integers")
