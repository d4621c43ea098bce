"""ANE201: zero padding in an operation of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.pattern import number, sole_user


class PaddingBeforeConvolution(OperationRule):
    """Zeros are padded in an operation of its own before a convolution that could pad by itself.

    ## Why it costs
    A convolution reads zeros beyond the edge for nothing. A `pad` before it writes the whole tensor anew, with a border
    around it, for the convolution to read: before a 3 × 3 convolution of 64 channels on 32 × 32 that is 3.8 µs by Core ML's
    estimates for M4, beside 4.7 µs for the convolution itself. coremltools does not join the two (its `fuse_pad_conv` moves a
    `pad` over a transposition and no further), so `nn.ZeroPad2d` and `functional.pad` arrive as they are.

        x ─ pad(0) ─ conv(valid)            x ─ conv(pad_type = "custom", pad = [top, bottom, left, right])

    ## Instead
    Give the padding to the convolution: `nn.Conv2d(..., padding=1)`. The convolution of MIL takes another width on each side
    (`pad_type = "custom"`), that of PyTorch only one for both; for one-sided padding, as TensorFlow and causal 1-D models have
    it, set the `pad` of the convolution in the converted program, by a graph pass or with `mb.conv`. Padding of both adds up.

    ## Known exceptions
    Only zeros can be folded. Reflected, repeated or non-zero borders, padded channels and batches, and padding that somebody
    else reads too stay operations of their own; nothing is said of them here.

    ## Contradictions
    A guide to the engine's compiler says that it folds a zero pad into the convolution by itself. Core ML's own report on M4
    lists the `pad` and its cost separately, so at least the decision between the engine and the CPU counts it.
    """

    code = "ANE201"
    name = "padding-before-convolution"
    operations = frozenset({"pad"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = 'give the padding to the convolution: pad_type "custom" takes another width on each side'
    evidence = (
        cite("guide22", Confidence.REVERSE_ENGINEERED),
        cite("751k-analytics", Confidence.MEASURED, "H16"),
        cite("ct-passes", Confidence.DOCUMENTED),
    )
    covers = ("NF10",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [32, 16, 3, 3]> w = const()[val = tensor<fp16, [32, 16, 3, 3]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 16, 34, 34]> p = pad(constant_val = fp16(0), mode = string("constant"),
                        pad = tensor<int32, [8]>([0, 0, 0, 0, 1, 1, 1, 1]), x = x);
                    tensor<fp16, [1, 32, 32, 32]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = p);
                } -> (y);
            """),
            flags=("p",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [32, 16, 3, 3]> w = const()[val = tensor<fp16, [32, 16, 3, 3]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 32, 32, 32]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([1, 1, 1, 1]), pad_type = string("custom"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                net = nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(16, 32, 3))
            """),
            pytorch_after=pytorch("""
                net = nn.Conv2d(16, 32, 3, padding=1)
            """),
            pattern="pad_conv_zero_ios18",
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 8, 8]> x) {
                    tensor<fp16, [8, 4, 3, 3]> w = const()[val = tensor<fp16, [8, 4, 3, 3]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 4, 9, 9]> p = pad(constant_val = fp16(0), mode = string("constant"),
                        pad = tensor<int32, [8]>([0, 0, 0, 0, 0, 1, 0, 1]), x = x);
                    tensor<fp16, [1, 8, 4, 4]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([2, 2]), weight = w, x = p);
                } -> (y);
            """),
            flags=("p",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 8, 8]> x) {
                    tensor<fp16, [8, 4, 3, 3]> w = const()[val = tensor<fp16, [8, 4, 3, 3]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 8, 4, 4]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 1, 0, 1]), pad_type = string("custom"),
                        strides = tensor<int32, [2]>([2, 2]), weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                class Downsample(nn.Module):
                    def forward(self, x):
                        return self.conv(nn.functional.pad(x, (0, 1, 0, 1)))
            """),
            pattern="pad_asym_conv_ios18",
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag zero padding of spatial axes that a convolution alone sees and can take over."""
        border = _border(operation)
        convolution = sole_user(operation, graph, "conv")
        if border is None or convolution is None or not _takes(convolution, operation.outputs[0], border):
            return
        yield self.finding(
            operation,
            f"zeros padded by {', '.join(map(str, border))} before a convolution that could pad by itself",
            related=(convolution,),
            pad=list(border),
        )


def _border(pad: Node) -> tuple[int, ...] | None:
    """How much is padded before and after each spatial axis; `None` where anything else is padded, or not with zeros."""
    tensor, amounts = pad.tensor("x"), pad.constant("pad")
    mode = pad.scalar("mode") if pad.operand("mode") else "constant"
    value = number(pad.operand("constant_val")) if pad.operand("constant_val") else 0
    if tensor is None or not amounts or mode != "constant" or value != 0:
        return None
    widths = tuple(int(amount) for amount in amounts)
    every = (0,) * (2 * tensor.rank - len(widths)) + widths  # the last axes are padded; the first need not be named
    if tensor.rank < 3 or len(every) != 2 * tensor.rank or any(every[:4]) or not any(every) or min(every) < 0:
        return None
    return every[4:]


def _takes(convolution: Node, padded: Operand, border: tuple[int, ...]) -> bool:
    """Whether a convolution can read zeros beyond the edge of what is `padded`, in widths below its kernel's."""
    kind = convolution.scalar("pad_type") if convolution.operand("pad_type") else "valid"
    weight = convolution.tensor("weight")
    if kind not in {"valid", "custom"} or weight is None or convolution.operand("x") is not padded:
        return False
    taps = weight.shape[2:]
    dilations = convolution.constant("dilations") or (1,) * len(taps)
    if 2 * len(taps) != len(border) or len(dilations) != len(taps):
        return False
    reach = [int(step) * (size - 1) if size else 0 for size, step in zip(taps, dilations, strict=True)]
    return all(width <= reach[side // 2] for side, width in enumerate(border))
