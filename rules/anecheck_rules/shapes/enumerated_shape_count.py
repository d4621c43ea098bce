"""ANE702: more enumerated shapes than the engine is compiled for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.model import Feature, Flexibility, Interface
from anecheck_rules.shapes.flexible_inputs import flexible

WIDTHS = tuple((1, 64, width) for width in range(8, 137))


class EnumeratedShapeCount(ModelRule):
    """An input lists more than 128 shapes.

    ## Why it leaves the engine
    `ct.EnumeratedShapes` names the shapes in advance so that Core ML can prepare for each. Apple documents 128 as the
    most; a model with more was reported to fail or to run without the engine. coremltools counts nothing: the model
    converts and saves.

    ## Instead
    List fewer sizes and pad up to the next: 16 steps of 32 cover a sequence of 512 with at most 31 wasted positions. Pass
    a mask where padding must not count. In two dimensions the combinations add up soon: 12 heights by 12 widths are 144.
    """

    code = "ANE702"
    name = "enumerated-shape-count"
    rewrite = "list at most 128 shapes, in steps, and pad up to the next"
    evidence = (cite("ct-flex", Confidence.DOCUMENTED), cite("ct989", Confidence.COMMUNITY))
    covers = ("DY03",)
    limits = ("enumerated-shapes",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 64, ?]> x) {
                    tensor<fp16, [1, 64, ?]> y = relu(x = x);
                } -> (y);
            """),
            flags=("",),
            interface=Interface(
                (
                    Feature(
                        "x",
                        "multiarray",
                        "float16",
                        (1, 64, 136),
                        flexibility=Flexibility("enumerated", (1, 64, 136), shapes=WIDTHS),
                    ),
                )
            ),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 64, 136]> x) {
                    tensor<fp16, [1, 64, 136]> y = relu(x = x);
                } -> (y);
            """),
            equal=False,
            reason="redesign: one length, to which the app pads; the rest of the result is dropped",
            pytorch_before=pytorch("""
                shapes = ct.EnumeratedShapes([(1, 64, length) for length in range(8, 137)], default=(1, 64, 136))
                ct.convert(traced, inputs=[ct.TensorType(shape=shapes, dtype=np.float16)])
            """),
            pytorch_after=pytorch("""
                ct.convert(traced, inputs=[ct.TensorType(shape=(1, 64, 136), dtype=np.float16)])
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each input that lists too many."""
        limit = context.limit("enumerated-shapes")
        if limit is None:
            return
        for function in context.functions:
            for feature, flexibility in flexible(context, function, "enumerated"):
                count = len(flexibility.shapes)
                if count > limit.value:
                    yield self.finding(
                        f"input '{feature.name}' lists {count} shapes; the engine is used for {limit.value:g} at most",
                        function=function,
                        families=context.families_below("enumerated-shapes", count),
                        input=feature.name,
                        shapes=count,
                    )
