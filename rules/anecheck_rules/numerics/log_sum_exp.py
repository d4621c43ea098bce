"""ANE503: log-sum-exp as one operation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import axes
from anecheck_rules.numerics.ranges import reach, terms


class LogSumExp(OperationRule):
    """`reduce_log_sum_exp` exponentiates before it sums, and overflows in fp16 where its result would fit easily.

    ## Why it goes wrong
    The logarithm of a sum of exponentials is hardly larger than the largest of its arguments, but the way there is not:
    without a shift, the sum over n values overflows fp16 as soon as they pass 11.09 - ln n, which is 6.9 for 64 classes and
    0.7 for a vocabulary of 32,000. coremltools converts `torch.logsumexp` to this one operation; that it overflows is what
    coremltools' pull request 2726 is about.

    ## Instead
    Shift it yourself: max + log(sum(exp(x - max))). The sum then lies between 1 and n.

        x ──┬─> reduce_max ──┬──────────────────────────────────────────> add ──> y
            └──────────────> sub ──> exp ──> reduce_sum ──> log ──────────┘

    ## Known exceptions
    Not flagged is what cannot get so far: values that are shifted already, or bounded.

    ## Contradictions
    Nothing says which releases shift inside the operation, and it stays on the engine of M4. Hence only a hint.
    """

    code = "ANE503"
    name = "log-sum-exp"
    engine_only = False
    severity = Severity.INFO
    operations = frozenset({"reduce_log_sum_exp"})
    blocks = frozenset()
    rewrite = "subtract the maximum first and add it again: max + log(sum(exp(x - max)))"
    covers = ("NU04",)
    limits = ("fp16-largest",)
    evidence = (
        cite("ct2726", Confidence.COMMUNITY),
        cite("ct-typed", Confidence.DOCUMENTED),
        cite("arith", Confidence.DOCUMENTED),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 32, 64]> x) {
                    tensor<fp16, [1, 32]> y = reduce_log_sum_exp(axes = tensor<int32, [1]>([-1]), keep_dims = bool(false),
                        x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 32, 64]> x) {
                    tensor<fp16, [1, 32, 1]> largest = reduce_max(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = x);
                    tensor<fp16, [1, 32, 64]> shifted = sub(x = x, y = largest);
                    tensor<fp16, [1, 32, 64]> e = exp(x = shifted);
                    tensor<fp16, [1, 32, 1]> sum = reduce_sum(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true), x = e);
                    tensor<fp16, [1, 32, 1]> logarithm = log(epsilon = fp32(0x1p-149), x = sum);
                    tensor<fp16, [1, 32, 1]> total = add(x = largest, y = logarithm);
                    tensor<fp16, [1, 32]> y = squeeze(axes = tensor<int32, [1]>([-1]), x = total);
                } -> (y);
            """),
            pattern="logsumexp_ios18",
            pytorch_before=pytorch("""
                def energy(x):
                    return torch.logsumexp(x, dim=-1)
            """),
            pytorch_after=pytorch("""
                def energy(x):
                    largest = x.amax(dim=-1, keepdim=True)
                    return (largest + torch.log(torch.exp(x - largest).sum(dim=-1, keepdim=True))).squeeze(-1)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag it in fp16, unless its argument stays below what so many terms allow."""
        limit, x = context.limit("fp16-largest"), operation.operand("x")
        if limit is None or x is None or x.tensor is None or x.tensor.dtype != "fp16":
            return
        summed = terms(x, axes(operation))
        highest = math.log(limit.value / summed)
        if reach(x).high > highest:
            yield self.finding(
                operation,
                f"log-sum-exp over {summed} values; their exponentials overflow fp16 from {highest:.1f} on",
                terms=summed,
                highest=round(highest, 2),
            )
