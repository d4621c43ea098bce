"""ANE119: pooling windows that are too large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class PoolingKernel(OperationRule):
    """A pooling window is too large.

    ## Why it leaves the engine
    Core ML's compiler accepts max pooling up to a window width of 8, and of exactly 32 ("Invalid Pool kernel width (9),
    must be [1-8] or 32."); the height is free. Average pooling reaches 29 on A14 and M1 and 31 from A15 and M2 on. Global
    pooling written as a window as large as the picture meets both limits first: 32 × 32 is one too many for an average.

    ## Instead
    - Two max pools in a row with windows a and b and stride 1 are one with a + b − 1: exactly the same numbers.
    - Pooling over the whole picture is `reduce_max` or `reduce_mean` over the last two axes, at any size.

    ## Contradictions
    Reports of 2019 to 2021 (hollance) put the end at 13, for either kind of pooling; the engine guide has 29 and 31 for
    averages, and M4's plan took averages of 14 and refused a maximum over a width of 9. The plan counts for maxima, the
    guide for averages, where nobody measured the end.
    """

    code = "ANE119"
    name = "pooling-kernel"
    operations = frozenset({"max_pool", "avg_pool"})
    rewrite = "chain smaller pools (a then b acts as a + b - 1), or reduce over the axes for global pooling"
    evidence = (
        cite("751k-analytics", Confidence.MEASURED, "H16"),
        cite("guide-a", Confidence.REVERSE_ENGINEERED),
    )
    covers = ("OP22", "OP23", "OP57")
    limits = ("max-pool-kernel-width", "max-pool-kernel-width-special", "avg-pool-kernel")
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
            pytorch_before=pytorch("""
                def forward(self, x):
                    return F.max_pool2d(x, (1, 9), stride=1)
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return F.max_pool2d(F.max_pool2d(x, (1, 5), stride=1), (1, 5), stride=1)
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 32, 32]> x) {
                    tensor<fp16, [1, 2, 1, 1]> y = avg_pool(ceil_mode = bool(false),
                        exclude_padding_from_average = bool(false), kernel_sizes = tensor<int32, [2]>([32, 32]),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 32, 32]> x) {
                    tensor<fp16, [1, 2, 1, 1]> y = reduce_mean(axes = tensor<int32, [2]>([2, 3]), keep_dims = bool(true), x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x):  # [1, 2, 32, 32]
                    return F.avg_pool2d(x, 32, stride=1)
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return x.mean((2, 3), keepdim=True)
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
