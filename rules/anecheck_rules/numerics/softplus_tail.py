"""ANE508: softplus of large values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import sole_user
from anecheck_rules.numerics.ranges import reach


class SoftplusTail(OperationRule):
    """The engine's softplus falls to zero for arguments of about 10.4 and more, where it should return them.

    ## Why it goes wrong
    For large x, softplus(x) = log(1 + exp(x)) is x. On the engine it was seen to become 0 at about 10.4, silently and on
    the engine alone: the same model on the CPU or the GPU is right. Mish, x · tanh(softplus(x)), carries it into detectors
    and image networks, whose strongest activations vanish; state-space models use softplus for their step sizes.

    ## Instead
    Split it where it bends: softplus(x) = relu(x) + softplus(-|x|), an identity. The second term's argument is never above
    zero, so the engine never gets where it fails, and small values keep their precision.

        x ──┬─> relu ───────────────────────────> add ──> y
            └─> abs ──> mul(-1) ──> softplus ─────┘

    `torch.nn.Mish` becomes `x * torch.tanh(softplus(x))` with this softplus.

    ## Known exceptions
    Arguments that are clipped or otherwise bounded below 10.4 are not flagged, and fp32 softplus does not run on the engine.
    """

    code = "ANE508"
    name = "softplus-tail"
    operations = frozenset({"softplus"})
    blocks = frozenset()
    rewrite = "write softplus(x) as relu(x) + softplus(-|x|)"
    covers = ("NU05", "NU16")
    limits = ("softplus-argument",)
    evidence = (cite("ct2687", Confidence.COMMUNITY),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [1, 16, 32, 32]> y = softplus(x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [1, 16, 32, 32]> positive = relu(x = x);
                    tensor<fp16, [1, 16, 32, 32]> magnitude = abs(x = x);
                    tensor<fp16, [1, 16, 32, 32]> negative = mul(x = magnitude, y = fp16(-0x1p+0));
                    tensor<fp16, [1, 16, 32, 32]> tail = softplus(x = negative);
                    tensor<fp16, [1, 16, 32, 32]> y = add(x = positive, y = tail);
                } -> (y);
            """),
            pattern="softplus_ios18",
            pytorch_before=pytorch("""
                def step(x):
                    return torch.nn.functional.softplus(x)
            """),
            pytorch_after=pytorch("""
                def step(x):
                    return torch.relu(x) + torch.nn.functional.softplus(-x.abs())
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [1, 16, 32, 32]> s = softplus(x = x);
                    tensor<fp16, [1, 16, 32, 32]> t = tanh(x = s);
                    tensor<fp16, [1, 16, 32, 32]> y = mul(x = x, y = t);
                } -> (y);
            """),
            flags=("s",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [1, 16, 32, 32]> positive = relu(x = x);
                    tensor<fp16, [1, 16, 32, 32]> magnitude = abs(x = x);
                    tensor<fp16, [1, 16, 32, 32]> negative = mul(x = magnitude, y = fp16(-0x1p+0));
                    tensor<fp16, [1, 16, 32, 32]> tail = softplus(x = negative);
                    tensor<fp16, [1, 16, 32, 32]> s = add(x = positive, y = tail);
                    tensor<fp16, [1, 16, 32, 32]> t = tanh(x = s);
                    tensor<fp16, [1, 16, 32, 32]> y = mul(x = x, y = t);
                } -> (y);
            """),
            pattern="mish_ios18",
            pytorch_before=pytorch("""
                activation = torch.nn.Mish()
            """),
            pytorch_after=pytorch("""
                class Mish(torch.nn.Module):
                    def forward(self, x):
                        return x * torch.tanh(torch.relu(x) + torch.nn.functional.softplus(-x.abs()))

                activation = Mish()
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag softplus in fp16 of what may be large; in a mish the tanh and the product share its fate."""
        limit, x = context.limit("softplus-argument"), operation.operand("x")
        if limit is None or x is None or x.tensor is None or x.tensor.dtype != "fp16":
            return
        if reach(x).high < limit.value:
            return
        tanh = sole_user(operation, graph, "tanh")
        yield self.finding(
            operation,
            f"{'mish' if tanh else 'softplus'} of values that may reach {limit.value:g}, where the engine's softplus gives 0",
            families=context.families_below("softplus-argument", float("inf")),
            related=(tanh,) if tanh else (),
            evidence=limit.citations,
            limit=limit.value,
        )
