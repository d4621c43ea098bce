"""ANE225: slices of slices that could be one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import maker, sole_user
from anecheck_rules.forms.slices import drops_axes, is_plain, pixel_grid

LONGEST: Final = 8
"""How many slices in a row are followed up; a slice for each axis of any tensor is fewer."""


class SplitStridedSlices(OperationRule):
    """A slice is cut out of a slice.

    ## Why it costs
    Each slice copies what it cuts out, and the first of several copies more than the last one keeps. coremltools writes
    `x[..., ::2, 1::2]` as one `slice_by_index` for each axis, because PyTorch records one for each, though one operation
    takes begin, end and step of every axis at once.

        x (1, C, H, W) ─ slice(rows ::2) ─ slice(columns 1::2) ─ y          half of x is copied to keep a quarter

        x (1, C, H, W) ─ slice(rows ::2, columns 1::2) ─ y

    ## Instead
    Slice all axes in one `slice_by_index`: along different axes the bounds stand side by side; along the same axis begin
    and step of the second are multiplied by the step of the first, and the first begin is added. It takes a pass over the
    program, since PyTorch traces one slice an axis however it is written. In PyTorch a grid can be a pooling or a stride:
    `max_pool2d(x, 1, stride=2)` is `x[..., ::2, ::2]` in one operation, and a convolution before it takes the stride itself.

    ## Known exceptions
    A first slice that is used by others is needed. Steps backwards and bounds that come while the model runs are left alone.
    """

    code = "ANE225"
    name = "split-strided-slices"
    operations = frozenset({"slice_by_index"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "slice all axes in one slice_by_index, or take the steps as the stride of a pooling"
    evidence = (cite("coremltools-9", Confidence.DOCUMENTED),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 6, 6]> x) {
                    tensor<fp16, [1, 2, 3, 6]> rows = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 0, 0]), end = tensor<int32, [4]>([1, 2, 6, 6]),
                        end_mask = tensor<bool, [4]>([true, true, true, true]),
                        stride = tensor<int32, [4]>([1, 1, 2, 1]), x = x);
                    tensor<fp16, [1, 2, 3, 3]> y = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 0, 1]), end = tensor<int32, [4]>([1, 2, 3, 6]),
                        end_mask = tensor<bool, [4]>([true, true, true, true]),
                        stride = tensor<int32, [4]>([1, 1, 1, 2]), x = rows);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 6, 6]> x) {
                    tensor<fp16, [1, 2, 3, 3]> y = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 0, 1]), end = tensor<int32, [4]>([1, 2, 6, 6]),
                        end_mask = tensor<bool, [4]>([true, true, true, true]),
                        stride = tensor<int32, [4]>([1, 1, 2, 2]), x = x);
                } -> (y);
            """),
            pattern="slice_strided_ios18",
            pytorch_before=pytorch("""
                y = x[..., ::2, 1::2]
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag the last of slices with constant bounds of which each is the only user of the one before."""
        if not is_plain(operation):
            return
        joined = sole_user(operation, graph, "concat")
        if joined is not None and pixel_grid(joined) is not None:
            return  # all of these are one finding of interleaved-slices
        after = sole_user(operation, graph, "slice_by_index")
        if after is not None and is_plain(after):
            return  # spoken of there
        before: list[Node] = []
        node = operation
        while len(before) < LONGEST:
            first = maker(node.operand("x"), "slice_by_index")
            if first is None or sole_user(first, graph) is not node or not is_plain(first) or drops_axes(first):
                break
            before.append(first)
            node = first
        if before:
            given, kept = node.tensor("x"), operation.outputs[0].type
            yield self.finding(
                operation,
                f"{len(before) + 1} slices one after the other take {kept} out of {given}",
                related=tuple(reversed(before)),
                slices=len(before) + 1,
            )
