"""ANE118: convolution kernels that are too large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import FAMILIES, Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class ConvolutionKernel(OperationRule):
    """A convolution's kernel is too wide or too high.

    ## Why it leaves the engine
    The engine builds large kernels from small ones, within limits that differ for width and height. On M4 a kernel of
    height 1 stays up to a width of 15, one of width 1 up to a height of 31, and a square one up to 16 × 16 (which takes
    minutes to compile); beyond that Core ML's compiler refuses ("conv with large kernel does not meet decomposition
    preconditions"), and the convolution runs on the CPU, four to seven times slower. On A14 and M1 the widest is 13.

    ## Instead
    - Split the kernel along its long side into pieces that fit, convolve shifted slices of the input with them, and add
      the results: the same numbers but for rounding.
    - Turn a long 1-D convolution so that its axis is the height, where 31 taps fit.
    - A convolution whose stride equals its kernel (framing, patches) is a reshape and a matrix multiplication.

    ## Known exceptions
    Only 2-D kernels that are square, one row or one column were measured. Others, 1-D and 3-D ones among them, are judged by
    the same limits and flagged with less confidence.

    ## Contradictions
    - Tables of the compiler say 16 taps in width and 32 in height from A15 and M2 on (guide-a). M4's plan refuses 1 × 16 and
      32 × 1, so 15 and 31 are taken for all of these.
    - The same plan refuses 1 × 16 and takes 16 × 16. That is how it was measured; the square one compiles for minutes, which
      ANE806 says.
    """

    code = "ANE118"
    name = "convolution-kernel"
    operations = frozenset({"conv"})
    rewrite = "split the kernel along its long side and add the convolutions of shifted slices"
    reject = "Error: conv with large kernel does not meet decomposition preconditions"
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("751k-analytics", Confidence.MEASURED, "H16"),
        cite("guide-a", Confidence.REVERSE_ENGINEERED, "H11", "H12", "H13"),
    )
    covers = ("OP17", "OP18", "OP19")
    limits = ("conv-kernel-width", "conv-kernel-height", "conv-square-kernel")
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 1, 32]> x) {
                    tensor<fp16, [1, 1, 1, 16]> w = const()[val = tensor<fp16, [1, 1, 1, 16]>(
                        [1, 2, 3, 4, 5, 6, 7, 8, -8, -7, -6, -5, -4, -3, -2, -1])];
                    tensor<fp16, [1, 1, 1, 17]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 1, 32]> x) {
                    tensor<fp16, [1, 1, 1, 8]> wa = const()[val = tensor<fp16, [1, 1, 1, 8]>([1, 2, 3, 4, 5, 6, 7, 8])];
                    tensor<fp16, [1, 1, 1, 8]> wb = const()[val = tensor<fp16, [1, 1, 1, 8]>(
                        [-8, -7, -6, -5, -4, -3, -2, -1])];
                    tensor<fp16, [1, 1, 1, 24]> a = slice_by_size(begin = tensor<int32, [4]>([0, 0, 0, 0]),
                        size = tensor<int32, [4]>([1, 1, 1, 24]), x = x);
                    tensor<fp16, [1, 1, 1, 24]> b = slice_by_size(begin = tensor<int32, [4]>([0, 0, 0, 8]),
                        size = tensor<int32, [4]>([1, 1, 1, 24]), x = x);
                    tensor<fp16, [1, 1, 1, 17]> ya = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = wa, x = a);
                    tensor<fp16, [1, 1, 1, 17]> yb = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = wb, x = b);
                    tensor<fp16, [1, 1, 1, 17]> y = add(x = ya, y = yb);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x):
                    return self.conv(x)  # nn.Conv2d(1, 1, (1, 16), bias=False)
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    head, tail = self.conv.weight.split(8, -1)
                    return F.conv2d(x[..., :24], head) + F.conv2d(x[..., 8:], tail)
            """),
            pattern="largekernel_ios18",
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag kernels beyond the family's limits; a 1-D kernel is one of height 1."""
        weight = operation.tensor("weight")
        taps = weight.shape[2:] if weight is not None else ()
        if not taps or None in taps:
            return
        width = taps[-1] or 0
        height = (taps[-2] or 0) if len(taps) > 1 else 1
        if not self._too_large(height, width, context.target.family, context):
            return
        families = tuple(family for family in FAMILIES if self._too_large(height, width, family, context))
        limit = context.limit("conv-kernel-height" if height > width else "conv-kernel-width")
        measured = len(taps) == 2 and (height == width or 1 in {height, width})
        evidence = limit.citations if limit else ()
        if not measured:
            evidence = tuple(citation._replace(confidence=Confidence.EXTRAPOLATED) for citation in evidence)
        shape = " × ".join(map(str, taps))
        yield self.finding(operation, f"kernel {shape}", families=families, evidence=evidence, kernel=list(taps))

    @staticmethod
    def _too_large(height: int, width: int, family: str, context: Context) -> bool:
        """Whether a family's engine refuses the kernel; False where its limits are unknown."""
        widest = context.knowledge.limit("conv-kernel-width", family)
        highest = context.knowledge.limit("conv-kernel-height", family)
        square = context.knowledge.limit("conv-square-kernel", family)
        if highest is not None and height > highest.value:
            return True
        if widest is None or width <= widest.value:
            return False
        return square is None or width > square.value or height < width
