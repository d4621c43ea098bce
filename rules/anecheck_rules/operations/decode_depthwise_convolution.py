"""ANE131: depthwise convolutions over the last few positions of a decoder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import FAMILIES, Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class DecodeDepthwiseConvolution(OperationRule):
    """A decoder convolves each of its many channels over a few positions to get a single one.

    ## Why it leaves the engine
    Decoders with short convolutions (LFM2 is one) keep the last k − 1 positions as a state, and each step
    convolves [1, C, 1, k] with a depthwise kernel of 1 × k. In LFM2 (1024 channels, 3 taps) the compute plan of an iPhone 17
    Pro put all ten of these layers on the CPU, in a model of which 98 % stayed on the engine. Each is a way out and back of
    about 5 ms: 50 ms for a token, and on a Mac the CPU alone was faster by 30 %.

    ## Instead
    A convolution that gives one position is a product and a sum, which the engine has:

        x [1, C, 1, k] → conv (groups = C, 1 × k) → [1, C, 1, 1]

        x [1, C, 1, k] → mul (weights as [1, C, 1, k]) → reduce_sum (last axis) → [1, C, 1, 1]

    The numbers differ by rounding. Do not widen the kernel with taps of zero instead: that was tried, and the additional
    rounding ruined what the model wrote.

    ## Known exceptions
    Ordinary depthwise layers, over many positions or in two dimensions, run on the engine.

    ## Contradictions
    M4's compute plan keeps a depthwise convolution of 64 channels and 3 × 3 taps over a picture on the engine, so it is the
    form that matters. The report is of one model, measured on A19; on other families this is a note, and blocks nothing.
    """

    code = "ANE131"
    name = "decode-depthwise-convolution"
    operations = frozenset({"conv"})
    rewrite = "multiply the window by the weights and sum over the last axis"
    evidence = (cite("john", Confidence.MEASURED, "H18"),)
    covers = ("OP28",)
    limits = ("decode-depthwise-groups",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1024, 1, 3]> x) {
                    tensor<fp16, [1024, 1, 1, 3]> w = const()[val = tensor<fp16, [1024, 1, 1, 3]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 1024, 1, 1]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1024),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1024, 1, 3]> x) {
                    tensor<fp16, [1, 1024, 1, 3]> w = const()[val = tensor<fp16, [1, 1024, 1, 3]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 1024, 1, 3]> products = mul(x = x, y = w);
                    tensor<fp16, [1, 1024, 1, 1]> y = reduce_sum(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = products);
                } -> (y);
            """),
            target="a19",
            pytorch_before=pytorch("""
                class ShortConvolution(torch.nn.Module):
                    def __init__(self, channels=1024, taps=3):
                        super().__init__()
                        self.conv = torch.nn.Conv2d(channels, channels, (1, taps), groups=channels, bias=False)

                    def forward(self, window):  # [1, channels, 1, taps]: the state and the new position
                        return self.conv(window)
            """),
            pytorch_after=pytorch("""
                class ShortConvolution(torch.nn.Module):
                    def __init__(self, conv):
                        super().__init__()
                        self.register_buffer("weight", conv.weight.detach().reshape(1, -1, 1, conv.kernel_size[1]))

                    def forward(self, window):
                        return (window * self.weight).sum(dim=-1, keepdim=True)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag depthwise kernels of one row that make one position of many channels."""
        weight, output = operation.operand("weight"), operation.outputs[0].tensor
        groups, limit = operation.scalar("groups"), context.limit("decode-depthwise-groups")
        if weight is None or not weight.is_constant or weight.tensor is None or output is None or limit is None:
            return
        shape = weight.tensor.shape
        if len(shape) not in {3, 4} or not isinstance(groups, int) or groups < limit.value or shape[1] != 1:
            return
        taps, one_row = shape[-1], all(size == 1 for size in shape[2:-1])
        if taps is None or taps == 1 or not one_row or any(size != 1 for size in output.shape[2:]):
            return
        measured = limit.confidence is Confidence.MEASURED
        yield self.finding(
            operation,
            f"{groups:,} channels convolved over {taps} positions to make one",
            families=tuple(f for f in FAMILIES if context.knowledge.limit("decode-depthwise-groups", f) is not None),
            blocks=measured,
            severity=None if measured else Severity.INFO,
            groups=groups,
            taps=taps,
        )
