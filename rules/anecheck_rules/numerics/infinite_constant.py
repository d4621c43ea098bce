"""ANE506: constants beyond what fp16 holds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.numerics.infinities import softmax_after
from anecheck_rules.numerics.ranges import elements


class InfiniteConstant(OperationRule):
    """Arithmetic with a constant that is infinite in fp16.

    ## Why it goes wrong
    The largest fp16 number is 65504. A larger constant that was cast to fp16 (`model.half()`, a hand-written program, a
    literal like 1e6, `finfo(float32).max`) is infinity in the program, and arithmetic with it says nothing of x any more:
    x + inf is inf, x / inf is 0, and 0 · inf is NaN. The engine turned NaN into infinity on M4, the CPU keeps it, so even the
    way in which it is wrong differs.

    ## Instead
    - A constant that switches classes or scores off: -40000 does the same and is finite.
    - A scale: multiply by its reciprocal, or split it in two factors that fit, so that the intermediate fits as well.
    - A divisor such as a variance or a sum over many pixels: use the mean instead of the sum.

    ## Known exceptions
    Bounds of `clip`, `maximum` and `minimum` may be infinite, for they then do nothing, and so may what a `select` chooses
    or a max pool is padded with. Masks before a softmax have a rule of their own (infinite-mask).
    """

    code = "ANE506"
    name = "infinite-constant"
    engine_only = False
    operations = frozenset({"add", "sub", "mul", "real_div", "cast"})
    blocks = frozenset()
    rewrite = "use a constant within 65504: -40000 to switch something off, or a scale in two steps"
    limits = ("fp16-largest",)
    evidence = (
        cite("ct-typed", Confidence.DOCUMENTED),
        cite("arith", Confidence.DOCUMENTED),
        cite("751k-numerics", Confidence.MEASURED, "H16", "H18"),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [4]> allowed = const()[val = tensor<fp16, [4]>([0, -inf, 0, -inf])];
                    tensor<fp16, [1, 4]> scores = add(x = x, y = allowed);
                    tensor<fp16, [1, 4]> y = sigmoid(x = scores);
                } -> (y);
            """),
            flags=("scores",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [4]> allowed = const()[val = tensor<fp16, [4]>([0, -40000, 0, -40000])];
                    tensor<fp16, [1, 4]> scores = add(x = x, y = allowed);
                    tensor<fp16, [1, 4]> y = sigmoid(x = scores);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                class Allowed(torch.nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.register_buffer("allowed", torch.tensor([0, -torch.inf, 0, -torch.inf]))

                    def forward(self, x):
                        return torch.sigmoid(x + self.allowed)
            """),
            pytorch_after=pytorch("""
                class Allowed(torch.nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.register_buffer("allowed", torch.tensor([0, -40000.0, 0, -40000.0]))

                    def forward(self, x):
                        return torch.sigmoid(x + self.allowed)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag fp16 arithmetic with an infinite constant, and casts of constants to fp16 that overflow."""
        limit = context.limit("fp16-largest")
        result = operation.outputs[0].tensor if operation.outputs else None
        if limit is None or result is None or result.dtype != "fp16":
            return
        for parameter, operand in operation.operands():
            if parameter not in {"x", "y"} or operand.value is None:
                continue
            beyond = [number for number in elements(operand) if abs(number) > limit.value]
            if not beyond or (min(beyond) < 0 and operation.type in {"add", "mul"} and softmax_after(operation, graph)):
                continue
            largest = max(beyond, key=abs)
            given = f"{largest:g}" if math.isfinite(largest) else "inf" if largest > 0 else "-inf"
            yield self.finding(
                operation,
                f"{operation.type} with the constant {given}, infinite in fp16",
                value=given,
                elements=len(beyond),
            )
