"""ANE227: a pixel shuffle written as reshape, transpose and reshape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import maker, permutation, sizes, sole_user


class ScatteredPixelShuffle(OperationRule):
    """A pixel shuffle is spelled out at rank 5 or 6.

    ## Why it costs
    Moving channels into blocks of pixels is one operation of MIL, and one of the engine. Spelled out, it is two reshapes and
    a transpose of five axes: three times over the tensor, at the highest rank that the engine takes, and with its last axis
    as short as a block is wide, where each row is padded to 64 bytes (2 numbers of fp16 take the room of 32).

        x (B, C·r², H, W) ─ reshape ─ transpose(C, H, r, W, r) ─ reshape (B, C, r·H, r·W)

        x (B, C·r², H, W) ─ pixel_shuffle(r) ─ (B, C, r·H, r·W)

    ## Instead
    `torch.nn.functional.pixel_shuffle(x, r)`, and `pixel_unshuffle(x, r)` for the way back; with other orders of the channels,
    permute the weights of the layer before (or after). coremltools turns a view of six axes into one of five where the batch
    is 1, so that it converts, and leaves it there.

    ## Known exceptions
    Shuffles whose blocks are not square, and other orders of the axes, have no operation of their own and are not flagged.
    """

    code = "ANE227"
    name = "scattered-pixel-shuffle"
    operations = frozenset({"transpose"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "use pixel_shuffle or pixel_unshuffle"
    evidence = (cite("coremltools-9", Confidence.DOCUMENTED), cite("apple-coreai", Confidence.DOCUMENTED))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 3, 4]> x) {
                    tensor<fp16, [2, 2, 2, 3, 4]> a = reshape(shape = tensor<int32, [5]>([2, 2, 2, 3, 4]), x = x);
                    tensor<fp16, [2, 3, 2, 4, 2]> b = transpose(perm = tensor<int32, [5]>([0, 3, 1, 4, 2]), x = a);
                    tensor<fp16, [1, 2, 6, 8]> y = reshape(shape = tensor<int32, [4]>([1, 2, 6, 8]), x = b);
                } -> (y);
            """),
            flags=("b",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 3, 4]> x) {
                    tensor<fp16, [1, 2, 6, 8]> y = pixel_shuffle(upscale_factor = int32(2), x = x);
                } -> (y);
            """),
            pattern="pixelshuffle_manual_6d_ios18",
            pytorch_before=pytorch("""
                n, c, h, w = x.shape
                y = x.view(n, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(n, c // 4, 2 * h, 2 * w)
            """),
            pytorch_after=pytorch("""
                y = torch.nn.functional.pixel_shuffle(x, 2)
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 6, 8]> x) {
                    tensor<fp16, [2, 3, 2, 4, 2]> a = reshape(shape = tensor<int32, [5]>([2, 3, 2, 4, 2]), x = x);
                    tensor<fp16, [2, 2, 2, 3, 4]> b = transpose(perm = tensor<int32, [5]>([0, 2, 4, 1, 3]), x = a);
                    tensor<fp16, [1, 8, 3, 4]> y = reshape(shape = tensor<int32, [4]>([1, 8, 3, 4]), x = b);
                } -> (y);
            """),
            flags=("b",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 6, 8]> x) {
                    tensor<fp16, [1, 8, 3, 4]> y = pixel_unshuffle(downscale_factor = uint32(2), x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                n, c, h, w = x.shape
                y = x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, 4 * c, h // 2, w // 2)
            """),
            pytorch_after=pytorch("""
                y = torch.nn.functional.pixel_unshuffle(x, 2)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a transpose between two reshapes that move blocks of channels into pixels, or pixels into channels."""
        tensor = operation.tensor("x")
        if tensor is None or tensor.rank not in {5, 6}:
            return
        first, last = maker(operation.operand("x"), "reshape"), sole_user(operation, graph, "reshape")
        order, split = permutation(operation), sizes(operation.operand("x"))
        if first is None or last is None or order is None or split is None or sole_user(first, graph) is not operation:
            return
        given, result = sizes(first.operand("x")), sizes(last.outputs[0])
        if given is None or result is None or len(given) != 4 or len(result) != 4:
            return
        if len(split) == 5:  # batch and channels are one axis
            split, order = (1, *split), (0, *(axis + 1 for axis in order))
        if len(split) != 6:
            return
        for kind, moved in (("pixel_shuffle", (0, 1, 4, 2, 5, 3)), ("pixel_unshuffle", (0, 1, 3, 5, 2, 4))):
            apart, together = (given, result) if kind == "pixel_shuffle" else (result, given)
            n, c, h, w = apart
            step = split[2] if kind == "pixel_shuffle" else split[3]
            if order != moved or step < 2 or c % step**2 or together != (n, c // step**2, h * step, w * step):
                continue
            blocks = (step, step, h, w) if kind == "pixel_shuffle" else (h, step, w, step)
            if split[2:] == blocks and split[0] * split[1] == n * (c // step**2):
                yield self.finding(
                    operation,
                    f"reshape, transpose and reshape do what {kind} by {step} does ({first.tensor('x')})",
                    related=(first, last),
                    factor=step,
                )
