"""ANE206: GELU in its parts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import near
from anecheck_rules.forms.gating import Gate, Polynomial, gates

OUTER = math.sqrt(2 / math.pi)

FORMS: dict[str, tuple[str, Callable[[float], float], Polynomial, float, float]] = {
    "erf": ("EXACT", math.erf, {1: math.sqrt(0.5)}, 0.5, 0.5),
    "tanh": ("TANH_APPROXIMATION", math.tanh, {1: OUTER, 3: OUTER * 0.044715}, 0.5, 0.5),
    "sigmoid": ("SIGMOID_APPROXIMATION", lambda x: 1 / (1 + math.exp(-x)), {1: 1.702}, 1.0, 0.0),
}
"""By the function inside: the mode of `gelu`, the function, its argument, and what it is scaled by and shifted."""

GRID = [step / 16 for step in range(-160, 161)]
"""Where two functions are compared; beyond, both are 0 or x."""

UNIT = 2.0**-10
"""The distance of fp16 numbers at 1."""


class WrittenOutGelu(OperationRule):
    """A GELU is written out in its parts.

    ## Why it costs
    `gelu` is one operation of the engine, a look-up in a table. Written out it takes three to nine, each of which reads and
    writes the whole tensor, in the middle of every feed-forward layer: 0.055 ns an element against 0.19 to 0.6 by Core ML's
    own estimates for M4. Nor are the parts more exact: `EXACT` and `TANH_APPROXIMATION` use the same table there, 6.2e-3 off
    at worst, and `erf`, `tanh` and `sigmoid` are tables themselves.

        x ─┬─ mul(1.702) ─ sigmoid ─ mul              x ── gelu(mode = "SIGMOID_APPROXIMATION")
           └──────────────────────────┘
        x ─┬─ mul(0.707) ─ erf ─ add(1) ─ mul(0.5) ─ mul              x ── gelu(mode = "EXACT")
           └──────────────────────────────────────────┘
        x ─┬─ pow(3) ─ mul(0.0447) ─ add ─ mul(0.798) ─ tanh ─ add(1) ─ mul(0.5) ─ mul     "TANH_APPROXIMATION"
           └──────────────────────────┘                                              └ x

    coremltools 9.0 joins the last two by itself, but only in two or three orders of multiplication, with `pow` for the cube,
    constants within 0.001, and no other reader of anything in between. The first, "quick GELU" of CLIP and of its
    descendants, no released version joins yet.

    ## Instead
    `nn.GELU()` or `nn.GELU(approximate="tanh")`, which become `gelu` whatever the version. For quick GELU register a
    conversion of its own: `mb.gelu(x=x, mode="SIGMOID_APPROXIMATION")` is x · sigmoid(1.702 · x), the same function.

    ## Known exceptions
    Constants that differ a little are named together with the largest difference they make; what is further from GELU than
    the engine's table is taken for another function, and left alone.

    ## Contradictions
    One project found `gelu` refused on the engine's private interface. Through Core ML all three modes are supported on M4.
    """

    code = "ANE206"
    name = "written-out-gelu"
    operations = frozenset(FORMS)
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "use one gelu operation in the mode that is the same function"
    limits = ("gelu-table-error",)
    evidence = (
        cite("751k-defects", Confidence.MEASURED, "H16"),
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("ct-passes", Confidence.DOCUMENTED),
    )
    covers = ("NF05", "OP45")
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 32, 64]> x) {
                    tensor<fp16, [1, 32, 64]> z = mul(x = x, y = fp16(1.702));
                    tensor<fp16, [1, 32, 64]> s = sigmoid(x = z);
                    tensor<fp16, [1, 32, 64]> y = mul(x = x, y = s);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 32, 64]> x) {
                    tensor<fp16, [1, 32, 64]> y = gelu(mode = string("SIGMOID_APPROXIMATION"), x = x);
                } -> (y);
            """),
            equal=False,
            reason="approximation: 1.702 is 1.7021 in fp16 and its product is rounded; within 4e-3",
            pytorch_before=pytorch("""
                class QuickGELU(nn.Module):
                    def forward(self, x):
                        return x * torch.sigmoid(1.702 * x)
            """),
            pytorch_after=pytorch("""
                @register_torch_op(torch_alias=["clip::quick_gelu"])
                def quick_gelu(context, node):
                    context.add(mb.gelu(x=context[node.inputs[0]], mode="SIGMOID_APPROXIMATION", name=node.name))
            """),
            pattern="gelu_sigmoid_quick_ios18",
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 16]> x) {
                    tensor<fp16, [1, 4, 16]> a = mul(x = x, y = fp16(0.7979));
                    tensor<fp16, [1, 4, 16]> b = mul(x = x, y = fp16(0.04471));
                    tensor<fp16, [1, 4, 16]> c = mul(x = b, y = x);
                    tensor<fp16, [1, 4, 16]> d = add(x = c, y = fp16(1));
                    tensor<fp16, [1, 4, 16]> e = mul(x = a, y = d);
                    tensor<fp16, [1, 4, 16]> f = tanh(x = e);
                    tensor<fp16, [1, 4, 16]> g = add(x = f, y = fp16(1));
                    tensor<fp16, [1, 4, 16]> h = mul(x = x, y = fp16(0.5));
                    tensor<fp16, [1, 4, 16]> y = mul(x = h, y = g);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 16]> x) {
                    tensor<fp16, [1, 4, 16]> y = gelu(mode = string("TANH_APPROXIMATION"), x = x);
                } -> (y);
            """),
            equal=False,
            reason="approximation: nine operations round nine times, two of the constants among them; within 4e-3",
            pytorch_before=pytorch("""
                class FastGELU(nn.Module):
                    def forward(self, x):
                        return 0.5 * x * (1 + torch.tanh(x * 0.7978845608 * (1 + 0.044715 * x * x)))
            """),
            pytorch_after=pytorch("""
                activation = nn.GELU(approximate="tanh")
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag what computes GELU around an `erf`, a `tanh` or a `sigmoid`, if one operation saves any."""
        limit = context.limit("gelu-table-error")
        mode, *_ = FORMS[operation.type]
        for gate in gates(operation, graph):
            apart = _apart(operation.type, gate)
            freed = gate.freed(graph)
            if limit is None or apart > limit.value or len(freed) < 2:
                continue
            name = "quick GELU" if operation.type == "sigmoid" else "GELU"
            yield self.finding(
                gate.result,
                f"{name} ({operation.type}) written out in {len(gate.operations)} operations"
                + _staying(gate, freed, graph)
                + _differing(operation.type, gate, apart),
                related=gate.operations[:-1],
                mode=mode,
                difference=round(apart, 6),
            )
            return


def _apart(function: str, gate: Gate) -> float:
    """The largest difference to the mode of `gelu`, infinite where the signs of the constants are others."""
    _, compute, argument, scale, offset = FORMS[function]
    if not near(gate.scale, scale, 0.1) or abs(gate.offset - offset) > 0.1 or not set(gate.argument) <= {0, 1, 2, 3}:
        return math.inf

    def inside(polynomial: Polynomial, x: float) -> float:
        # Far out all three functions are flat, and an exponential would overflow.
        return max(-60.0, min(60.0, sum(value * x**power for power, value in polynomial.items())))

    return max(
        abs(
            x
            * (
                gate.scale * compute(inside(gate.argument, x))
                + gate.offset
                - scale * compute(inside(argument, x))
                - offset
            )
        )
        for x in GRID
    )


def _staying(gate: Gate, freed: tuple[Node, ...], graph: Graph) -> str:
    """Which of the operations stay, and who reads them, for people."""
    for node in gate.operations:
        if node in freed:
            continue
        for user in graph.users(node):
            if user not in gate.operations:
                return f", its {node.type} read by {user.type} '{user.name}' too"
    return ", part of which is returned too" if len(freed) < len(gate.operations) else ""


def _differing(function: str, gate: Gate, apart: float) -> str:
    """Which constants are others, and how much that makes, for people; nothing below what fp16 tells apart."""
    if apart <= UNIT:
        return ""
    wanted = FORMS[function][2]
    others = [
        f"{gate.argument.get(power, 0):.4g} for {value:.4g}"
        for power, value in wanted.items()
        if not near(gate.argument.get(power, 0.0), value)
    ]
    which = f" ({', '.join(others)})" if others else ""
    return f"; its constants{which} move the result by up to {apart:.1g}"
