"""ANE230: windows cut out by a convolution of zeros and ones (unfold, im2col)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import sizes, sole_user, with_constant

LAYERS: Final = ("matmul", "linear")


class UnfoldingConvolution(OperationRule):
    """A convolution only copies windows into channels.

    ## Why it costs
    `torch.nn.functional.unfold` becomes a convolution whose weights are a one in a field of zeros: as many output channels
    as a window holds numbers. For 16 channels and 3 × 3 windows it multiplies each pixel by 144 × 144 weights in order to
    copy it nine times, and writes a tensor nine times as large. Mostly a product with the real weights follows, which
    together with it is one ordinary convolution.

        x ─ conv (one-hot, C·k²) ─ reshape (B, C·k², L) ─ matmul(W)

        x ─ conv (W as C × k × k) ─ reshape (B, O, L)

    ## Instead
    - `torch.nn.functional.conv2d(x, W.view(o, c, k, k))` for `W @ unfold(x, k)`: the same sums of the same products.
    - Where the windows themselves are wanted (local attention), slices of the padded input, one for each place in the
      window, cost copies and no multiplications.

    ## Known exceptions
    Weights are not read: a trained layer is taken for an unfold only where it has no bias, overlapping windows, as many
    outputs as a window has numbers, and its result is flattened at once. Patch embeddings do not overlap.
    """

    code = "ANE230"
    name = "unfolding-convolution"
    operations = frozenset({"conv"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "make the unfold and the product after it one convolution"
    evidence = (cite("coremltools-9", Confidence.DOCUMENTED),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 3, 4]> x) {
                    tensor<fp16, [4, 1, 2, 2]> w = const()[val = tensor<fp16, [4, 1, 2, 2]>(
                        [[[[1, 0], [0, 0]]], [[[0, 1], [0, 0]]], [[[0, 0], [1, 0]]], [[[0, 0], [0, 1]]]])];
                    tensor<fp16, [1, 4, 2, 3]> c = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"), strides = tensor<int32, [2]>([1, 1]),
                        weight = w, x = x);
                    tensor<fp16, [1, 4, 6]> r = reshape(shape = tensor<int32, [3]>([1, 4, 6]), x = c);
                    tensor<fp16, [2, 4]> real = const()[val = tensor<fp16, [2, 4]>([[1, 2, -1, 0.5], [3, 0, 1, 1]])];
                    tensor<fp16, [1, 2, 6]> y = matmul(x = real, y = r);
                } -> (y);
            """),
            flags=("c",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 3, 4]> x) {
                    tensor<fp16, [2, 1, 2, 2]> w = const()[val = tensor<fp16, [2, 1, 2, 2]>(
                        [[[[1, 2], [-1, 0.5]]], [[[3, 0], [1, 1]]]])];
                    tensor<fp16, [1, 2, 2, 3]> c = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"), strides = tensor<int32, [2]>([1, 1]),
                        weight = w, x = x);
                    tensor<fp16, [1, 2, 6]> y = reshape(shape = tensor<int32, [3]>([1, 2, 6]), x = c);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                y = self.weight @ torch.nn.functional.unfold(x, 2)
            """),
            pytorch_after=pytorch("""
                y = torch.nn.functional.conv2d(x, self.weight.view(-1, x.shape[1], 2, 2)).flatten(2)
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 3, 4]> x) {
                    tensor<fp16, [2, 1, 1, 2]> w = const()[val = tensor<fp16, [2, 1, 1, 2]>([[[[1, 0]]], [[[0, 1]]]])];
                    tensor<fp16, [1, 2, 3, 3]> c = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"), strides = tensor<int32, [2]>([1, 1]),
                        weight = w, x = x);
                    tensor<fp16, [1, 2, 9]> y = reshape(shape = tensor<int32, [3]>([1, 2, 9]), x = c);
                } -> (y);
            """),
            flags=("c",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 3, 4]> x) {
                    tensor<fp16, [1, 1, 3, 3]> a = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 0, 0]), end = tensor<int32, [4]>([1, 1, 3, 3]), x = x);
                    tensor<fp16, [1, 1, 3, 3]> b = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 0, 1]), end = tensor<int32, [4]>([1, 1, 3, 4]), x = x);
                    tensor<fp16, [1, 2, 3, 3]> c = concat(axis = int32(1), interleave = bool(false), values = (a, b));
                    tensor<fp16, [1, 2, 9]> y = reshape(shape = tensor<int32, [3]>([1, 2, 9]), x = c);
                } -> (y);
            """),
            pattern="unfold_im2col_ios18",
            pytorch_before=pytorch("""
                y = torch.nn.functional.unfold(x, (1, 2))
            """),
            pytorch_after=pytorch("""
                y = torch.cat([x[..., :-1], x[..., 1:]], dim=1).flatten(2)  # for one channel
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a convolution of the form of an unfold, and name the product that could be one with it."""
        weight, result = sizes(operation.operand("weight")), sizes(operation.outputs[0])
        if (
            weight is None
            or result is None
            or len(weight) != 4
            or len(result) != 4
            or operation.operand("bias") is not None
        ):
            return
        outputs, inputs, height, width = weight
        steps = operation.constant("strides") or (1, 1)
        overlaps = int(steps[0]) < height or int(steps[-1]) < width
        if (
            operation.scalar("groups") not in {None, 1}
            or height * width == 1
            or outputs != inputs * height * width
            or not overlaps
        ):
            return
        flat = sole_user(operation, graph, "reshape")
        if flat is None or sizes(flat.outputs[0]) != (result[0], outputs, result[2] * result[3]):
            return
        text = f"a convolution with the form of an unfold: {inputs} channels × {height} × {width} windows to {outputs} channels"
        layer = sole_user(flat, graph, *LAYERS)
        if layer is not None and (layer.type == "linear" or with_constant(layer)):
            text += f", for a {layer.type} that it could be one with"
        yield self.finding(operation, text, related=(flat,))
