"""ANE140: sums over the channels at many positions, on M5."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil import pattern
from anecheck.mil.graph import Graph, Node


class ChannelSum(OperationRule):
    """The channels are summed up at many positions.

    ## Why it costs
    Channels lie apart from one another in the engine's memory. On M5 a `reduce_sum` over them took 16 to 53 times as long as
    other ways to the same sum once there were more than about 256 positions. RMS norms over [1, C, 1, S] made by hand are
    where it occurs.

    ## Instead
    - A 1 × 1 convolution with weights of one is the same sum, and convolutions sum over channels for a living.
    - For a norm, `reduce_l2_norm` over the channels, or a `layer_norm`, which the engine does as one.

    ## Known exceptions
    Measured on M5 alone, by one project, and on a way around Core ML. Sums over the height or the width are not meant.
    """

    code = "ANE140"
    name = "channel-sum"
    severity = Severity.INFO
    operations = frozenset({"reduce_sum"})
    blocks = frozenset()
    rewrite = "sum by a 1 × 1 convolution with weights of one, or use reduce_l2_norm or layer_norm for a norm"
    evidence = (cite("aneforge", Confidence.REVERSE_ENGINEERED, "H17"),)
    covers = ("OP43",)
    limits = ("channel-sum-rows",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 1, 320]> x) {
                    tensor<fp16, [1, 1, 1, 320]> y = reduce_sum(axes = tensor<int32, [1]>([1]), keep_dims = bool(true),
                        x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 1, 320]> x) {
                    tensor<fp16, [1, 4, 1, 1]> w = const()[val = tensor<fp16, [1, 4, 1, 1]>([1, 1, 1, 1])];
                    tensor<fp16, [1, 1, 1, 320]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            target="m5",
            pytorch_before=pytorch("""
                def total(x):  # [1, C, 1, S]
                    return x.sum(dim=1, keepdim=True)
            """),
            pytorch_after=pytorch("""
                def total(x):
                    return torch.nn.functional.conv2d(x, torch.ones(1, x.shape[1], 1, 1, dtype=x.dtype))
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag sums over the second of four axes alone, at more positions than the family's limit."""
        sizes, limit = pattern.sizes(operation.operand("x")), context.limit("channel-sum-rows")
        if sizes is None or len(sizes) != 4 or limit is None or pattern.axes(operation) != (1,):
            return
        positions = sizes[0] * prod(sizes[2:])
        if sizes[1] > 1 and positions > limit.value:
            yield self.finding(
                operation,
                f"sums {sizes[1]} channels at {positions:,} positions, slow from {int(limit.value)} on",
                families=context.families_below("channel-sum-rows", positions),
                evidence=limit.citations,
                positions=positions,
                limit=int(limit.value),
            )
