"""ANE406: convolutions with more weights for an output channel than the engine keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.graph import Node
from anecheck.predict.assess import Assessment
from anecheck_rules.memory.values import SHOWN, amount, assessed, counted, on_engine, sizes

LIMIT = "kernel-memory-bytes"
BYTES_AT_MOST = 4
"""The bytes of the largest elements that weights have."""


class KernelMemory(ModelRule):
    """Convolutions have more weights for each output channel than the engine keeps.

    ## Why it costs
    The engine keeps 64 KiB of weights while it computes with them, those of an output channel. What has more is streamed from
    memory again and again while the picture passes. In fp16 that is 32,768 numbers: a kernel of 3 × 3 over 3,641 channels, or
    one of 15 × 15 over 146.

    ## Instead
    Smaller kernels one after another, groups or fewer channels, or two convolutions over a half of the channels each, added.
    Where the values leave it open, weights in 8 bits or palettes take less.

    ## Known exceptions
    It was read in the compiler's tables; nobody published what it costs. Compressed weights are counted as stored where the
    engine reads them so, although nothing says that they are kept like that.
    """

    code = "ANE406"
    name = "kernel-memory"
    severity = Severity.INFO
    rewrite = "smaller kernels, groups, or two convolutions over half of the channels each, added"
    evidence = (
        cite("guide-a", Confidence.REVERSE_ENGINEERED),
        cite("751k-hal", Confidence.REVERSE_ENGINEERED),
    )
    covers = ("MM02",)
    limits = (LIMIT,)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4096, 16, 32]> x) {
                    tensor<fp16, [16, 4096, 3, 3]> w = const()[val = tensor<fp16, [16, 4096, 3, 3]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 16, 14, 30]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            flags=("",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2048, 16, 32]> x0, tensor<fp16, [1, 2048, 16, 32]> x1) {
                    tensor<fp16, [16, 2048, 3, 3]> w0 = const()[val = tensor<fp16, [16, 2048, 3, 3]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [16, 2048, 3, 3]> w1 = const()[val = tensor<fp16, [16, 2048, 3, 3]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(589952)))];
                    tensor<fp16, [1, 16, 14, 30]> y0 = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w0, x = x0);
                    tensor<fp16, [1, 16, 14, 30]> y1 = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w1, x = x1);
                    tensor<fp16, [1, 16, 14, 30]> y = add(x = y0, y = y1);
                } -> (y);
            """),
            equal=False,
            reason="redesign: the file holds the weights of the two halves, and what comes before makes the halves of the input",
            also=("ANE401",),
            pytorch_before=pytorch("""
                y = nn.Conv2d(4096, 16, kernel_size=3, bias=False)(x)
            """),
            pytorch_after=pytorch("""
                halves = [nn.Conv2d(2048, 16, kernel_size=3, bias=False) for _ in range(2)]
                y = halves[0](x[:, :2048]) + halves[1](x[:, 2048:])
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function with such convolutions on the engine, once."""
        limit = context.limit(LIMIT)
        for function, assessment in assessed(context) if limit is not None else ():
            if limit is None:
                continue
            large = [
                node for node in function.graph.by_type.get("conv", ()) if _elements(node) * BYTES_AT_MOST > limit.value
            ]
            found = [
                (size, node)
                for node in on_engine(assessment, large)
                if (size := _bytes(node, assessment)) > limit.value
            ]
            if found:
                found.sort(key=lambda pair: -pair[0])
                size, node = found[0]
                weight = node.tensor("weight")
                yield self.finding(
                    f"{counted(len(found), 'convolution', 'stream')} the weights again and again, the largest {node.name}: "
                    f"{amount(size)} for each output channel (weights {sizes(weight) if weight else ''}), more than "
                    f"{amount(limit.value)}",
                    function=function,
                    related=tuple(node for _, node in found[:SHOWN]),
                    families=context.knowledge.families_of(LIMIT),
                    evidence=limit.citations,
                    convolutions=len(found),
                    largest=[
                        {"convolution": node.name, "bytes_per_channel": int(size)} for size, node in found[:SHOWN]
                    ],
                )


def _elements(node: Node) -> float:
    """How many weights an output channel has; 0 where they are computed."""
    operand = node.operand("weight")
    weight = operand.tensor if operand is not None and operand.is_constant else None
    return (weight.element_count or 0) / max(weight.shape[0] or 1, 1) if weight is not None and weight.shape else 0.0


def _bytes(node: Node, assessment: Assessment) -> float:
    """The bytes of an output channel's weights, as the target reads them; the bias is the smaller of the two."""
    kernel, found = node.tensor("weight"), assessment.weights.of_node.get(node, ())
    if kernel is None or not found:
        return 0.0
    return max(found, key=lambda weight: weight.dense).read(assessment.streams) / max(kernel.shape[0] or 1, 1)
