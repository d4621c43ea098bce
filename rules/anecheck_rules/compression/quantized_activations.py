"""ANE611: activations quantized for engines that may refuse it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import FAMILIES, Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch

TYPES = ("quantize", "dequantize")


class QuantizedActivations(ModelRule):
    """Activations are quantized to 8 bits on an engine that is not known to take it.

    ## Why it goes wrong
    8-bit weights with 8-bit activations are what A17 Pro, M4 and newer engines compute faster than fp16, up to twice as
    fast. On older chips the engine's compiler refused a model with `quantize` and `dequantize`, and then the whole model
    runs elsewhere. The one report does not say which chips; Apple's own figures begin with A16, so this speaks of A15, M2
    and older.

    | ResNet-50, ms | fp16 | 8-bit weights | 8-bit weights and activations |
    |---|---|---|---|
    | A16 (iPhone 14 Pro) | 1.52 | 1.49 | 0.94 |
    | A17 Pro (iPhone 15 Pro) | 1.38 | 1.50 | 0.77 |

    ## Instead
    - Ship a second model for older chips, in which weights alone are compressed; it needs no calibration data.
    - On new chips measure both: the gain is with deep layers of large convolutions, and chains of 1 × 1 convolutions lost.
    """

    code = "ANE611"
    name = "quantized-activations"
    severity = Severity.INFO
    rewrite = "quantize weights alone for chips before A16 and M3"
    covers = ("QZ10",)
    releases = "iOS 17 and macOS 14 on"
    evidence = (
        cite("john", Confidence.COMMUNITY),
        cite("ct-quantization-perf", Confidence.DOCUMENTED, "H15", "H16"),
        cite("751k-defects", Confidence.MEASURED, "H16"),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 4]> x) {
                    tensor<int8, [1, 4]> q = quantize(input = x, output_dtype = string("int8"), scale = fp16(0.0625));
                    tensor<fp16, [1, 4]> xq = dequantize(input = q, scale = fp16(0.0625));
                    tensor<fp16, [2, 4]> w = const()[val = tensor<fp16, [2, 4]>([[1, -2, 3, 4], [5, 6, -7, 2]])];
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = xq);
                } -> (y);
            """),
            flags=("",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [2, 4]> w = const()[val = tensor<fp16, [2, 4]>([[1, -2, 3, 4], [5, 6, -7, 2]])];
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            equal=False,
            reason="redesign: activations keep 16 bits, so they are no longer rounded to 8",
            target="m1",
            pytorch_before=pytorch("""
                activations = cto.OpLinearQuantizerConfig(mode="linear_symmetric")
                config = cto.OptimizationConfig(global_config=activations)
                model = cto.linear_quantize_activations(model, config, samples)
                model = cto.linear_quantize_weights(model, weights)
            """),
            pytorch_after=pytorch("""
                model = cto.linear_quantize_weights(model, weights)
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function with such operations, once, where nobody saw the engine take them."""
        verdict = context.verdict("quantize")
        if verdict is None or verdict.status != "unknown":
            return
        rows = ((family, context.knowledge.engine_verdict("quantize", family)) for family in FAMILIES)
        families = tuple(family for family, row in rows if row is not None and row.status == "unknown")
        for function in context.functions:
            count = sum(
                not (operand := node.operand("input")) or not operand.is_constant
                for kind in TYPES
                for node in function.graph.by_type.get(kind, ())
            )
            if count:
                yield self.finding(
                    f"{count} operation{'s' if count > 1 else ''} quantize{'' if count > 1 else 's'} activations or back",
                    function=function,
                    families=families,
                    operations=count,
                )
