"""ANE510: slices along the last axis that do not begin at its start, on A14, A15, M1 and M2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.numerics.ranges import Range, reach


class OffsetInWidth(OperationRule):
    """A slice along the last axis begins inside it, and on A14, A15, M1 and M2 makes infinities of large values.

    ## Why it goes wrong
    Engines of these chips read at an offset in the last axis along a path with a fixed gain of 16, and 16 · 4094 is the end
    of fp16: magnitudes above 4094 came out infinite on M1 and M2, silently. Joining such slices again gives the same. A16 and
    M3 and everything newer are clean. Halves of a rotary embedding or of a gated unit are sliced this way; their values are
    seldom so large, which is why this is only a hint.

    ## Instead
    - Multiply by 1/16 before the slice and by 16 after it: powers of two, so that no magnitude above 0.001 is rounded.
    - Or slice along another axis: with the channels in the second axis (rank 4, [B, C, 1, S]) the offset is none of the last.
    - Or let the layer before give the parts: two linear layers with half the weights each instead of one and a slice.

    ## Known exceptions
    Slices from the start of the axis are exact, and so is what a sigmoid, a clip or a scale keeps below 4094. Offsets known
    only at run time have a rule of their own.
    """

    code = "ANE510"
    name = "offset-in-width"
    severity = Severity.INFO
    operations = frozenset({"slice_by_index", "slice_by_size"})
    blocks = frozenset()
    rewrite = "scale by 1/16 before and 16 after, or slice along another axis"
    covers = ("OP36",)
    limits = ("width-slice-magnitude", "fp16-largest")
    evidence = (cite("guide19", Confidence.REVERSE_ENGINEERED, "H13", "H14"),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 8, 64]> x) {
                    tensor<fp16, [1, 16, 8, 32]> y = slice_by_index(begin = tensor<int32, [4]>([0, 0, 0, 32]),
                        begin_mask = tensor<bool, [4]>([true, true, true, false]),
                        end = tensor<int32, [4]>([1, 16, 8, 64]),
                        end_mask = tensor<bool, [4]>([true, true, true, true]), x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 8, 64]> x) {
                    tensor<fp16, [1, 16, 8, 64]> small = mul(x = x, y = fp16(0x1p-4));
                    tensor<fp16, [1, 16, 8, 32]> half = slice_by_index(begin = tensor<int32, [4]>([0, 0, 0, 32]),
                        begin_mask = tensor<bool, [4]>([true, true, true, false]),
                        end = tensor<int32, [4]>([1, 16, 8, 64]),
                        end_mask = tensor<bool, [4]>([true, true, true, true]), x = small);
                    tensor<fp16, [1, 16, 8, 32]> y = mul(x = half, y = fp16(0x1p+4));
                } -> (y);
            """),
            target="m1",
            pytorch_before=pytorch("""
                def second_half(x):
                    return x[..., 32:]
            """),
            pytorch_after=pytorch("""
                def second_half(x):
                    return (x / 16)[..., 32:] * 16
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a constant begin other than 0 on the last axis, of values that may be so large."""
        limit, largest, x = (
            context.limit("width-slice-magnitude"),
            context.limit("fp16-largest"),
            operation.operand("x"),
        )
        if (
            limit is None
            or largest is None
            or x is None
            or x.is_constant
            or x.tensor is None
            or x.tensor.dtype != "fp16"
        ):
            return
        begin, mask = operation.constant("begin"), operation.constant("begin_mask")
        if not begin or len(begin) != x.tensor.rank or begin[-1] == 0 or (mask and mask[-1]):
            return
        if reach(x, Range(-largest.value, largest.value)).magnitude <= limit.value:
            return
        yield self.finding(
            operation,
            f"slice with an offset in the last axis; magnitudes beyond {limit.value:g} become infinite",
            families=limit.families,
            evidence=limit.citations,
            begin=begin[-1],
        )
