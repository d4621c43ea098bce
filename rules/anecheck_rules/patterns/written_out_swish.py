"""ANE207: SiLU, hard swish and hard sigmoid in their parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.pattern import maker, near, number, sole_user, with_number
from anecheck_rules.forms.gating import gates


class WrittenOutSwish(OperationRule):
    """A SiLU, hard swish or hard sigmoid is written out in its parts.

    ## Why it costs
    `silu` and `sigmoid_hard` are single operations of the engine; every part that is written out instead reads and writes the
    whole tensor. In a mobile network these functions follow nearly every convolution, and the compiler's own strings say that
    it fails to fuse such parts into what runs before them.

        x ─┬─ sigmoid ─ mul                                     x ── silu
           └─────────────┘
        x ─── add(3) ─ relu6 ─ mul(1/6)                         x ── sigmoid_hard(alpha = 1/6, beta = 0.5)
        x ─┬─ add(3) ─ relu6 ─ mul ─ mul(1/6)                   x ─┬─ sigmoid_hard ─ mul
           └───────────────────┘                                   └──────────────────┘

    ## Instead
    - `nn.SiLU()`, `nn.Hardsigmoid()` and `nn.Hardswish()` instead of classes of one's own: coremltools knows the modules, and
      of the spelled out forms only x · sigmoid(x), where nothing else reads the sigmoid.
    - In MIL: `sigmoid_hard` computes min(max(alpha · x + beta, 0), 1).

    Hand-written mobile networks have `relu6(x + 3) / 6` in a class `h_sigmoid` and x times that in `h_swish`. The results differ
    in rounding alone: 1/6 is 0.16663 in fp16, so x above 3 came out as 0.99976 · x.

    ## Known exceptions
    `nn.Hardswish` becomes `thresholded_relu`, `sigmoid_hard` and `mul`. The first of the three changes nothing, for below −3 the
    second is 0 anyway, but it is what coremltools always makes, so nothing is said of it.

    ## Contradictions
    For Core AI Apple advises x · sigmoid(x), because `silu` there is computed in fp32 and cast back. Core ML's `silu` takes fp16
    and is in M4's plan as it is; where fp32 casts stand around one, they are what to remove. The tables of both are coarse:
    3.4e-3 off at worst for `sigmoid`, which x multiplies, 1.5e-2 for `silu`.
    """

    code = "ANE207"
    name = "written-out-swish"
    operations = frozenset({"sigmoid", "relu6", "clip"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "use silu, or sigmoid_hard (times x)"
    evidence = (
        cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
    )
    covers = ("NF06",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 8, 8]> x) {
                    tensor<fp16, [1, 4, 8, 8]> s = sigmoid(x = x);
                    tensor<fp16, [1, 4, 8, 8]> y = mul(x = x, y = s);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 8, 8]> x) {
                    tensor<fp16, [1, 4, 8, 8]> y = silu(x = x);
                } -> (y);
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [1, 16, 32, 32]> a = add(x = x, y = fp16(3));
                    tensor<fp16, [1, 16, 32, 32]> r = relu6(x = a);
                    tensor<fp16, [1, 16, 32, 32]> p = mul(x = x, y = r);
                    tensor<fp16, [1, 16, 32, 32]> y = mul(x = p, y = fp16(0.16666667));
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [1, 16, 32, 32]> h = sigmoid_hard(alpha = fp16(0.16666667), beta = fp16(0.5), x = x);
                    tensor<fp16, [1, 16, 32, 32]> y = mul(x = x, y = h);
                } -> (y);
            """),
            equal=False,
            reason="approximation: 1/6 is 0.16663 in fp16, which scaled the result and now only the slope; within 2e-3",
            pytorch_before=pytorch("""
                def hard_swish(x):
                    return x * nn.functional.relu6(x + 3) / 6
            """),
            pytorch_after=pytorch("""
                hard_swish = nn.Hardswish()
            """),
            pattern="hardswish_manual_ios18",
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 8, 8]> x) {
                    tensor<fp16, [1, 4, 8, 8]> a = mul(x = x, y = fp16(0.25));
                    tensor<fp16, [1, 4, 8, 8]> b = add(x = a, y = fp16(0.5));
                    tensor<fp16, [1, 4, 8, 8]> y = clip(alpha = fp16(0), beta = fp16(1), x = b);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 8, 8]> x) {
                    tensor<fp16, [1, 4, 8, 8]> y = sigmoid_hard(alpha = fp16(0.25), beta = fp16(0.5), x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def gate(x):
                    return torch.clamp(x * 0.25 + 0.5, 0, 1)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a sigmoid times its own argument, and a clipped straight line from 0 to 1."""
        if operation.type == "sigmoid":
            product = sole_user(operation, graph, "mul")
            if product is not None and {product.operand("x"), product.operand("y")} == {
                operation.operand("x"),
                operation.outputs[0],
            }:
                yield self.finding(
                    product, "SiLU written out as x · sigmoid(x)", related=(operation,), replacement="silu"
                )
            return
        top = _top(operation)
        if top is not None:
            yield from self._check_clipped(operation, top, graph)

    def _check_clipped(self, clipped: Node, top: float, graph: Graph) -> Iterator[Match]:
        for gate in gates(clipped, graph):
            slope, shift = gate.argument.get(1, 0.0) / top, gate.argument.get(0, 0.0) / top
            whole = near(gate.scale * top, 1) and abs(gate.offset) < 1e-6 and set(gate.argument) <= {0, 1}
            if whole and near(slope, 1 / 6) and near(shift, 0.5) and len(gate.freed(graph)) > 2:
                yield self.finding(
                    gate.result,
                    f"hard swish written out in {len(gate.operations)} operations",
                    related=gate.operations[:-1],
                    replacement="sigmoid_hard",
                )
                return
        line, operations = _line(clipped.operand("x"), graph)
        last = sole_user(clipped, graph, "mul", "real_div")
        scaled = with_number(last) if last is not None else None
        if last is not None and scaled is not None:
            by = scaled[1] if last.type == "mul" else 1 / scaled[1] if scaled[1] else 0.0
            if last.type == "real_div" and last.operand("y") is scaled[0]:
                return
        else:
            last, by = None, 1.0
        chain = (*operations, clipped, *((last,) if last is not None else ()))
        if len(chain) > 2 and near(top * by, 1) and line[0] > 0 and 0 < line[1] < top:
            yield self.finding(
                chain[-1],
                f"hard sigmoid written out in {len(chain)} operations",
                related=chain[:-1],
                replacement="sigmoid_hard",
                alpha=round(line[0] * by, 6),
                beta=round(line[1] * by, 6),
            )


def _top(clipped: Node) -> float | None:
    """Where a function that is cut off at 0 is cut off above; `None` where it is not cut off at 0."""
    if clipped.type == "relu6":
        return 6.0
    bottom, top = number(clipped.operand("alpha")), number(clipped.operand("beta"))
    return top if bottom == 0 and top is not None and top > 0 else None


def _line(operand: Operand | None, graph: Graph) -> tuple[tuple[float, float], tuple[Node, ...]]:
    """The slope and the shift that lead to `operand`, by at most an `add` after a `mul` that nothing else reads."""
    shifted = maker(operand, "add")
    shift = with_number(shifted) if shifted else None
    if shifted is None or shift is None or len(graph.users(shifted)) > 1:
        return (1.0, 0.0), ()
    scaled = maker(shift[0], "mul")
    slope = with_number(scaled) if scaled else None
    if scaled is None or slope is None or len(graph.users(scaled)) > 1:
        return (1.0, shift[1]), (shifted,)
    return (slope[1], shift[1]), (scaled, shifted)
