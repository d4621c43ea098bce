"""ANE244: a scale of its own in front of a fused attention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.pattern import above, maker, near, with_number
from anecheck_rules.forms.attention import LAYOUT, factor_of

WEIGHTS = {"linear": "weight", "conv": "weight", "matmul": "y"}
"""The parameter that holds the weights of a projection, by its type."""


class ScaledAttentionQuery(OperationRule):
    """The queries or keys of a fused attention are multiplied by a constant that their projection could hold.

    ## Why it costs
    `scaled_dot_product_attention` divides the scores by the root of the width itself. A factor of one's own in front of it
    is an operation that reads and writes the whole tensor, in every layer, where the projection before it could hold the
    factor in its weights for nothing.

        x ─ linear(W, b) ─ mul(c) ─ [reshape ─ transpose] ─ scaled_dot_product_attention

        x ─ linear(c·W, c·b) ────── [reshape ─ transpose] ─ scaled_dot_product_attention

    Where the factor is the one over the root of the width again, the scores are scaled twice. That comes from models that
    scale the query themselves and went over to the one function later; if theirs was meant to be the only scale, the
    attention is flatter than the trained one, and the conversion repeats it faithfully.

    ## Instead
    Multiply weight and bias of the projection by the factor once, when loading. If the factor was meant in place of the
    built-in one, multiply them by factor · √width. `scale=` is no way out: with it coremltools 9 writes attention out.

    ## Known exceptions
    Nothing is said where something else lies between projection and attention (a rotation of positions, a norm): there the
    factor stays, or goes into the gain of the norm.
    """

    code = "ANE244"
    name = "scaled-attention-query"
    operations = frozenset({"scaled_dot_product_attention"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "multiply the factor into the projection's weights and bias"
    releases = "iOS 18 and macOS 15 on"
    covers = ("AT07",)
    evidence = (cite("ct2864", Confidence.COMMUNITY), cite("751k-analytics", Confidence.MEASURED, "H16"))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 6, 4]> x, tensor<fp16, [1, 2, 5, 2]> k, tensor<fp16, [1, 2, 5, 2]> v) {
                    tensor<fp16, [4, 4]> w = const()[val = tensor<fp16, [4, 4]>(
                        [[1, 2, 0, 1], [0, 1, 1, 3], [2, 0, 1, 1], [1, 1, 0, 2]])];
                    tensor<fp16, [4]> b = const()[val = tensor<fp16, [4]>([1, -1, 0, 2])];
                    tensor<fp16, [1, 6, 4]> p = linear(bias = b, weight = w, x = x);
                    tensor<fp16, [1, 6, 4]> h = mul(x = p, y = fp16(0.5));
                    tensor<fp16, [1, 6, 2, 2]> r = reshape(shape = tensor<int32, [4]>([1, 6, 2, 2]), x = h);
                    tensor<fp16, [1, 2, 6, 2]> q = transpose(perm = tensor<int32, [4]>([0, 2, 1, 3]), x = r);
                    tensor<fp16, [1, 2, 6, 2]> y = scaled_dot_product_attention(key = k, query = q, value = v);
                } -> (y);
            """),
            flags=("h",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 6, 4]> x, tensor<fp16, [1, 2, 5, 2]> k, tensor<fp16, [1, 2, 5, 2]> v) {
                    tensor<fp16, [4, 4]> w = const()[val = tensor<fp16, [4, 4]>(
                        [[0.5, 1, 0, 0.5], [0, 0.5, 0.5, 1.5], [1, 0, 0.5, 0.5], [0.5, 0.5, 0, 1]])];
                    tensor<fp16, [4]> b = const()[val = tensor<fp16, [4]>([0.5, -0.5, 0, 1])];
                    tensor<fp16, [1, 6, 4]> p = linear(bias = b, weight = w, x = x);
                    tensor<fp16, [1, 6, 2, 2]> r = reshape(shape = tensor<int32, [4]>([1, 6, 2, 2]), x = p);
                    tensor<fp16, [1, 2, 6, 2]> q = transpose(perm = tensor<int32, [4]>([0, 2, 1, 3]), x = r);
                    tensor<fp16, [1, 2, 6, 2]> y = scaled_dot_product_attention(key = k, query = q, value = v);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x, k, v):
                    q = (self.query(x) * self.factor).unflatten(-1, (2, 2)).transpose(1, 2)
                    return torch.nn.functional.scaled_dot_product_attention(q, k, v)
            """),
            pytorch_after=pytorch("""
                def fold_factor(self):
                    self.query.weight.data *= self.factor
                    self.query.bias.data *= self.factor

                def forward(self, x, k, v):
                    q = self.query(x).unflatten(-1, (2, 2)).transpose(1, 2)
                    return torch.nn.functional.scaled_dot_product_attention(q, k, v)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a factor between a projection and the queries or keys."""
        for parameter in ("query", "key"):
            scaling = maker(above(operation.operand(parameter), LAYOUT), "mul", "real_div")
            factor, found = factor_of(scaling), with_number(scaling) if scaling is not None else None
            projection = _projection(found[0], graph) if found else None
            if scaling is None or factor is None or projection is None:
                continue
            tensor = operation.tensor(parameter)
            width = tensor.shape[-1] if tensor is not None else None
            text = f"the {parameter} is multiplied by {factor:.4g} on its way from a {projection.type} to the attention"
            if width and near(factor, width**-0.5):
                text += f", which scales by 1/√{width} = {factor:.4g} itself"
            yield self.finding(scaling, text, factor=factor, projection=projection.name)


def _projection(scaled: Operand, graph: Graph) -> Node | None:
    """The layer with constant weights that makes a value seen by nobody but the scaling and what only moves numbers."""
    operand: Operand | None = scaled
    while operand is not None and graph.only_user(operand) is not None:
        node = operand.producer
        if node is None or node.type not in LAYOUT:
            weight = node.operand(WEIGHTS[node.type]) if node is not None and node.type in WEIGHTS else None
            return node if weight is not None and weight.is_constant else None
        operand = node.operand("x")
    return None
