"""ANE704: batch sizes among the enumerated shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.model import Feature, Flexibility, Interface
from anecheck_rules.shapes.flexible_inputs import flexible, joined


class EnumeratedBatch(ModelRule):
    """The enumerated shapes of an input differ in the batch axis.

    ## Why it goes wrong
    A model converted with several batch sizes in `ct.EnumeratedShapes` was reported to give the results of a smaller
    batch than it was handed: the batch collapses, and nothing says so. One report, with coremltools 8 and 9; nobody
    published which releases of the systems do it, so this is a hint: compare every size with the original once.

    ## Instead
    - Convert a function for each batch size (from iOS 18 on one package holds them and shares the weights).
    - Fix the largest batch and pad the last one.
    - Hand over batches with `MLModel.predictions(fromBatch:)`, which takes many inputs of batch 1.
    """

    code = "ANE704"
    name = "enumerated-batch"
    severity = Severity.INFO
    rewrite = "make one function per batch size, or fix the largest and pad"
    evidence = (cite("ct2730", Confidence.COMMUNITY),)
    covers = ("DY07",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [?, 64]> x) {
                    tensor<fp16, [?, 32]> y = linear(bias = tensor<fp16, [32]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64))),
                        weight = tensor<fp16, [32, 64]>(BLOBFILE(path = string("@model_path/weights/weight.bin"),
                        offset = uint64(192))), x = x);
                } -> (y);
            """),
            flags=("",),
            interface=Interface(
                (
                    Feature(
                        "x",
                        "multiarray",
                        "float16",
                        (4, 64),
                        flexibility=Flexibility("enumerated", (4, 64), shapes=((1, 64), (4, 64))),
                    ),
                )
            ),
            also=("ANE705",),
            after=mil("""
                func main<ios18>(tensor<fp16, [4, 64]> x) {
                    tensor<fp16, [4, 32]> y = linear(bias = tensor<fp16, [32]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64))),
                        weight = tensor<fp16, [32, 64]>(BLOBFILE(path = string("@model_path/weights/weight.bin"),
                        offset = uint64(192))), x = x);
                } -> (y);
            """),
            equal=False,
            reason="redesign: one batch size, which the app fills up",
            pytorch_before=pytorch("""
                shapes = ct.EnumeratedShapes([(1, 64), (4, 64)], default=(4, 64))
                ct.convert(traced, inputs=[ct.TensorType(shape=shapes, dtype=np.float16)])
            """),
            pytorch_after=pytorch("""
                ct.convert(traced, inputs=[ct.TensorType(shape=(4, 64), dtype=np.float16)])
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each input of rank 2 or higher whose shapes begin with different sizes."""
        for function in context.functions:
            for feature, flexibility in flexible(context, function, "enumerated"):
                batches = sorted({shape[0] for shape in flexibility.shapes if len(shape) > 1})
                if feature.type != "image" and len(batches) > 1:
                    yield self.finding(
                        f"input '{feature.name}' lists the batch sizes {joined(map(str, batches))}",
                        function=function,
                        input=feature.name,
                        batches=batches,
                    )
