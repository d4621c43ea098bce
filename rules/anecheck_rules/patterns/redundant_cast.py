"""ANE246: casts that change nothing, or undo one another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import maker
from anecheck_rules.forms.integer_paths import touches_wide

HOLDS: Final = {
    "bool": {"int8", "uint8", "int16", "uint16", "int32", "uint32", "fp16", "fp32"},
    "int8": {"int16", "int32", "fp16", "fp32"},
    "uint8": {"int16", "uint16", "int32", "uint32", "fp16", "fp32"},
    "int16": {"int32", "fp32"},
    "uint16": {"int32", "uint32", "fp32"},
    "fp16": {"fp32"},
}
"""The types that hold every number of a type as it is."""


FLOATS: Final = frozenset({"fp16", "fp32"})


class RedundantCast(OperationRule):
    """A cast changes nothing, or a second one makes it superfluous.

    ## Why it costs
    A cast reads and writes the whole tensor. By way of int32 it costs more than that: the engine takes no 32-bit integers,
    so both casts run on the CPU, and everything before and after changes the device.

        x fp16 ─ cast(fp32) ─ cast(fp16) ─ y          x fp16 ─ y

        m bool ─ cast(int32) ─ cast(fp16) ─ y         m bool ─ cast(fp16) ─ y

    coremltools takes such pairs out of what it converts itself. They come from other writers of programs, from graphs
    joined at a cast, and from `op_selector`s that kept an operation in fp32 which was optimised away later.

    ## Instead
    - Where the last type is the first one, use the value itself.
    - Where the type between holds every number of the first, cast directly to the last.

    ## Known exceptions
    A pair that narrows is no such pair: int32 to int16 and back wraps large numbers, fp32 to fp16 and back rounds, fp16 to
    int32 and back cuts the fraction off. For the last of these see integer-round-trip.
    """

    code = "ANE246"
    name = "redundant-cast"
    operations = frozenset({"cast"})
    severity = Severity.INFO
    rewrite = "use the value itself, or cast directly to the last type"
    reject = "Unsupported tensor data type: int32"
    evidence = (cite("751k-dispatch", Confidence.MEASURED, "H16"), cite("coremltools-9", Confidence.DOCUMENTED))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 4]> x) {
                    tensor<fp16, [1, 8, 4]> h = relu(x = x);
                    tensor<fp32, [1, 8, 4]> wide = cast(dtype = string("fp32"), x = h);
                    tensor<fp16, [1, 8, 4]> back = cast(dtype = string("fp16"), x = wide);
                    tensor<fp16, [1, 8, 4]> y = tanh(x = back);
                } -> (y);
            """),
            flags=("back",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 4]> x) {
                    tensor<fp16, [1, 8, 4]> h = relu(x = x);
                    tensor<fp16, [1, 8, 4]> y = tanh(x = h);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x):
                    return torch.relu(x).float().half().tanh()
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return torch.relu(x).tanh()
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 4]> x) {
                    tensor<bool, [1, 8, 4]> m = greater(x = x, y = fp16(0));
                    tensor<int32, [1, 8, 4]> i = cast(dtype = string("int32"), x = m);
                    tensor<fp16, [1, 8, 4]> f = cast(dtype = string("fp16"), x = i);
                    tensor<fp16, [1, 8, 4]> y = mul(x = f, y = x);
                } -> (y);
            """),
            flags=("f",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 4]> x) {
                    tensor<bool, [1, 8, 4]> m = greater(x = x, y = fp16(0));
                    tensor<fp16, [1, 8, 4]> f = cast(dtype = string("fp16"), x = m);
                    tensor<fp16, [1, 8, 4]> y = mul(x = f, y = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x):
                    return (x > 0).long().to(x.dtype) * x
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return (x > 0).to(x.dtype) * x
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a cast to the type that is there already, and the second of two casts that could be one or none."""
        source, target = operation.tensor("x"), operation.outputs[0].tensor if operation.outputs else None
        if source is None or target is None:
            return
        if source.dtype == target.dtype:
            yield self.finding(operation, f"cast from {source.dtype} to {target.dtype}", blocks=False)
            return
        first = maker(operation.operand("x"), "cast")
        origin = first.tensor("x") if first is not None else None
        if first is None or origin is None or source.dtype not in HOLDS.get(origin.dtype, ()):
            return
        if not _is_direct(origin.dtype, source.dtype, target.dtype):
            return
        back, alone = origin.dtype == target.dtype, graph.only_user(first.outputs[0]) is not None
        if not back and not alone:
            return  # nothing is saved: the value between is made in any case
        spared = ("neither is needed" if alone else "the value is there already") if back else "one cast would do"
        wide = touches_wide(operation)
        yield self.finding(
            operation,
            f"cast from {origin.dtype} to {source.dtype} and then to {target.dtype}, where {spared}",
            severity=Severity.WARNING if wide else None,
            related=(first,) if wide and alone else (),
            blocks=wide,
            reject=self.reject if wide else "",
            types=[origin.dtype, source.dtype, target.dtype],
        )


def _is_direct(first: str, between: str, last: str) -> bool:
    """Whether a cast from `first` to `last` gives the same as one by way of `between`, which holds all of `first`.

    What becomes of a number that an integer type does not hold depends on the type that it comes from.
    """
    return last == first or last in HOLDS[first] or last in FLOATS or {first, between} <= FLOATS
