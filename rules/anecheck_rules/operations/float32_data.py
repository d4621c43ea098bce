"""ANE105: computing in fp32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.types import TensorType
from anecheck_rules.forms.float32_paths import comes_from_inputs, computes_in_float32


class Float32Data(OperationRule):
    """An operation computes in fp32.

    ## Why it leaves the engine
    The engine computes in fp16. An ML Program types every value, and an operation typed fp32 may only run where fp32 is
    kept: on the CPU or the GPU. Casts between fp16 and fp32 are no problem by themselves; inputs and outputs of type fp32
    get one each.

    ## Instead
    Convert with `compute_precision=ct.precision.FLOAT16` (the default for ML Programs). If a part overflows in fp16, scale
    it by a power of two instead of computing it in fp32. If only some operations must stay precise, put them at the
    beginning or the end, so that the engine keeps one piece.

    The `scale` and `bias` of `ct.ImageType` become a `mul` and an `add` on the fp32 picture. Normalise in the first layer
    of the model instead: there it is fp16, or disappears into the weights of the first convolution.

    ## Contradictions
    Apple's notes on Core AI have `silu` become an fp32 swish between two casts, and advise to write `x · sigmoid(x)`. In
    Core ML `silu` in fp16 is one operation that M4's plan lists for the engine, so only one that is typed fp32 is flagged.
    """

    code = "ANE105"
    name = "float32-data"
    defers = True
    rewrite = "convert with compute_precision=FLOAT16; normalise pictures inside the model, not by ct.ImageType"
    evidence = (cite("ct-typed", Confidence.DOCUMENTED), cite("apple-coreai", Confidence.DOCUMENTED))
    covers = ("DT04", "DT07", "DT08")
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp32, [1, 64]> x) {
                    tensor<fp32, [1, 64]> y = sigmoid(x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp32, [1, 64]> x) {
                    tensor<fp16, [1, 64]> h = cast(dtype = string("fp16"), x = x);
                    tensor<fp16, [1, 64]> s = sigmoid(x = h);
                    tensor<fp32, [1, 64]> y = cast(dtype = string("fp32"), x = s);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                ct.convert(model, compute_precision=ct.precision.FLOAT32)
            """),
            pytorch_after=pytorch("""
                ct.convert(model, compute_precision=ct.precision.FLOAT16)
            """),
        ),
    )

    def concerns_tensor(self, tensor: TensorType, context: Context) -> bool:
        """Only fp32."""
        return tensor.dtype == "fp32"

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag run-time operands and results of type fp32."""
        if not computes_in_float32(operation):
            return
        if comes_from_inputs(operation):
            yield self.finding(operation, "computes in fp32 on an input, before it is cast to fp16", on_input=True)
        else:
            yield self.finding(operation, "computes in fp32")
