"""ANE226: every second pixel from each offset, joined as channels (a focus layer)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import sole_user
from anecheck_rules.forms.slices import pixel_grid


class InterleavedSlices(OperationRule):
    """Pixels are sorted into channels by slices and a concat.

    ## Why it costs
    A focus layer, as detectors begin with, takes every second pixel from each of four offsets and joins them as
    channels. Written with slices it reads the image, by far the largest tensor of such a model, six times with a step, and
    writes it again for the concat, before the first layer has begun.

        x ─┬─ slice(::2, ::2) ───┬─ concat ─ conv 3 × 3            x ─ conv 6 × 6, stride 2, pad 2
           ├─ slice(1::2, ::2) ──┤
           ├─ slice(::2, 1::2) ──┤                                 x ─ pixel_unshuffle ─ conv 3 × 3
           └─ slice(1::2, 1::2) ─┘

    ## Instead
    - Where a convolution follows, let it take the pixels itself: k × k after a focus of 2 is 2k × 2k on the image, at twice the
      stride and the padding. Its weights are the same numbers in another order: channel q·C + c of the old is channel c of
      the new at the place (i, j) of offset q in each 2 × 2 block.
    - Else `torch.nn.functional.pixel_unshuffle(x, 2)` is one operation. Its channels come in the order (c, i, j), those of
      Focus as (j, i, c); permute the weights of the next layer along their inputs to match.

    ## Known exceptions
    A kernel that becomes too wide for the engine (16 and more on M4) stays with the unshuffle.
    """

    code = "ANE226"
    name = "interleaved-slices"
    operations = frozenset({"concat"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "let the next convolution take the pixels by its stride, or use pixel_unshuffle"
    evidence = (cite("coremltools-9", Confidence.DOCUMENTED), cite("751k-dispatch", Confidence.MEASURED, "H16"))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 4, 6]> x) {
                    tensor<fp16, [1, 1, 2, 6]> even = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 0, 0]), end = tensor<int32, [4]>([1, 1, 4, 6]),
                        stride = tensor<int32, [4]>([1, 1, 2, 1]), x = x);
                    tensor<fp16, [1, 1, 2, 3]> a = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 0, 0]), end = tensor<int32, [4]>([1, 1, 2, 6]),
                        stride = tensor<int32, [4]>([1, 1, 1, 2]), x = even);
                    tensor<fp16, [1, 1, 2, 3]> b = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 0, 1]), end = tensor<int32, [4]>([1, 1, 2, 6]),
                        stride = tensor<int32, [4]>([1, 1, 1, 2]), x = even);
                    tensor<fp16, [1, 1, 2, 6]> odd = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 1, 0]), end = tensor<int32, [4]>([1, 1, 4, 6]),
                        stride = tensor<int32, [4]>([1, 1, 2, 1]), x = x);
                    tensor<fp16, [1, 1, 2, 3]> c = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 0, 0]), end = tensor<int32, [4]>([1, 1, 2, 6]),
                        stride = tensor<int32, [4]>([1, 1, 1, 2]), x = odd);
                    tensor<fp16, [1, 1, 2, 3]> d = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 0, 1]), end = tensor<int32, [4]>([1, 1, 2, 6]),
                        stride = tensor<int32, [4]>([1, 1, 1, 2]), x = odd);
                    tensor<fp16, [1, 4, 2, 3]> y = concat(axis = int32(1), interleave = bool(false), values = (a, b, c, d));
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 4, 6]> x) {
                    tensor<fp16, [1, 4, 2, 3]> y = pixel_unshuffle(downscale_factor = uint32(2), x = x);
                } -> (y);
            """),
            pattern="focus_ios18",
            pytorch_before=pytorch("""
                y = torch.cat([x[..., ::2, ::2], x[..., ::2, 1::2], x[..., 1::2, ::2], x[..., 1::2, 1::2]], 1)
            """),
            pytorch_after=pytorch("""
                y = torch.nn.functional.pixel_unshuffle(x, 2)
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4, 6]> x) {
                    tensor<fp16, [1, 2, 2, 3]> a = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 0, 0]), end = tensor<int32, [4]>([1, 2, 4, 6]),
                        stride = tensor<int32, [4]>([1, 1, 2, 2]), x = x);
                    tensor<fp16, [1, 2, 2, 3]> b = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 1, 0]), end = tensor<int32, [4]>([1, 2, 4, 6]),
                        stride = tensor<int32, [4]>([1, 1, 2, 2]), x = x);
                    tensor<fp16, [1, 2, 2, 3]> c = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 0, 1]), end = tensor<int32, [4]>([1, 2, 4, 6]),
                        stride = tensor<int32, [4]>([1, 1, 2, 2]), x = x);
                    tensor<fp16, [1, 2, 2, 3]> d = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 1, 1]), end = tensor<int32, [4]>([1, 2, 4, 6]),
                        stride = tensor<int32, [4]>([1, 1, 2, 2]), x = x);
                    tensor<fp16, [1, 8, 2, 3]> all = concat(axis = int32(1), interleave = bool(false), values = (a, b, c, d));
                    tensor<fp16, [1, 8, 1, 1]> w = const()[val = tensor<fp16, [1, 8, 1, 1]>(
                        [[[[1]], [[2]], [[3]], [[4]], [[5]], [[6]], [[7]], [[8]]]])];
                    tensor<fp16, [1, 1, 2, 3]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"), strides = tensor<int32, [2]>([1, 1]),
                        weight = w, x = all);
                } -> (y);
            """),
            flags=("all",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4, 6]> x) {
                    tensor<fp16, [1, 2, 2, 2]> w = const()[val = tensor<fp16, [1, 2, 2, 2]>(
                        [[[[1, 5], [3, 7]], [[2, 6], [4, 8]]]])];
                    tensor<fp16, [1, 1, 2, 3]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"), strides = tensor<int32, [2]>([2, 2]),
                        weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                x = torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)
                y = self.conv(x)  # k × k
            """),
            pytorch_after=pytorch("""
                o, _, k, _ = self.conv.weight.shape
                # (o, j, i, c, k, k) to (o, c, k, i, k, j)
                weight = self.conv.weight.view(o, 2, 2, -1, k, k).permute(0, 3, 4, 2, 5, 1).reshape(o, -1, 2 * k, 2 * k)
                y = torch.nn.functional.conv2d(x, weight, self.conv.bias, stride=2, padding=k - 1)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a concat of all the grids of pixels of one value."""
        grid = pixel_grid(operation)
        if grid is None:
            return
        convolution = sole_user(operation, graph, "conv")
        text = f"{len(grid.slices)} slices and a concat sort the pixels of {grid.source.type} into channels"
        if convolution is not None:
            text += f", for a convolution that could read each {grid.step} × {grid.step} block itself"
        yield self.finding(operation, text, related=grid.slices, step=grid.step)
