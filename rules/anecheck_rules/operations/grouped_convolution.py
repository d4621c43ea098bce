"""ANE129: grouped convolutions with large groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class GroupedConvolution(OperationRule):
    """A grouped convolution sums over more products in each group than the engine does in one go.

    ## Why it costs
    The engine runs the groups of a convolution beside one another as long as one output needs no more than 2048 products:
    the channels of a group times the area of the kernel. Beyond that the compiler takes the layer apart, and the gain of
    grouping is gone. Depthwise layers (1 channel) and those of ResNeXt (4 to 64 channels, 3 × 3) are far below; the widest
    RegNets (264 channels, 3 × 3: 2376 products) and the positional layer of wav2vec 2.0 (48 channels, 128 taps) are above.

    ## Instead
    - With a few groups, write them as what they are: `split` the channels, convolve each part with an ordinary convolution,
      and `concat` the results. The numbers stay the same, and each part is a layer of the kind the engine does best.
    - Before training: take more groups of fewer channels, best a multiple of the 16 cores of an engine, or none.

    ## Known exceptions
    The figure is from the compiler's tables for A14 to A18; on A12 and A13 it is said to be 64. It is no reason to leave the
    engine: M4's compute plan keeps every grouped layer tried (2 to 64 groups) on it.
    """

    code = "ANE129"
    name = "grouped-convolution"
    severity = Severity.INFO
    operations = frozenset({"conv"})
    blocks = frozenset()
    rewrite = "split the channels, convolve each group by an ordinary convolution, and concat the results"
    evidence = (
        cite("guide-a", Confidence.REVERSE_ENGINEERED, "H13", "H14", "H15", "H16", "H17"),
        cite("guide17", Confidence.REVERSE_ENGINEERED),
    )
    covers = ("OP29",)
    limits = ("group-conv-decompose",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 30, 12, 12]> x, tensor<fp16, [2, 15, 12, 12]> w) {
                    tensor<fp16, [1, 2, 1, 1]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(2),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 30, 12, 12]> x, tensor<fp16, [2, 15, 12, 12]> w) {
                    tensor<fp16, [1, 15, 12, 12]> xa, tensor<fp16, [1, 15, 12, 12]> xb = split(axis = int32(1),
                        num_splits = int32(2), x = x);
                    tensor<fp16, [1, 15, 12, 12]> wa, tensor<fp16, [1, 15, 12, 12]> wb = split(axis = int32(0),
                        num_splits = int32(2), x = w);
                    tensor<fp16, [1, 1, 1, 1]> ya = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = wa, x = xa);
                    tensor<fp16, [1, 1, 1, 1]> yb = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = wb, x = xb);
                    tensor<fp16, [1, 2, 1, 1]> y = concat(axis = int32(1), interleave = bool(false), values = (ya, yb));
                } -> (y);
            """),
            target="m2",
            pytorch_before=pytorch("""
                class Layer(torch.nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.conv = torch.nn.Conv2d(528, 528, kernel_size=3, padding=1, groups=2)

                    def forward(self, x):
                        return self.conv(x)
            """),
            pytorch_after=pytorch("""
                class Layer(torch.nn.Module):
                    def __init__(self, old):
                        super().__init__()
                        parts = zip(old.weight.chunk(2), old.bias.chunk(2))
                        self.parts = torch.nn.ModuleList()
                        for weight, bias in parts:
                            conv = torch.nn.Conv2d(264, 264, kernel_size=3, padding=1)
                            conv.weight.data, conv.bias.data = weight, bias
                            self.parts.append(conv)

                    def forward(self, x):
                        return torch.cat([conv(part) for conv, part in zip(self.parts, x.chunk(2, dim=1))], dim=1)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag groups whose channels times kernel area exceed the family's limit."""
        weight, groups = operation.tensor("weight"), operation.scalar("groups")
        limit = context.limit("group-conv-decompose")
        if weight is None or limit is None or not isinstance(groups, int) or groups < 2 or weight.rank < 3:
            return
        products = 1
        for size in weight.shape[1:]:
            products *= size or 1
        if products > limit.value:
            yield self.finding(
                operation,
                f"each of {groups} groups sums over {products:,} products, at most {int(limit.value):,} are done in one go",
                families=context.families_below("group-conv-decompose", products),
                groups=groups,
                products=products,
                limit=int(limit.value),
            )
