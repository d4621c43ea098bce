"""ANE706: layers that the engine's compiler is said to refuse while a size is open."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Citation, Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.graph import Node
from anecheck.mil.model import Feature, Flexibility, Interface
from anecheck.mil.pattern import axes
from anecheck_rules.shapes.flexible_inputs import flexible

POOLS = frozenset({"max_pool", "avg_pool", "l2_pool"})
TYPES = (
    *("conv", *sorted(POOLS), "reduce_max", "reduce_min"),
    *("space_to_depth", "pixel_unshuffle", "layer_norm"),
    *("random_bernoulli", "random_categorical", "random_normal", "random_uniform"),
)
STRINGS = (cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),)
LAYER_NORM = (cite("ct1909", Confidence.COMMUNITY),)


class OpenShapeLayer(ModelRule):
    """A layer that the engine's compiler is said to refuse where a size is open.

    ## Why it leaves the engine
    A model with enumerated shapes goes to the engine's compiler with its sizes open (`?`). The compiler has a list of what
    it does not take then, though it takes it with fixed sizes; its messages were read out of the program on an M2:

    - convolutions with a stride above 2, and "same" padding with any stride above 1;
    - pooling with "same" padding and a stride above 1, or with `ceil_mode`; maximum or minimum over a whole picture;
    - `space_to_depth`, random numbers, and very large kernels (how large is not known, so kernels are not judged here).

    In 2023, `layer_norm` was reported to keep models with enumerated shapes from the engine.

    ## Instead
    - Fix the shape, or make a function for each size in one package (iOS 18): the restriction is gone.
    - Strides and pads: write the padding out ("custom", the same for all sizes where they are all even), and a stride of
      4 as a convolution with stride 2 and one more layer.
    - Replace `layer_norm` by mean, subtraction, square, mean, `rsqrt` and multiplication.

    ## Known exceptions
    Nobody published a placement report of a model with enumerated shapes, and `layer_norm` may have been mended since
    2023. So this is a hint, and prediction does not count these layers as lost.
    """

    code = "ANE706"
    name = "open-shape-layer"
    severity = Severity.INFO
    rewrite = "fix the shape or make one function per size, or write padding and stride out"
    evidence = (*STRINGS, *LAYER_NORM)
    covers = ("DY06", "DY08")
    limits = ("open-shape-stride",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 3, ?, ?]> x) {
                    tensor<fp16, [1, 8, ?, ?]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([4, 4]), weight = tensor<fp16, [8, 3, 4, 4]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64))), x = x);
                } -> (y);
            """),
            flags=("y",),
            interface=Interface(
                (
                    Feature(
                        "x",
                        "multiarray",
                        "float16",
                        (1, 3, 32, 32),
                        flexibility=Flexibility("enumerated", (1, 3, 32, 32), shapes=((1, 3, 32, 32), (1, 3, 64, 64))),
                    ),
                )
            ),
            also=("ANE705",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 3, 32, 32]> x) {
                    tensor<fp16, [1, 8, 8, 8]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([4, 4]), weight = tensor<fp16, [8, 3, 4, 4]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64))), x = x);
                } -> (y);
            """),
            equal=False,
            reason="redesign: a function for each size; this is the one of the first",
            pytorch_before=pytorch("""
                patches = torch.nn.Conv2d(3, 8, kernel_size=4, stride=4)
                shapes = ct.EnumeratedShapes([(1, 3, 32, 32), (1, 3, 64, 64)])
                ct.convert(torch.jit.trace(patches, example), inputs=[ct.TensorType(shape=shapes)])
            """),
            pytorch_after=pytorch("""
                patches = torch.nn.Conv2d(3, 8, kernel_size=4, stride=4)
                ct.convert(torch.jit.trace(patches, example), inputs=[ct.TensorType(shape=(1, 3, 32, 32))])
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each kind of layer once in each function that has enumerated inputs."""
        limit = context.limit("open-shape-stride")
        most = limit.value if limit else math.inf
        for function in context.functions:
            if not flexible(context, function, "enumerated"):
                continue
            found: dict[str, list[Node]] = {}
            for node in (node for kind in TYPES for node in function.graph.by_type.get(kind, ())):
                problem = _problem(node, most) if _is_open(node) else ""
                if problem:
                    found.setdefault(problem, []).append(node)
            for problem, nodes in found.items():
                more = f" ({len(nodes)} of them)" if len(nodes) > 1 else ""
                yield self.finding(
                    f"{problem} where a size is open{more}",
                    node=nodes[0],
                    function=function,
                    evidence=_evidence(nodes[0]),
                    count=len(nodes),
                )


def _is_open(node: Node) -> bool:
    return any(not tensor.is_static for tensor in node.running_tensors)


def _evidence(node: Node) -> tuple[Citation, ...]:
    return LAYER_NORM if node.type == "layer_norm" else STRINGS


def _problem(node: Node, most: float) -> str:
    """What is wrong with a layer that sees an open size; empty where nothing is. `most` is the longest stride."""
    if node.type == "conv" or node.type in POOLS:
        return _window(node, most)
    if node.type in {"reduce_max", "reduce_min"}:
        tensor, reduced = node.tensor("x"), axes(node)
        whole = tensor is not None and tensor.rank >= 3 and set(reduced or ()) >= {tensor.rank - 2, tensor.rank - 1}
        return f"{node.type} over the whole picture" if whole else ""
    return node.type


def _window(node: Node, most: float) -> str:
    """What is wrong with the stride or the padding of a window that slides."""
    stride = max((int(step) for step in node.constant("strides") or ()), default=1)
    if stride > 1 and str(node.scalar("pad_type") or "").startswith("same"):
        return f'{node.type} with stride {stride} and "same" padding'
    if node.type == "conv":
        return f"conv with stride {stride}" if stride > most else ""
    return f"{node.type} with ceil_mode" if node.scalar("ceil_mode") is True else ""
