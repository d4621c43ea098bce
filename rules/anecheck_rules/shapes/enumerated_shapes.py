"""ANE705: enumerated shapes, of which the default may be the only one on the engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.model import Feature, Flexibility, Interface
from anecheck_rules.shapes.flexible_inputs import flexible, joined, spelt


class EnumeratedShapes(ModelRule):
    """An input lists shapes; the default one is the one that the engine is sure to run.

    ## What it means
    With `ct.EnumeratedShapes` a model can run on the engine, in up to 128 shapes, says Apple's guide. A measurement found
    the engine used for the default shape, and for 2 % of a model when it was called with others, on macOS 14 and 15.

    ## Instead
    - Make the shape that is used most the default (`ct.EnumeratedShapes(shapes, default=…)`; it is the first otherwise).
    - From iOS 17.4 and macOS 14.4 on, set `optimizationHints.reshapeFrequency = .infrequent` when loading the model: Core
      ML then compiles for each shape that it meets.
    - Time every shape on a device. If others are slow, make one function for each in one package (iOS 18), or pad to one.

    ## Contradictions
    Apple's guide promises the engine for enumerated shapes as long as no operation becomes dynamic; issue 2370 measured
    otherwise. Neither names the model that the other looked at, so this is a hint and prediction assumes the default
    shape.
    """

    code = "ANE705"
    name = "enumerated-shapes"
    severity = Severity.INFO
    rewrite = "make the commonest shape the default, set reshapeFrequency = .infrequent, and time the others"
    evidence = (cite("ct-flex", Confidence.DOCUMENTED), cite("ct2370", Confidence.COMMUNITY))
    covers = ("DY02",)
    limits = ("enumerated-shapes",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 3, ?, ?]> x) {
                    tensor<fp16, [1, 8, ?, ?]> features = conv(dilations = tensor<int32, [2]>([1, 1]),
                        groups = int32(1), pad = tensor<int32, [4]>([1, 1, 1, 1]), pad_type = string("custom"),
                        strides = tensor<int32, [2]>([1, 1]), weight = tensor<fp16, [8, 3, 3, 3]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64))), x = x);
                    tensor<fp16, [1, 8, ?, ?]> y = relu(x = features);
                } -> (y);
            """),
            flags=("",),
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
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 3, 32, 32]> x) {
                    tensor<fp16, [1, 8, 32, 32]> features = conv(dilations = tensor<int32, [2]>([1, 1]),
                        groups = int32(1), pad = tensor<int32, [4]>([1, 1, 1, 1]), pad_type = string("custom"),
                        strides = tensor<int32, [2]>([1, 1]), weight = tensor<fp16, [8, 3, 3, 3]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64))), x = x);
                    tensor<fp16, [1, 8, 32, 32]> y = relu(x = features);
                } -> (y);
            """),
            equal=False,
            reason="redesign: a function for each size; this is the one of the first",
            pytorch_before=pytorch("""
                shapes = ct.EnumeratedShapes([(1, 3, 32, 32), (1, 3, 64, 64)], default=(1, 3, 32, 32))
                ct.convert(traced, inputs=[ct.TensorType(shape=shapes, dtype=np.float16)])
            """),
            pytorch_after=pytorch("""
                sizes = ct.utils.MultiFunctionDescriptor()
                for size in (32, 64):
                    inputs = [ct.TensorType(shape=(1, 3, size, size), dtype=np.float16)]
                    ct.convert(traced, inputs=inputs).save(f"{size}.mlpackage")
                    sizes.add_function(f"{size}.mlpackage", "main", f"size_{size}")
                sizes.default_function_name = "size_32"
                ct.utils.save_multifunction(sizes, "sizes.mlpackage")
            """),
            pattern="dyn_enumerated_ios18",
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function once, unless it lists too many shapes to use the engine at all."""
        limit = context.limit("enumerated-shapes")
        for function in context.functions:
            listed = flexible(context, function, "enumerated")
            if not listed or (limit and any(len(flexibility.shapes) > limit.value for _, flexibility in listed)):
                continue
            inputs = joined(
                f"{spelt(flexibility.default)}, the default of {len(flexibility.shapes)} shapes of input '{feature.name}'"
                for feature, flexibility in listed
            )
            yield self.finding(
                f"the engine is sure to run only {inputs}",
                function=function,
                inputs=[feature.name for feature, _ in listed],
            )
