"""ANE405: weights of a size that streams slowly."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import ClassVar, NamedTuple

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.types import TensorType
from anecheck_rules.memory.values import SHOWN, amount, assessed, counted, on_engine, sizes

NOTCH, WIDTH, CORES = "dma-notch-bytes", "dma-notch-width-bytes", "weight-cores"
HALF = 2
"""The bytes of an fp16 number."""
MATRIX_RANK = 2
WEIGHTS = {"linear": "weight", "conv": "weight", "matmul": "y"}


class Streamed(NamedTuple):
    """A layer with its weight, and the bytes of that for each core."""

    node: Node
    weight: TensorType
    per_core: int


class WeightSizeNotch(ModelRule):
    """Weights have a size for each core that streams at a third of the speed.

    ## Why it costs
    The output channels of a layer are dealt out to 16 cores, each of which reads its share of the weights from memory. On M4 a
    share within 16 KiB of a multiple of 1 MiB came at 17 to 19 GB/s instead of 45 to 60. In fp16 that is, for N output
    channels and D elements contracted, ⌈N / 16⌉ · D · kernel area · 2 bytes: a layer from 4096 to 2048 has just 1 MiB.

    ## Instead
    - Cut the layer in two along the axis that it contracts and add the results: that was measured to cure it.
    - Or choose another width, if the model is still to be trained, or pad it: 16 output channels more are 2 · D bytes more for
      each core, and it takes more than 16 KiB.

    ## Known exceptions
    It costs where a layer waits for its weights: single tokens, small pictures. With long sequences the arithmetic takes
    longer than the reading. Only fp16 weights were measured; compressed ones, groups and products with a batch are not
    looked at. Other chips than M4 have not been measured.
    """

    code = "ANE405"
    name = "weight-size-notch"
    severity = Severity.INFO
    rewrite = "cut the layer in two along the contracted axis and add the results, or change its width"
    evidence = (cite("kasper-pr110", Confidence.MEASURED, "H16"),)
    covers = ("MM03",)
    limits = (NOTCH, WIDTH, CORES)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4096]> x) {
                    tensor<fp16, [2048, 4096]> w = const()[val = tensor<fp16, [2048, 4096]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 2048]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            flags=("",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2048]> x0, tensor<fp16, [1, 2048]> x1) {
                    tensor<fp16, [2048, 2048]> w0 = const()[val = tensor<fp16, [2048, 2048]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [2048, 2048]> w1 = const()[val = tensor<fp16, [2048, 2048]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(8388736)))];
                    tensor<fp16, [1, 2048]> y0 = linear(weight = w0, x = x0);
                    tensor<fp16, [1, 2048]> y1 = linear(weight = w1, x = x1);
                    tensor<fp16, [1, 2048]> y = add(x = y0, y = y1);
                } -> (y);
            """),
            equal=False,
            reason="redesign: the file holds the weights of the two halves, and what comes before makes the halves of the input",
            pytorch_before=pytorch("""
                y = layer(x)
            """),
            pytorch_after=pytorch("""
                first, second = layer.weight.chunk(2, dim=1)
                y = F.linear(x[:, :2048], first, layer.bias) + F.linear(x[:, 2048:], second)
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function with such layers on the engine, once."""
        notch, width, cores = (context.limit(name) for name in self.limits)
        if notch is None or width is None or cores is None:
            return
        for function, assessment in assessed(context):
            layers = [
                layer
                for layer in _layers(function.graph, int(cores.value), notch.value - width.value)
                if _distance(layer.per_core, int(notch.value)) <= width.value
            ]
            placed = set(on_engine(assessment, [layer.node for layer in layers]))
            found = sorted((layer for layer in layers if layer.node in placed), key=lambda layer: -layer.per_core)
            if found:
                first = found[0]
                yield self.finding(
                    f"{counted(len(found), 'layer', 'read')} weights that come slowly, the largest {first.node.name}: "
                    f"{sizes(first.weight)} fp16 are {amount(first.per_core)} for each of {cores.value:g} cores, within "
                    f"{amount(width.value)} of a multiple of {amount(notch.value)}",
                    function=function,
                    related=tuple(layer.node for layer in found[:SHOWN]),
                    families=context.knowledge.families_of(NOTCH),
                    evidence=notch.citations,
                    layers=len(found),
                    largest=[{"layer": layer.node.name, "bytes_per_core": layer.per_core} for layer in found[:SHOWN]],
                )


def _layers(graph: Graph, cores: int, least: float) -> Iterator[Streamed]:
    """Every layer with plain fp16 weights of at least so many bytes."""
    large: dict[int, bool] = {}  # programs that were read share their types
    for kind, parameter in WEIGHTS.items():
        for node in graph.by_type.get(kind, ()):
            operand = node.operand(parameter)
            weight = operand.tensor if operand is not None and operand.value is not None else None
            if weight is None:
                continue
            if id(weight) not in large:
                large[id(weight)] = weight.dtype == "fp16" and (weight.element_count or 0) * HALF >= least
            shares = _channels_and_length(node, weight) if large[id(weight)] else None
            if shares is not None:
                channels, length = shares
                yield Streamed(node, weight, -(-channels // cores) * length * HALF)


def _channels_and_length(node: Node, weight: TensorType) -> tuple[int, int] | None:
    """The output channels of a layer and the elements that it contracts for each; `None` where nobody measured."""
    shape = [size for size in weight.shape if size is not None]
    if node.type == "conv":
        return (shape[0], prod(shape[1:])) if node.scalar("groups") in {None, 1} else None
    if len(shape) != MATRIX_RANK:
        return None
    if node.type == "matmul" and node.scalar("transpose_y") is not True:
        return shape[1], shape[0]
    return shape[0], shape[1]


def _distance(size: int, notch: int) -> int:
    """How far a size is from a multiple of the notch, from the first on."""
    return abs(size - max(round(size / notch), 1) * notch)
