"""ANE805: layer norms without scale and offset over a multiple of 32 tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import axes, number, sizes

FAMILIES = ("H13", "H14", "H15")
LEAST_RANK = 3


class PlainLayerNorm(OperationRule):
    """A layer norm with neither scale nor offset normalises a number of tokens that is a multiple of 32.

    ## Why it goes wrong
    The engine's compiler rejected a whole program ("Invalid layer") over a `layer_norm` in fp16 whose scale is one and
    whose offset is zero (`elementwise_affine=False`, or parameters never trained), where the number of tokens is a multiple
    of 32. A detection transformer for pictures of 384 pixels (576 tokens) failed that way, the same one for 448 pixels (784
    tokens) did not. The model then loads and runs without the engine.

    ## Instead
    - Make the number of tokens no multiple of 32: another resolution, or a class token.
    - Or give the layer norm a scale that is not one and take it back in the layer after it: a scale of 2 here and half the
      weights there are the same numbers exactly.

    ## Known exceptions
    Known from one model on an M3 Pro with macOS 27, and carried over to the older families. On M4 the placement report lists
    the engine for such layer norms, so H16 and newer are not flagged.
    """

    code = "ANE805"
    name = "plain-layer-norm"
    operations = frozenset({"layer_norm"})
    blocks = frozenset()
    rewrite = "change the number of tokens, or scale here and take the scale back in the next layer's weights"
    reject = "Invalid layer"
    evidence = (cite("rfdetr", Confidence.COMMUNITY, "H15"),)
    limits = ("plain-layer-norm-tokens",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 32, 8]> x) {
                    tensor<fp16, [1, 32, 8]> y = layer_norm(axes = tensor<int32, [1]>([2]), epsilon = fp16(0x1p-10), x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 32, 8]> x) {
                    tensor<fp16, [8]> gamma = const()[val = tensor<fp16, [8]>([2, 2, 2, 2, 2, 2, 2, 2])];
                    tensor<fp16, [1, 32, 8]> n = layer_norm(axes = tensor<int32, [1]>([2]), epsilon = fp16(0x1p-10),
                        gamma = gamma, x = x);
                    tensor<fp16, [1, 32, 8]> y = mul(x = n, y = fp16(0.5));
                } -> (y);
            """),
            target="m3",
            pytorch_before=pytorch("""
                norm = nn.LayerNorm(8, elementwise_affine=False)
                y = linear(norm(x))
            """),
            pytorch_after=pytorch("""
                norm = nn.LayerNorm(8)
                norm.weight.data.fill_(2.0)
                linear.weight.data.mul_(0.5)
                y = linear(norm(x))
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag layer norms over the last axis alone, with an identity for scale and offset."""
        limit, shape = context.limit("plain-layer-norm-tokens"), sizes(operation.operand("x"))
        if limit is None or shape is None or len(shape) < LEAST_RANK or axes(operation) != (len(shape) - 1,):
            return
        tokens = shape[-2]
        if tokens % int(limit.value) == 0 and _is(operation, "gamma", 1) and _is(operation, "beta", 0):
            yield self.finding(
                operation,
                f"no scale and no offset over {tokens} tokens, a multiple of {int(limit.value)}",
                families=FAMILIES,
                tokens=tokens,
            )


def _is(operation: Node, parameter: str, identity: float) -> bool:
    operand = operation.operand(parameter)
    return operand is None or number(operand) == identity
