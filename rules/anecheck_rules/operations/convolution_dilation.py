"""ANE128: convolutions with large dilations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class ConvolutionDilation(OperationRule):
    """A convolution's taps lie more than two samples apart.

    ## Why it costs
    The engine spreads the taps of a kernel by two at most; larger dilations are taken apart by the compiler. Apple's advice
    is to avoid them. For a dilated kernel that is large, or split into groups, the compiler also has a refusal, but
    nobody has published where that begins. WaveNet-like speech models (dilations 1, 2, 4 … 512) and segmentation heads
    (DeepLab's 6, 12, 18) are full of them.

    ## Instead
    - A dilation of d looks at every d-th sample, so d interleaved signals pass by one another. Give each its own place and
      convolve without dilation; products and sums stay the same:

          x [N, C, L] → conv (3 taps, dilation d)

          x [N, C, L] → reshape [N, C, L/d, d] → conv (3 × 1 taps) → reshape [N, C, L − 2 d]

      In two dimensions `space_to_batch` with a block of d does it, and `batch_to_space` undoes it. Blocks of 2, 3, 4 and 8
      are those that the engine has; a 6 is a 2 and a 3 in a row. Pad first so that d divides the length.
    - Where the model is yet to be trained, Apple chains small dilations: three of 2 in place of one of 8, a 2 and a 3 in
      place of a 6. That is another network, with other weights.

    ## Contradictions
    Observers wrote in 2019 that dilated convolutions leave the engine altogether. M4's compute plan keeps a dilation of 2 on
    it; nobody measured larger ones, so the rule speaks of time alone.
    """

    code = "ANE128"
    name = "convolution-dilation"
    severity = Severity.INFO
    operations = frozenset({"conv"})
    blocks = frozenset()
    rewrite = "split the interleaved samples apart (reshape, or space_to_batch) and convolve without dilation"
    evidence = (
        cite("apple-coreai", Confidence.DOCUMENTED),
        cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),
    )
    covers = ("OP27",)
    limits = ("conv-dilation",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 24]> x) {
                    tensor<fp16, [1, 2, 3]> w = const()[val = tensor<fp16, [1, 2, 3]>([1, 2, 3, -1, 5, -2])];
                    tensor<fp16, [1, 1, 16]> y = conv(dilations = tensor<int32, [1]>([4]), groups = int32(1),
                        pad = tensor<int32, [2]>([0, 0]), pad_type = string("valid"), strides = tensor<int32, [1]>([1]),
                        weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 24]> x) {
                    tensor<fp16, [1, 2, 3, 1]> w = const()[val = tensor<fp16, [1, 2, 3, 1]>([1, 2, 3, -1, 5, -2])];
                    tensor<fp16, [1, 2, 6, 4]> phases = reshape(shape = tensor<int32, [4]>([1, 2, 6, 4]), x = x);
                    tensor<fp16, [1, 1, 4, 4]> h = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = phases);
                    tensor<fp16, [1, 1, 16]> y = reshape(shape = tensor<int32, [3]>([1, 1, 16]), x = h);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                class Layer(torch.nn.Module):
                    def __init__(self, channels):
                        super().__init__()
                        self.conv = torch.nn.Conv1d(channels, channels, kernel_size=3, dilation=4, bias=False)

                    def forward(self, x):  # [1, channels, length], a multiple of 4
                        return self.conv(x)
            """),
            pytorch_after=pytorch("""
                class Layer(torch.nn.Module):
                    def __init__(self, old):
                        super().__init__()
                        self.conv = torch.nn.Conv2d(old.in_channels, old.out_channels, kernel_size=(3, 1), bias=False)
                        self.conv.weight.data = old.weight.unsqueeze(-1)

                    def forward(self, x):
                        y = self.conv(x.reshape(1, x.shape[1], -1, 4))
                        return y.reshape(1, y.shape[1], -1)
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 12, 12]> x) {
                    tensor<fp16, [1, 1, 2, 2]> w = const()[val = tensor<fp16, [1, 1, 2, 2]>([1, -2, 3, 5])];
                    tensor<fp16, [1, 1, 8, 8]> y = conv(dilations = tensor<int32, [2]>([4, 4]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 12, 12]> x) {
                    tensor<fp16, [1, 1, 2, 2]> w = const()[val = tensor<fp16, [1, 1, 2, 2]>([1, -2, 3, 5])];
                    tensor<fp16, [16, 1, 3, 3]> phases = space_to_batch(block_shape = tensor<int32, [2]>([4, 4]),
                        paddings = tensor<int32, [2, 2]>([0, 0, 0, 0]), x = x);
                    tensor<fp16, [16, 1, 2, 2]> h = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = phases);
                    tensor<fp16, [1, 1, 8, 8]> y = batch_to_space(block_shape = tensor<int32, [2]>([4, 4]),
                        crops = tensor<int32, [2, 2]>([0, 0, 0, 0]), x = h);
                } -> (y);
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag dilations beyond the family's limit, along axes with more than one tap."""
        weight, given = operation.tensor("weight"), operation.constant("dilations")
        limit = context.limit("conv-dilation")
        if weight is None or not given or limit is None or weight.rank < len(given):
            return
        taps = weight.shape[-len(given) :]
        dilations = [int(dilation) for dilation, size in zip(given, taps, strict=True) if size != 1]
        widest = max(dilations, default=1)
        if widest > limit.value:
            yield self.finding(
                operation,
                f"dilation {widest}, where the engine spreads taps by {int(limit.value)} at most",
                families=context.families_below("conv-dilation", widest),
                dilations=dilations,
                limit=int(limit.value),
            )
