"""ANE119: pooling windows that are too large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil
from anecheck.mil.graph import Graph, Node


class PoolingKernel(OperationRule):
    """A pooling window is too large.

    ## Why it leaves the engine
    Core ML's compiler accepts max pooling up to a window width of 8, and of exactly 32 ("Invalid Pool kernel width (9),
    must be [1-8] or 32."); the height is free. Average pooling reaches 29 on A14 and M1 and 31 from A15 and M2 on.

    ## Instead
    - Two max pools in a row with windows a and b and stride 1 are one with a + b − 1: exactly the same numbers.
    - Pooling over the whole picture is `reduce_max` or `reduce_mean` over the last two axes.
    """

    code = "ANE119"
    name = "pooling-kernel"
    operations = frozenset({"max_pool", "avg_pool"})
    rewrite = "chain smaller pools (a then b acts as a + b - 1), or reduce over the axes for global pooling"
    evidence = (
        cite("751k-analytics", Confidence.MEASURED, "H16"),
        cite("guide-a", Confidence.REVERSE_ENGINEERED),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4, 16]> x) {
                    tensor<fp16, [1, 2, 4, 8]> y = max_pool(ceil_mode = bool(false),
                        kernel_sizes = tensor<int32, [2]>([1, 9]), pad = tensor<int32, [4]>([0, 0, 0, 0]),
                        pad_type = string("valid"), strides = tensor<int32, [2]>([1, 1]), x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4, 16]> x) {
                    tensor<fp16, [1, 2, 4, 12]> a = max_pool(ceil_mode = bool(false),
                        kernel_sizes = tensor<int32, [2]>([1, 5]), pad = tensor<int32, [4]>([0, 0, 0, 0]),
                        pad_type = string("valid"), strides = tensor<int32, [2]>([1, 1]), x = x);
                    tensor<fp16, [1, 2, 4, 8]> y = max_pool(ceil_mode = bool(false),
                        kernel_sizes = tensor<int32, [2]>([1, 5]), pad = tensor<int32, [4]>([0, 0, 0, 0]),
                        pad_type = string("valid"), strides = tensor<int32, [2]>([1, 1]), x = a);
                } -> (y);
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag max pools that are too wide, and average pools that are too large either way."""
        sizes = operation.constant("kernel_sizes")
        if not sizes:
            return
        window = [int(size) for size in sizes]
        if operation.type == "max_pool":
            name, size = "max-pool-kernel-width", window[-1]
            special = context.limit("max-pool-kernel-width-special")
            if special is not None and size == special.value:
                return
        else:
            name, size = "avg-pool-kernel", max(window)
        limit = context.limit(name)
        if limit is not None and size > limit.value:
            yield self.finding(
                operation,
                f"{operation.type} over a window of {' × '.join(map(str, window))}, at most {int(limit.value)} "
                + ("wide" if operation.type == "max_pool" else "either way"),
                families=context.families_below(name, size),
                evidence=limit.citations,
                reject=f"Invalid Pool kernel width ({size}), must be [1-8] or 32."
                if operation.type == "max_pool"
                else "",
                window=window,
                limit=int(limit.value),
            )
