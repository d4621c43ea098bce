"""ANE133: dilated transposed convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class DilatedTransposedConvolution(OperationRule):
    """A transposed convolution is dilated.

    ## Why it leaves the engine
    The engine's transposed convolution is the plain one: M4's compute plan keeps it in one, two and three dimensions with a
    stride of 2. The compiler's texts, read on an M2, hold a refusal for dilated ones. Nobody published a compute
    plan of one, so this is a note and predicts nothing.

    ## Instead
    With a stride of 1, a transposed convolution is an ordinary one with the kernel turned round (each axis of taps
    reversed, inputs and outputs exchanged) and dilation · (taps − 1) zeros of padding on each side. The same numbers:

        conv_transpose (3 taps, dilation 2)

        conv (3 taps reversed, dilation 2, padding 4)

    With a larger stride, put the zeros between the samples first, or take an upsampling and a convolution, which is what to
    train in any case.
    """

    code = "ANE133"
    name = "dilated-transposed-convolution"
    severity = Severity.INFO
    operations = frozenset({"conv_transpose"})
    blocks = frozenset()
    rewrite = "write it as a convolution with the kernel turned round and more padding"
    evidence = (cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),)
    covers = ("OP32",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 6]> x) {
                    tensor<fp16, [2, 1, 3]> w = const()[val = tensor<fp16, [2, 1, 3]>([1, 2, 3, 4, 5, 6])];
                    tensor<fp16, [1, 1, 10]> y = conv_transpose(dilations = tensor<int32, [1]>([2]), groups = int32(1),
                        pad = tensor<int32, [2]>([0, 0]), pad_type = string("valid"), strides = tensor<int32, [1]>([1]),
                        weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 6]> x) {
                    tensor<fp16, [1, 2, 3]> w = const()[val = tensor<fp16, [1, 2, 3]>([3, 2, 1, 6, 5, 4])];
                    tensor<fp16, [1, 1, 10]> y = conv(dilations = tensor<int32, [1]>([2]), groups = int32(1),
                        pad = tensor<int32, [2]>([4, 4]), pad_type = string("custom"), strides = tensor<int32, [1]>([1]),
                        weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                class Up(torch.nn.Module):
                    def __init__(self, channels):
                        super().__init__()
                        self.conv = torch.nn.ConvTranspose1d(channels, channels, kernel_size=3, dilation=2, bias=False)

                    def forward(self, x):
                        return self.conv(x)
            """),
            pytorch_after=pytorch("""
                class Up(torch.nn.Module):
                    def __init__(self, old, channels):
                        super().__init__()
                        self.conv = torch.nn.Conv1d(channels, channels, kernel_size=3, dilation=2, padding=4, bias=False)
                        self.conv.weight.data = old.weight.transpose(0, 1).flip(-1)

                    def forward(self, x):
                        return self.conv(x)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag dilations above 1 along axes with more than one tap."""
        weight, given = operation.tensor("weight"), operation.constant("dilations")
        if weight is None or not given or weight.rank < len(given):
            return
        taps = weight.shape[-len(given) :]
        widest = max((int(step) for step, size in zip(given, taps, strict=True) if size != 1), default=1)
        if widest > 1:
            yield self.finding(operation, f"transposed convolution with dilation {widest}", dilation=widest)
