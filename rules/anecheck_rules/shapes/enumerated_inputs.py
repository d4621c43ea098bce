"""ANE703: several enumerated inputs that do not go together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, GraphContext, Match, ModelRule, mil, pytorch
from anecheck.mil.model import Feature, Flexibility, Interface
from anecheck_rules.shapes.flexible_inputs import flexible, joined

SEVERAL_INPUTS = 8
"""The operation set (that of iOS 18) from which on coremltools accepts several enumerated inputs."""


class EnumeratedInputs(ModelRule):
    """Several inputs list shapes where one may, or lists of different length.

    ## Why it goes wrong
    Before iOS 18 and macOS 15 one input of a model may have `ct.EnumeratedShapes`; with two, models failed or were not
    taken by the engine. For deployment targets from there on several may, but their lists belong together, the third
    shape of one input with the third of the other, so all lists have the same length; that is why coremltools lets a
    shape stand in a list twice there. coremltools 9 refuses to convert what breaks either rule; models from older
    versions, models whose description was edited, and a default shape that is not in the list can still do it.

    ## Instead
    - Derive one input from the other inside the model, or give the second a fixed shape: a mask as long as the longest
      sequence, of which the model uses the part that it needs.
    - Convert for iOS 18, with one list for each input and the shapes in the same order. Repeat a shape where one input
      changes and the other does not.
    - Make one function for each combination, all in one package (iOS 18), or one model for each.
    """

    code = "ANE703"
    name = "enumerated-inputs"
    rewrite = "enumerate one input and fix the others, or from iOS 18 on give all lists the same length"
    evidence = (
        cite("coremltools-9", Confidence.DOCUMENTED),
        cite("smp-notes", Confidence.COMMUNITY),
        cite("ct2271", Confidence.COMMUNITY),
    )
    covers = ("DY05",)
    releases = "two enumerated inputs: before iOS 18 and macOS 15; lists of different length: all"
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 64, ?]> a, tensor<fp16, [1, 64, ?]> b) {
                    tensor<fp16, [1, 64, ?]> y = add(x = a, y = b);
                } -> (y);
            """),
            flags=("",),
            interface=Interface(
                tuple(
                    Feature(
                        name,
                        "multiarray",
                        "float16",
                        (1, 64, 128),
                        flexibility=Flexibility("enumerated", (1, 64, 128), shapes=((1, 64, 64), (1, 64, 128))),
                    )
                    for name in ("a", "b")
                )
            ),
            also=("ANE705",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 64, 128]> a, tensor<fp16, [1, 64, 128]> b) {
                    tensor<fp16, [1, 64, 128]> y = add(x = a, y = b);
                } -> (y);
            """),
            equal=False,
            reason="redesign: one length, to which the app pads both; the rest of the result is dropped",
            pytorch_before=pytorch("""
                shapes = ct.EnumeratedShapes([(1, 64, 64), (1, 64, 128)], default=(1, 64, 128))
                ct.convert(traced, inputs=[ct.TensorType("a", shapes), ct.TensorType("b", shapes)])
            """),
            pytorch_after=pytorch("""
                ct.convert(traced, inputs=[ct.TensorType("a", (1, 64, 128)), ct.TensorType("b", (1, 64, 128))])
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function, once."""
        for function in context.functions:
            listed = flexible(context, function, "enumerated")
            problem = _problem(function, listed) if len(listed) > 1 else ""
            if problem:
                yield self.finding(problem, function=function, inputs=[feature.name for feature, _ in listed])


def _problem(function: GraphContext, listed: tuple[tuple[Feature, Flexibility], ...]) -> str:
    names = joined(f"'{feature.name}'" for feature, _ in listed)
    if 0 < function.graph.function.opset_number < SEVERAL_INPUTS:
        return f"inputs {names} all list shapes; before iOS 18 one input may"
    counts = [len(flexibility.shapes) for _, flexibility in listed]
    if len(set(counts)) > 1:
        return f"inputs {names} list {joined(map(str, counts))} shapes; the lists must be equally long"
    return ""
