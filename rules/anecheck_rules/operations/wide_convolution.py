"""ANE130: convolution kernels that are wide, but not too wide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class WideConvolution(OperationRule):
    """A convolution's kernel is so wide that the compiler rewrites it with twice the weights.

    ## Why it costs
    Kernels up to a width of 8 are run as they are. From 9 to 15 the compiler on M4 builds the convolution of others with
    stride 2, whose weights together are about twice as many, and so are the bytes that are read for them. A kernel of 1 × n
    is slower than one of n × 1, and that slower than a square one of as many taps a side. Beyond 15 the convolution leaves
    the engine (`convolution-kernel`).

    ## Instead
    - Cut the kernel along its width into pieces of at most 8, convolve shifted slices of the input with them, and add the
      results. The numbers differ by the rounding of one addition.

          conv 1 × 10  =  conv 1 × 5 (x without its last 5 columns) + conv 1 × 5 (x without its first 5)

    - Before training: two layers of 5 × 5 see what one of 9 × 9 sees, with fewer weights, and are Apple's advice.

    ## Known exceptions
    Measured on M4 with macOS 27.0.1, in two dimensions. Other families' compilers were not looked at, so nothing is said
    of them; Apple's advice to avoid wide kernels above all is general.
    """

    code = "ANE130"
    name = "wide-convolution"
    severity = Severity.INFO
    operations = frozenset({"conv"})
    blocks = frozenset()
    rewrite = "cut the kernel along its width into pieces of at most 8 and add the convolutions of shifted slices"
    releases = "measured on macOS 27"
    evidence = (
        cite("751k-defects", Confidence.MEASURED, "H16"),
        cite("apple-coreai", Confidence.DOCUMENTED),
    )
    covers = ("OP21",)
    limits = ("conv-rewritten-kernel-width", "conv-kernel-width", "conv-kernel-height")
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 2, 24]> x) {
                    tensor<fp16, [1, 1, 1, 10]> w = const()[val = tensor<fp16, [1, 1, 1, 10]>(
                        [1, 2, 3, 4, 5, 5, 4, 3, 2, 1])];
                    tensor<fp16, [1, 1, 2, 15]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 2, 24]> x) {
                    tensor<fp16, [1, 1, 1, 5]> wa = const()[val = tensor<fp16, [1, 1, 1, 5]>([1, 2, 3, 4, 5])];
                    tensor<fp16, [1, 1, 1, 5]> wb = const()[val = tensor<fp16, [1, 1, 1, 5]>([5, 4, 3, 2, 1])];
                    tensor<fp16, [1, 1, 2, 19]> xa = slice_by_size(begin = tensor<int32, [4]>([0, 0, 0, 0]),
                        size = tensor<int32, [4]>([1, 1, 2, 19]), x = x);
                    tensor<fp16, [1, 1, 2, 19]> xb = slice_by_size(begin = tensor<int32, [4]>([0, 0, 0, 5]),
                        size = tensor<int32, [4]>([1, 1, 2, 19]), x = x);
                    tensor<fp16, [1, 1, 2, 15]> ya = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = wa, x = xa);
                    tensor<fp16, [1, 1, 2, 15]> yb = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = wb, x = xb);
                    tensor<fp16, [1, 1, 2, 15]> y = add(x = ya, y = yb);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                class Filter(torch.nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.conv = torch.nn.Conv2d(64, 64, kernel_size=(1, 10), bias=False)

                    def forward(self, x):
                        return self.conv(x)
            """),
            pytorch_after=pytorch("""
                class Filter(torch.nn.Module):
                    def __init__(self, old):
                        super().__init__()
                        self.first = torch.nn.Conv2d(64, 64, kernel_size=(1, 5), bias=False)
                        self.second = torch.nn.Conv2d(64, 64, kernel_size=(1, 5), bias=False)
                        self.first.weight.data, self.second.weight.data = old.weight.chunk(2, dim=-1)

                    def forward(self, x):
                        return self.first(x[..., :-5]) + self.second(x[..., 5:])
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag kernels from the width on that is rewritten up to what the engine takes."""
        weight = operation.tensor("weight")
        first, widest = context.limit("conv-rewritten-kernel-width"), context.limit("conv-kernel-width")
        highest = context.limit("conv-kernel-height")
        if weight is None or first is None or widest is None or weight.rank < 3:
            return
        taps = [size or 0 for size in weight.shape[2:]]
        if not first.value <= taps[-1] <= widest.value:
            return
        if highest is None or max(taps) <= highest.value:
            yield self.finding(
                operation,
                f"kernel {' × '.join(map(str, taps))}, rewritten with twice the weights from a width of {int(first.value)} on",
                families=context.families_below("conv-rewritten-kernel-width", taps[-1] + 1),
                kernel=taps,
            )
