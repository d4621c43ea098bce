"""ANE612: products of quantized activations that are quantized again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import maker, running


class QuantizedProduct(OperationRule):
    """Two quantized activations are multiplied, and the product is quantized again.

    ## Why it goes wrong
    The engine turns `dequantize`, `mul` and `quantize` into one multiplication of integers. On an M5 it used a wrong
    scale for it: large products were cut off, without any message. Gated networks (SwiGLU, squeeze-and-excite) multiply
    activations so, and training with fake quantization puts `quantize` and `dequantize` around the product like around
    everything else. (Calibration with `linear_quantize_activations` leaves `mul` alone.)

        dequantize ─┐                             dequantize ─┐
                    mul ─ quantize ─ dequantize ─             mul ─
        dequantize ─┘  (wrong on M5)              dequantize ─┘  (fp16)

    ## Instead
    Keep multiplications of two activations in fp16: put them into a module of their own and exclude its type from
    quantization. They cost next to nothing; the gain of 8 bits is in convolutions and projections.
    """

    code = "ANE612"
    name = "quantized-product"
    operations = frozenset({"mul"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "leave the product in fp16, out of activation quantization"
    covers = ("QZ11",)
    releases = "iOS 17 and macOS 14 on"
    evidence = (cite("cadam", Confidence.COMMUNITY, "H17"),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 4]> a, tensor<fp16, [1, 4]> b) {
                    tensor<int8, [1, 4]> qa = quantize(input = a, output_dtype = string("int8"), scale = fp16(0.0625));
                    tensor<fp16, [1, 4]> da = dequantize(input = qa, scale = fp16(0.0625));
                    tensor<int8, [1, 4]> qb = quantize(input = b, output_dtype = string("int8"), scale = fp16(0.0625));
                    tensor<fp16, [1, 4]> db = dequantize(input = qb, scale = fp16(0.0625));
                    tensor<fp16, [1, 4]> product = mul(x = da, y = db);
                    tensor<int8, [1, 4]> q = quantize(input = product, output_dtype = string("int8"), scale = fp16(0.5));
                    tensor<fp16, [1, 4]> y = dequantize(input = q, scale = fp16(0.5));
                } -> (y);
            """),
            flags=("product",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 4]> a, tensor<fp16, [1, 4]> b) {
                    tensor<int8, [1, 4]> qa = quantize(input = a, output_dtype = string("int8"), scale = fp16(0.0625));
                    tensor<fp16, [1, 4]> da = dequantize(input = qa, scale = fp16(0.0625));
                    tensor<int8, [1, 4]> qb = quantize(input = b, output_dtype = string("int8"), scale = fp16(0.0625));
                    tensor<fp16, [1, 4]> db = dequantize(input = qb, scale = fp16(0.0625));
                    tensor<fp16, [1, 4]> y = mul(x = da, y = db);
                } -> (y);
            """),
            equal=False,
            reason="redesign: the product keeps 16 bits, so it is no longer rounded to 8",
            pytorch_before=pytorch("""
                class Gated(nn.Module):
                    def forward(self, x):
                        return self.up(x) * torch.sigmoid(self.gate(x))
            """),
            pytorch_after=pytorch("""
                class Product(nn.Module):
                    def forward(self, a, b):
                        return a * b

                class Gated(nn.Module):
                    def forward(self, x):
                        return self.product(self.up(x), torch.sigmoid(self.gate(x)))

                config = LinearQuantizerConfig.from_dict({"global_config": {}, "module_type_configs": {Product: None}})
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag products whose running factors are two, both dequantized, and that are quantized."""
        factors = running(operation)
        if len(factors) != 2 or not all(maker(factor, "dequantize") for factor in factors):
            return
        if any(user.type == "quantize" for user in graph.users(operation)):
            yield self.finding(operation, "a product of two quantized activations is quantized again")
