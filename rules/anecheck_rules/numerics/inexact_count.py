"""ANE509: counting in fp16."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import above, axes, maker
from anecheck_rules.numerics.ranges import MOVING, Range, reach, terms


class InexactCount(OperationRule):
    """Whole numbers are summed in fp16, which is exact only up to 2048.

    ## Why it goes wrong
    fp16 has 11 significant bits: beyond 2048 only even numbers exist, beyond 4096 only multiples of four, and beyond 65504
    nothing. A mask cast to fp16 and summed counts wrongly from 2049 elements on, a running count (`cumsum`) gives the same
    position twice, and a mask of 256 × 256 pixels, all set, sums to infinity.

        x > 0 ──> cast(fp16) ──> reduce_sum ──> 2049 elements: 2048
                                                65,536 elements: inf

    ## Instead
    - Counts that only divide a sum: take means instead. sum(x · mask) / sum(mask) is mean(x · mask) / mean(mask), and no
      number in it is large.
    - Counts that must be exact: sum in two steps, over parts of at most 2048 elements, and add those up outside the model.
    - Positions: pass them in as an input.

    ## Known exceptions
    Only what is surely whole is judged: comparisons and masks of type bool, and integers, cast to fp16. The count can only be
    inexact if so many elements are set.
    """

    code = "ANE509"
    name = "inexact-count"
    engine_only = False
    severity = Severity.INFO
    operations = frozenset({"reduce_sum", "cumsum"})
    blocks = frozenset()
    rewrite = "divide means instead of sums, or count parts of at most 2048 elements"
    covers = ("NU11",)
    limits = ("fp16-exact-integer", "fp16-largest")
    evidence = (cite("guide19", Confidence.REVERSE_ENGINEERED), cite("arith", Confidence.DOCUMENTED))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4096]> x, tensor<fp16, [1, 1, 4096]> m) {
                    tensor<bool, [1, 1, 4096]> real = greater(x = m, y = fp16(0x0p+0));
                    tensor<fp16, [1, 1, 4096]> mask = cast(dtype = string("fp16"), x = real);
                    tensor<fp16, [1, 2, 4096]> kept = mul(x = x, y = mask);
                    tensor<fp16, [1, 2, 1]> total = reduce_sum(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = kept);
                    tensor<fp16, [1, 1, 1]> count = reduce_sum(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = mask);
                    tensor<fp16, [1, 2, 1]> y = real_div(x = total, y = count);
                } -> (y);
            """),
            flags=("count",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4096]> x, tensor<fp16, [1, 1, 4096]> m) {
                    tensor<bool, [1, 1, 4096]> real = greater(x = m, y = fp16(0x0p+0));
                    tensor<fp16, [1, 1, 4096]> mask = cast(dtype = string("fp16"), x = real);
                    tensor<fp16, [1, 2, 4096]> kept = mul(x = x, y = mask);
                    tensor<fp16, [1, 2, 1]> total = reduce_mean(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = kept);
                    tensor<fp16, [1, 1, 1]> share = reduce_mean(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = mask);
                    tensor<fp16, [1, 2, 1]> y = real_div(x = total, y = share);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def pooled(x, m):
                    mask = (m > 0).to(x.dtype)
                    return (x * mask).sum(-1, keepdim=True) / mask.sum(-1, keepdim=True)
            """),
            pytorch_after=pytorch("""
                def pooled(x, m):
                    mask = (m > 0).to(x.dtype)
                    return (x * mask).mean(-1, keepdim=True) / mask.mean(-1, keepdim=True)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag sums in fp16 over more whole numbers than it can count, as a warning where they may become infinite."""
        x, result = operation.operand("x"), operation.outputs[0].tensor
        exact, largest = context.limit("fp16-exact-integer"), context.limit("fp16-largest")
        if (
            x is None
            or x.tensor is None
            or result is None
            or result.dtype != "fp16"
            or exact is None
            or largest is None
        ):
            return
        cast = maker(above(x, MOVING), "cast")
        source = cast.tensor("x") if cast is not None else None
        if source is None or not (source.dtype == "bool" or source.dtype.startswith(("int", "uint"))):
            return
        if operation.type == "cumsum":
            summed = terms(x, axes(operation, "axis") if operation.operand("axis") is not None else (0,))
        else:
            summed = terms(x, axes(operation))
        each = reach(x, Range(0, 1)).magnitude
        if summed * each <= exact.value:
            return
        infinite = summed * each > largest.value
        yield self.finding(
            operation,
            f"{operation.type} of {source.dtype} over {summed} elements in fp16, "
            + ("where it may be infinite" if infinite else f"exact only up to {exact.value:g}"),
            severity=Severity.WARNING if infinite and source.dtype == "bool" else None,
            terms=summed,
        )
