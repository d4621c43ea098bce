"""ANE803: fp32 inputs and outputs around an fp16 program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, GraphContext, Match, ModelRule, mil, pytorch
from anecheck.mil.graph import Node, Operand
from anecheck.mil.model import Feature, Interface
from anecheck.predict.placement import Placement

FIRST_WITH_HALF = 6
"""The operation set (of iOS 16) from which on inputs and outputs may be fp16."""
PICTURE_RANK = 4
PICTURE_CHANNELS = frozenset({1, 3})


class Float32Interface(ModelRule):
    """Large inputs or outputs are fp32, and the program casts them to fp16 and back.

    ## Why it costs
    The engine computes in fp16. An fp32 input is twice the bytes to copy, and a `cast` reads and rewrites all of it on every
    prediction; an fp32 output the same the other way round. Casts between fp16 and fp32 stay on the engine, so nothing falls
    off, but large tensors make them count, most of all between the chunks of a model that is cut in pieces. Small ones are
    left alone: what is flagged takes longer than the limit below by Core ML's own estimate.

    ## Instead
    - Declare `ct.TensorType(dtype=np.float16)` for inputs and outputs (`minimum_deployment_target` iOS 16 or macOS 13 on),
      and hand over `Float16` arrays; between chunks pass the same buffer on.
    - A picture is better an `ct.ImageType` (also one with a single channel, in fp16): the app hands over a pixel buffer that
      the engine reads where it lies, and resizing and colour conversion happen outside.

    ## Known exceptions
    Before iOS 16 there is no fp16 interface, and nothing is flagged. Where the app needs fp32 outputs anyway, converting
    there costs as much as here.
    """

    code = "ANE803"
    name = "float32-interface"
    severity = Severity.INFO
    rewrite = "declare fp16 inputs and outputs (ct.TensorType(dtype=np.float16)), pictures as ct.ImageType"
    evidence = (
        cite("wwdc22", Confidence.DOCUMENTED),
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("smp-notes", Confidence.COMMUNITY, "H13"),
    )
    covers = ("DT06",)
    limits = ("interface-cast-time",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp32, [1, 3, 512, 512]> x) {
                    tensor<fp16, [1, 3, 512, 512]> h = cast(dtype = string("fp16"), x = x);
                    tensor<fp16, [1, 3, 512, 512]> r = relu(x = h);
                    tensor<fp32, [1, 3, 512, 512]> y = cast(dtype = string("fp32"), x = r);
                } -> (y);
            """),
            flags=("",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 3, 512, 512]> x) {
                    tensor<fp16, [1, 3, 512, 512]> y = relu(x = x);
                } -> (y);
            """),
            equal=False,
            reason="redesign: the app hands over fp16 and gets fp16",
            interface=Interface((Feature("x", "multiarray", "fp32", (1, 3, 512, 512)),)),
            pytorch_before=pytorch("""
                ct.convert(traced, inputs=[ct.TensorType("x", shape=(1, 3, 512, 512), dtype=np.float32)])
            """),
            pytorch_after=pytorch("""
                ct.convert(
                    traced,
                    inputs=[ct.TensorType("x", shape=(1, 3, 512, 512), dtype=np.float16)],
                    outputs=[ct.TensorType("y", dtype=np.float16)],
                    minimum_deployment_target=ct.target.iOS16,
                )
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function whose casts at the border take long by Core ML's own estimate."""
        limit = context.limit("interface-cast-time")
        for function, placement in zip(context.functions, context.placements, strict=True):
            if limit is None or function.graph.function.opset_number < FIRST_WITH_HALF:
                continue
            found = list(_border_casts(function, placement))
            time = sum(microseconds for *_, microseconds in found)
            if time < limit.value:
                continue
            names = ", ".join(f"{_named(operand, role, context, function)}" for operand, role, _ in found)
            yield self.finding(
                f"{names} cast at the border, {time / 1000:.2f} ms of a prediction by Core ML's estimate",
                function=function,
                tensors=[operand.name for operand, *_ in found],
                estimated_ms=time / 1000,
            )


def _border_casts(function: GraphContext, placement: Placement) -> Iterator[tuple[Operand, str, float]]:
    """The fp32 inputs and outputs that are cast, with the cast's estimated microseconds on the engine."""
    graph = function.graph
    found: dict[Node, tuple[Operand, str]] = {}
    for node in graph.by_type.get("cast", ()):
        source, result = node.operand("x"), node.outputs[0]
        if source in graph.inputs and source is not None and _converts(node, "fp32", "fp16"):
            found[node] = source, "input"
        elif graph.is_output(result) and _converts(node, "fp16", "fp32"):
            found[node] = result, "output"
    if found:
        for placed in placement.operations:
            if placed.node in found:
                yield *found[placed.node], placed.estimate.ane


def _converts(node: Node, source: str, target: str) -> bool:
    given, made = node.tensor("x"), node.outputs[0].tensor
    return given is not None and made is not None and (given.dtype, made.dtype) == (source, target)


def _named(operand: Operand, role: str, context: Context, function: GraphContext) -> str:
    text = f"{role} '{operand.name}' ({operand.tensor})"
    interface, tensor = context.model.interface(function.label), operand.tensor
    declared = {feature.name: feature.type for feature in interface.inputs} if interface else {}
    looks = tensor is not None and tensor.rank == PICTURE_RANK and tensor.shape[1] in PICTURE_CHANNELS
    return f"{text}, which could be an image," if looks and declared.get(operand.name) == "multiarray" else text
