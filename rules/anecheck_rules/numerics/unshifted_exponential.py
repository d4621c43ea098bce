"""ANE502: softmaxes written by hand without subtracting the maximum."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.numerics.ranges import reach

SUMS = frozenset({"reduce_sum", "reduce_log_sum"})


class UnshiftedExponential(OperationRule):
    """Exponentials are summed without subtracting the maximum first, and from 11.09 on they are infinite in fp16.

    ## Why it goes wrong
    exp(11.09) is 65504, the largest fp16 number. In a softmax written as exp(x) / sum(exp(x)) a single logit above that
    makes its exponential and the sum infinite, and the quotient no number; twelve classes at 9 already overflow the sum.
    In fp32 the same code works up to 88, so nothing shows before conversion.

        x ──> exp ──┬──────────────> real_div ──> y
        12     inf  └─> reduce_sum ──┘ inf        inf / inf = NaN

    ## Instead
    Use softmax itself (`torch.softmax`, `F.scaled_dot_product_attention`): one operation, native to the engine, which
    subtracts the maximum. Where the exponentials themselves are needed, subtract the maximum along the axis of the sum:
    exp(x - max) / sum(exp(x - max)) is the same quotient, and nothing in it is above 1.

    ## Known exceptions
    What cannot reach the limit is not flagged: a difference to the maximum, a negated square or magnitude, a sigmoid, a
    clipped value. An exponential that nobody sums (the width of a box, say) is a number of its own, and no matter of this
    rule either.
    """

    code = "ANE502"
    name = "unshifted-exponential"
    engine_only = False
    operations = frozenset({"exp", "exp2"})
    blocks = frozenset()
    rewrite = "use softmax, or subtract the maximum before the exponential"
    covers = ("NU14",)
    limits = ("fp16-largest",)
    evidence = (
        cite("ct-typed", Confidence.DOCUMENTED),
        cite("arith", Confidence.DOCUMENTED),
        cite("ct2726", Confidence.COMMUNITY),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 8]> x) {
                    tensor<fp16, [1, 4, 8]> e = exp(x = x);
                    tensor<fp16, [1, 4, 1]> sum = reduce_sum(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true), x = e);
                    tensor<fp16, [1, 4, 8]> y = real_div(x = e, y = sum);
                } -> (y);
            """),
            flags=("e",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 8]> x) {
                    tensor<fp16, [1, 4, 8]> y = softmax(axis = int32(-1), x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def weights(x):
                    e = torch.exp(x)
                    return e / e.sum(dim=-1, keepdim=True)
            """),
            pytorch_after=pytorch("""
                def weights(x):
                    return torch.softmax(x, dim=-1)
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 8]> x, tensor<fp16, [1, 4, 8]> v) {
                    tensor<fp16, [1, 4, 8]> e = exp(x = x);
                    tensor<fp16, [1, 4, 8]> weighted = mul(x = e, y = v);
                    tensor<fp16, [1, 4, 1]> above = reduce_sum(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = weighted);
                    tensor<fp16, [1, 4, 1]> below = reduce_sum(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = e);
                    tensor<fp16, [1, 4, 1]> y = real_div(x = above, y = below);
                } -> (y);
            """),
            flags=("e",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 8]> x, tensor<fp16, [1, 4, 8]> v) {
                    tensor<fp16, [1, 4, 1]> largest = reduce_max(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = x);
                    tensor<fp16, [1, 4, 8]> shifted = sub(x = x, y = largest);
                    tensor<fp16, [1, 4, 8]> e = exp(x = shifted);
                    tensor<fp16, [1, 4, 8]> weighted = mul(x = e, y = v);
                    tensor<fp16, [1, 4, 1]> above = reduce_sum(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = weighted);
                    tensor<fp16, [1, 4, 1]> below = reduce_sum(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = e);
                    tensor<fp16, [1, 4, 1]> y = real_div(x = above, y = below);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def pooled(x, v):
                    e = torch.exp(x)
                    return (e * v).sum(-1, keepdim=True) / e.sum(-1, keepdim=True)
            """),
            pytorch_after=pytorch("""
                def pooled(x, v):
                    e = torch.exp(x - x.amax(-1, keepdim=True))
                    return (e * v).sum(-1, keepdim=True) / e.sum(-1, keepdim=True)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag exponentials in fp16 that are summed, of what may exceed the logarithm of the largest number."""
        limit, x = context.limit("fp16-largest"), operation.operand("x")
        if limit is None or x is None or x.tensor is None or x.tensor.dtype != "fp16":
            return
        sums = [user for user in graph.users(operation) if user.type in SUMS]
        highest = math.log(limit.value) if operation.type == "exp" else math.log2(limit.value)
        if not sums or reach(x).high <= highest:
            return
        yield self.finding(
            operation,
            f"{operation.type} of values that nobody shifted, summed; from {highest:.2f} on it is infinite in fp16",
            related=tuple(sums),
            highest=round(highest, 2),
        )
