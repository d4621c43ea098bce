"""ANE609: kernels computed at run time from compressed weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.compression.stored_weights import KERNELS, PALETTES, SCALED, uses

ARITHMETIC = frozenset(
    {"add", "cast", "concat", "expand_dims", "mul", "real_div", "reshape", "squeeze", "sub", "transpose"}
)
"""What people do to a weight while the model runs."""

STEPS = 3
"""How many operations may stand between a compressed weight and the convolution."""


class ComputedKernel(OperationRule):
    """A convolution's kernel is computed from a compressed weight while the model runs.

    ## Why it leaves the engine
    The engine takes kernels that are compressed, and (on M4, where it was measured) kernels that other operations compute,
    but according to its compiler's messages none that is both ("mutable kernels are not supported with kernel
    quantization"). And the compression is lost: the kernel is expanded to fp16, computed, written and read again in every
    prediction. Weight normalisation, spectral normalisation, adapters (`W + A @ B`) and modulated convolutions look so
    after `palettize_weights` or `linear_quantize_weights`, which take every constant they find.

        weight (compressed) ─ mul(s) ─┐                      weight (compressed) ─┐
                              x ─ conv(weight) ─                          x ─ conv ─ mul(s) ─

    ## Instead
    A convolution is linear in its kernel. Factors of output channels move behind it, factors of input channels before it,
    and sums become two convolutions. Normalisations of constant weights are computed before conversion
    (`torch.nn.utils.parametrize.remove_parametrizations`). Else leave this weight uncompressed.
    """

    code = "ANE609"
    name = "computed-kernel"
    operations = SCALED | PALETTES
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "apply factors to the convolution's input or result, or leave this weight uncompressed"
    reject = "mutable kernels are not supported with kernel quantization"
    covers = ("QZ17",)
    evidence = (cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 3]> x, tensor<fp16, [2, 1, 1, 1]> s) {
                    tensor<fp16, [2, 2, 1, 1]> w = constexpr_blockwise_shift_scale(
                        data = tensor<int8, [2, 2, 1, 1]>([[[[64]], [[-32]]], [[[127]], [[100]]]]),
                        scale = tensor<fp16, [2, 1, 1, 1]>([[[[0.015625]]], [[[0.0078125]]]]));
                    tensor<fp16, [2, 2, 1, 1]> kernel = mul(x = w, y = s);
                    tensor<fp16, [1, 2, 3, 3]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = kernel, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 3]> x, tensor<fp16, [2, 1, 1, 1]> s) {
                    tensor<fp16, [2, 2, 1, 1]> w = constexpr_blockwise_shift_scale(
                        data = tensor<int8, [2, 2, 1, 1]>([[[[64]], [[-32]]], [[[127]], [[100]]]]),
                        scale = tensor<fp16, [2, 1, 1, 1]>([[[[0.015625]]], [[[0.0078125]]]]));
                    tensor<fp16, [1, 2, 3, 3]> plain = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                    tensor<fp16, [1, 2, 1, 1]> factors = reshape(shape = tensor<int32, [4]>([1, 2, 1, 1]), x = s);
                    tensor<fp16, [1, 2, 3, 3]> y = mul(x = plain, y = factors);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                class Modulated(nn.Module):
                    def forward(self, x, s):
                        return F.conv2d(x, self.weight * s.reshape(-1, 1, 1, 1))
            """),
            pytorch_after=pytorch("""
                class Modulated(nn.Module):
                    def forward(self, x, s):
                        return F.conv2d(x, self.weight) * s.reshape(1, -1, 1, 1)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Follow the weight through what computes with it, and flag the convolutions that use the outcome as kernel."""
        steps = [user for user, _ in uses(operation, graph) if user.type in ARITHMETIC]
        for _ in range(STEPS):
            following: dict[Node, None] = {}
            for step in steps:
                for output in step.outputs:
                    for user, parameter in graph.consumers(output):
                        if user.type in KERNELS and parameter == "weight":
                            yield self.finding(
                                user,
                                f"the kernel is a compressed weight after {step.type}",
                                weight=operation.name,
                            )
                        elif user.type in ARITHMETIC:
                            following[user] = None
            steps = list(following)
