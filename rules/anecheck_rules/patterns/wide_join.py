"""ANE234: a dozen branches from one value that are joined again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node, Operand


def _branches(number: int) -> str:
    """So many convolutions of one input, each with two weights of its own."""
    return "\n".join(
        f'tensor<fp16, [1, 1, 4, 4]> b{i} = conv(dilations = one, groups = int32(1), pad = none, pad_type = string("valid"),'
        f" strides = one, weight = tensor<fp16, [1, 2, 1, 1]>([[[[{i}]], [[1]]]]), x = x);"
        for i in range(number)
    )


CONSTANTS = """
tensor<int32, [2]> one = const()[val = tensor<int32, [2]>([1, 1])];
tensor<int32, [4]> none = const()[val = tensor<int32, [4]>([0, 0, 0, 0])];
"""


class WideJoin(OperationRule):
    """Many branches from one value are joined by one concat.

    ## Why it costs
    The engine's compiler takes long over values that part into many branches and come together again: a dozen took 9 s for
    each such place. The model is compiled on the user's device, when it is first loaded and again after every update of
    the system.

        x ─┬─ conv ─┬─ concat                x ─ conv (12 times the outputs)
           ├─ … 12 ─┤
           └─ conv ─┘

    ## Instead
    - Layers of the same kind on the same value are one layer with as many times the outputs: their weights, one below the
      other. Layers that each take their own part of the channels are one layer with `groups`.
    - Where the branches differ, join them by twos or threes as they come.

    ## Known exceptions
    From one study of the compiler, which gives the time and not the chip, so this is advice. Concats of several sources are
    not flagged, nor are windows of a pooling, which are split-adaptive-pooling.
    """

    code = "ANE234"
    name = "wide-join"
    operations = frozenset({"concat"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "make equal branches one layer, or join them by twos and threes"
    covers = ("NF11",)
    limits = ("reconvergent-branches",)
    evidence = (cite("guide22", Confidence.REVERSE_ENGINEERED),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil(
                f"func main<ios18>(tensor<fp16, [1, 2, 4, 4]> x) {{{CONSTANTS}{_branches(12)}\n"
                "tensor<fp16, [1, 12, 4, 4]> y = concat(axis = int32(1), interleave = bool(false),"
                f" values = ({', '.join(f'b{i}' for i in range(12))}));\n}} -> (y);"
            ),
            flags=("y",),
            after=mil(
                f"func main<ios18>(tensor<fp16, [1, 2, 4, 4]> x) {{{CONSTANTS}"
                'tensor<fp16, [1, 12, 4, 4]> y = conv(dilations = one, groups = int32(1), pad = none, pad_type = string("valid"),'
                " strides = one, weight = tensor<fp16, [12, 2, 1, 1]>(["
                + ", ".join(f"[[[{i}]], [[1]]]" for i in range(12))
                + "]), x = x);\n} -> (y);"
            ),
            pytorch_before=pytorch("""
                y = torch.cat([branch(x) for branch in self.branches], dim=1)
            """),
            pytorch_after=pytorch("""
                weight = torch.cat([branch.weight for branch in self.branches])
                y = torch.nn.functional.conv2d(x, weight)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a concat of so many values made from one and the same."""
        values, limit = operation.inputs.get("values", ()), context.limit("reconvergent-branches")
        if limit is None or len(values) < limit.value:
            return
        sources = {source for value in values for source in _sources(value)}
        if len(sources) == 1 and None not in sources and len({value.producer for value in values}) == len(values):
            source = next(found for found in sources if found is not None)
            text = (
                f"{len(values)} branches from {source.type} joined by one concat; {limit.value:.0f} took 9 s to compile"
            )
            yield self.finding(operation, text, branches=len(values))


def _sources(value: Operand) -> tuple[Operand | None, ...]:
    """What runs into the operation that makes a branch; nothing but `None` where that is no layer."""
    node = value.producer
    if node is None or node.type not in {"conv", "linear", "matmul", "conv_transpose"}:
        return (None,)
    return tuple(operand for _, operand in node.operands() if not operand.is_constant)
