"""ANE127: convolutions with strides that the engine has no step for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import FAMILIES, Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node

STEPS = frozenset({1, 2, 3, 4, 6, 8, 9, 12, 16, 24, 32})
"""The strides that Apple lists: what a few of the engine's own steps of 2, 3, 4 and 8 make."""
BESIDE_TWO = frozenset({3, 4, 8, 9})
"""The strides that Apple lets stand beside a 2 on the other axis; it lists no other unequal pair above 1."""


class ConvolutionStride(OperationRule):
    """A convolution moves by a stride that the engine cannot put together from its own steps.

    ## Why it costs
    The engine moves by 2, 3, 4 or 8 and combines these. Apple lists the strides that come out well: 1, 2, 3, 4, 6, 8, 9, 12,
    16, 24 and 32. Others (5, 7, 10, 14, anything above 32) are slow, and so are strides above 1 that differ between the
    axes, but for a 2 beside a 3, 4, 8 or 9. Speech encoders begin with a stride of 5 (wav2vec 2.0, HuBERT), some vision
    transformers with patches of 14 pixels.

    ## Instead
    A stride of s is a rearrangement: lay s neighbouring samples side by side as channels, and convolve with stride 1 and a
    kernel that is s times shorter (filled up with zeros where s does not divide it). Products and sums stay the same.

        x [1, 1, L] → conv (10 taps, stride 5)

        x [1, 1, L] → reshape [1, L/5, 5] → transpose [1, 5, L/5] → conv (2 taps, stride 1)

    The weights are rearranged once, before conversion: tap 5 t + j becomes tap t of channel j. Where the kernel is as long
    as the stride (patches), a `linear` over the rearranged input is left.

    ## Known exceptions
    The rule is silent where the output has one position along the axis, as then nothing moves.

    ## Contradictions
    On M4, Core ML keeps a single convolution of stride 5 on the engine: this is about time, not about placement. Apple's
    list was written for Core AI; the steps of 2, 3, 4 and 8 also stand in the compiler's own tables, for every family.
    """

    code = "ANE127"
    name = "convolution-stride"
    severity = Severity.INFO
    operations = frozenset({"conv"})
    blocks = frozenset()
    rewrite = "lay the samples of a step side by side as channels, and convolve with stride 1 and a shorter kernel"
    evidence = (
        cite("apple-coreai", Confidence.DOCUMENTED),
        cite("guide-a", Confidence.REVERSE_ENGINEERED),
    )
    covers = ("OP26",)
    limits = ("conv-stride",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 20]> x) {
                    tensor<fp16, [2, 1, 10]> w = const()[val = tensor<fp16, [2, 1, 10]>(
                        [1, 2, 3, 4, 5, -1, -2, -3, -4, -5, 3, 1, 4, 1, 5, 2, 6, 5, 3, 5])];
                    tensor<fp16, [1, 2, 3]> y = conv(dilations = tensor<int32, [1]>([1]), groups = int32(1),
                        pad = tensor<int32, [2]>([0, 0]), pad_type = string("valid"), strides = tensor<int32, [1]>([5]),
                        weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            also=("ANE130",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 20]> x) {
                    tensor<fp16, [2, 5, 2]> w = const()[val = tensor<fp16, [2, 5, 2]>(
                        [1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 3, 2, 1, 6, 4, 5, 1, 3, 5, 5])];
                    tensor<fp16, [1, 4, 5]> steps = reshape(shape = tensor<int32, [3]>([1, 4, 5]), x = x);
                    tensor<fp16, [1, 5, 4]> phases = transpose(perm = tensor<int32, [3]>([0, 2, 1]), x = steps);
                    tensor<fp16, [1, 2, 3]> y = conv(dilations = tensor<int32, [1]>([1]), groups = int32(1),
                        pad = tensor<int32, [2]>([0, 0]), pad_type = string("valid"), strides = tensor<int32, [1]>([1]),
                        weight = w, x = phases);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                class Encoder(torch.nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.first = torch.nn.Conv1d(1, 512, kernel_size=10, stride=5, bias=False)

                    def forward(self, wave):  # [1, 1, length], a multiple of 5
                        return self.first(wave)
            """),
            pytorch_after=pytorch("""
                class Encoder(torch.nn.Module):
                    def __init__(self, first):
                        super().__init__()
                        self.first = torch.nn.Conv1d(5, 512, kernel_size=2, bias=False)
                        self.first.weight.data = first.weight.reshape(512, 2, 5).transpose(1, 2)

                    def forward(self, wave):
                        return self.first(wave.reshape(1, -1, 5).transpose(1, 2))
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag strides that Apple does not list, on axes along which the kernel moves at all."""
        strides, output = operation.constant("strides"), operation.outputs[0].tensor
        if not strides or output is None or len(strides) > output.rank or context.limit("conv-stride") is None:
            return
        sizes = output.shape[-len(strides) :]
        moving = [int(step) for step, size in zip(strides, sizes, strict=True) if size != 1]
        slow = [step for step in moving if self._slow(step, context)]
        if slow:
            yield self._found(operation, f"stride {slow[0]} is none that the engine does well", context, moving)
        elif self._uneven(moving):
            pair = " × ".join(map(str, moving))
            yield self._found(operation, f"strides {pair} differ, and are no 2 beside a 3, 4, 8 or 9", context, moving)

    def _found(self, operation: Node, message: str, context: Context, strides: list[int]) -> Match:
        known = tuple(family for family in FAMILIES if context.knowledge.limit("conv-stride", family) is not None)
        return self.finding(operation, message, families=known, strides=strides)

    @staticmethod
    def _slow(step: int, context: Context) -> bool:
        """Whether a stride is longer than the longest that is listed, or not on the list."""
        limit = context.limit("conv-stride")
        return limit is not None and (step > limit.value or step not in STEPS)

    @staticmethod
    def _uneven(strides: list[int]) -> bool:
        """Whether strides above 1 differ and make no pair that is listed."""
        differing = sorted({step for step in strides if step > 1})
        return len(differing) > 1 and (differing[0] != 2 or len(differing) > 2 or differing[1] not in BESIDE_TWO)
