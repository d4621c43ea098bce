"""ANE232: a transposed convolution whose rim is computed and cut off again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import maker, sole_user


class CroppedTransposedConvolution(OperationRule):
    """A crop cuts the rim off a transposed convolution.

    ## Why it costs
    The rim is computed, written, and the rest of the tensor copied to be rid of it. `conv_transpose` can leave the rim away
    itself: its `pad` takes a number for each side. coremltools writes a crop where PyTorch's `output_padding` makes the
    sides differ.

        x ─ conv_transpose (65 × 65) ─ crop(top 1, left 1) ─ 64 × 64

        x ─ conv_transpose(pad = top 1, left 1) ─ 64 × 64

    ## Instead
    - In the program: add what is cropped to `pad`, in the order top, bottom, left, right, with `pad_type = "custom"`.
    - In PyTorch: a kernel of 4 with stride 2 and padding 1 doubles the size without `output_padding`. One of 3 can be made
      into it by a row and a column of zeros at the end of its weights, with equal results.
    """

    code = "ANE232"
    name = "cropped-transposed-convolution"
    operations = frozenset({"crop"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "give the transposed convolution the crop as padding, or a kernel that needs none"
    evidence = (cite("coremltools-9", Confidence.DOCUMENTED), cite("ct-ops", Confidence.DOCUMENTED))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 3, 3]> x) {
                    tensor<fp16, [1, 1, 3, 3]> w = const()[val = tensor<fp16, [1, 1, 3, 3]>(
                        [[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]])];
                    tensor<fp16, [1, 1, 7, 7]> c = conv_transpose(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"), strides = tensor<int32, [2]>([2, 2]),
                        weight = w, x = x);
                    tensor<fp16, [1, 1, 6, 6]> y = crop(crop_height = tensor<int32, [2]>([1, 0]),
                        crop_width = tensor<int32, [2]>([1, 0]), x = c);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 3, 3]> x) {
                    tensor<fp16, [1, 1, 4, 4]> w = const()[val = tensor<fp16, [1, 1, 4, 4]>(
                        [[[[1, 2, 3, 0], [4, 5, 6, 0], [7, 8, 9, 0], [0, 0, 0, 0]]]])];
                    tensor<fp16, [1, 1, 6, 6]> y = conv_transpose(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([1, 1, 1, 1]), pad_type = string("custom"),
                        strides = tensor<int32, [2]>([2, 2]), weight = w, x = x);
                } -> (y);
            """),
            pattern="convtranspose_outpad_ios18",
            pytorch_before=pytorch("""
                self.up = torch.nn.ConvTranspose2d(i, o, 3, stride=2, padding=1, output_padding=1)
            """),
            pytorch_after=pytorch("""
                up = torch.nn.ConvTranspose2d(i, o, 4, stride=2, padding=1)
                up.weight.data = torch.nn.functional.pad(self.up.weight.data, (0, 1, 0, 1))
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a crop that is the only user of a transposed convolution."""
        convolution = maker(operation.operand("x"), "conv_transpose")
        height, width = operation.constant("crop_height"), operation.constant("crop_width")
        if convolution is None or height is None or width is None or sole_user(convolution, graph) is not operation:
            return
        before, after = convolution.outputs[0].type, operation.outputs[0].type
        yield self.finding(
            operation,
            f"a transposed convolution makes {before}, and a crop leaves {after} of it",
            related=(convolution,),
            crop=[int(side) for side in (*height, *width)],
        )
