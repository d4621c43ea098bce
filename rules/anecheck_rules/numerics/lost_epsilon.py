"""ANE507: an epsilon that fp16 does not hold, or none at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import FAMILIES, Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.pattern import above, maker, number, with_number
from anecheck_rules.numerics.ranges import MOVING
from anecheck_rules.numerics.squares import squares_of

GUARDED = {"rsqrt": "x", "inverse": "x", "log": "x", "real_div": "y"}
"""Operations that have no finite answer for zero, and the parameter that must not be zero."""


class LostEpsilon(OperationRule):
    """The epsilon that keeps a norm, a division or a logarithm from zero is missing, or too small for fp16.

    ## Why it goes wrong
    fp16 has no number between 0 and 6e-8. coremltools rounds smaller constants up to it, so the 1e-12 of `F.normalize` and
    the 1e-8 of an RMS norm arrive as 6e-8: short vectors are scaled differently from PyTorch, and the floor of log(1e-10),
    -23, becomes -16.6. A program made otherwise may hold 0. What lies below 6.1e-5 is subnormal; the engine of A18 was
    reported to flush such numbers to zero, so that a row of zeros (padding) becomes 0 · inf = NaN there.

    Squares make it worse, since they vanish twice as fast: in fp16 the square of everything below 2.4e-4 is zero, and
    without any epsilon the inverse root of their mean is infinite where fp32 still had a number.

    ## Instead
    Scale so that the epsilon becomes a normal number. With m = max(max |x|, 6.1e-5) the vector x / m has entries of
    magnitude one, and a floor of 2⁻¹⁰ under its norm never acts unless all of x is zero:

        x ──> abs ──> reduce_max ──> maximum(2⁻¹⁴) ──> m
        x ──> real_div(m) ──┬──────────────────────────────────────────> real_div ──> y
                            └─> reduce_l2_norm ──> maximum(2⁻¹⁰) ─────────┘

    For RMS norms take the first half of `layer_norm(concat(x, -x))`, which keeps the epsilon as a parameter. For logarithms
    raise the floor to 6.1e-5, or take them outside the model.

    ## Known exceptions
    `layer_norm`, `instance_norm` and `batch_norm` are not flagged: their epsilon is a parameter of one operation, and
    1e-5 is what every transformer on the engine has. Epsilons of 6e-8 to 6.1e-5 are flagged for A18 and M5 only, on the
    strength of one report.
    """

    code = "ANE507"
    name = "lost-epsilon"
    engine_only = False
    severity = Severity.INFO
    operations = frozenset(GUARDED)
    blocks = frozenset()
    rewrite = "scale by the largest magnitude first, so that the epsilon can be 6.1e-5 or more"
    covers = ("NU03", "NU12", "OP50")
    limits = ("fp16-smallest", "subnormal-flush")
    evidence = (
        cite("coremltools-9", Confidence.DOCUMENTED),
        cite("ct2821", Confidence.COMMUNITY),
        cite("john", Confidence.COMMUNITY, "H17"),
        cite("arith", Confidence.DOCUMENTED),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 32, 64]> x) {
                    tensor<fp16, [1, 32, 1]> norm = reduce_l2_norm(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = x);
                    tensor<fp16, [1, 32, 1]> floored = maximum(x = norm, y = fp16(0x1p-24));
                    tensor<fp16, [1, 32, 64]> wide = tile(reps = tensor<int32, [3]>([1, 1, 64]), x = floored);
                    tensor<fp16, [1, 32, 64]> y = real_div(x = x, y = wide);
                } -> (y);
            """),
            flags=("y",),
            also=("ANE222",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 32, 64]> x) {
                    tensor<fp16, [1, 32, 64]> magnitudes = abs(x = x);
                    tensor<fp16, [1, 32, 1]> largest = reduce_max(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = magnitudes);
                    tensor<fp16, [1, 32, 1]> m = maximum(x = largest, y = fp16(0x1p-14));
                    tensor<fp16, [1, 32, 64]> scaled = real_div(x = x, y = m);
                    tensor<fp16, [1, 32, 1]> norm = reduce_l2_norm(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = scaled);
                    tensor<fp16, [1, 32, 1]> floored = maximum(x = norm, y = fp16(0x1p-10));
                    tensor<fp16, [1, 32, 64]> y = real_div(x = scaled, y = floored);
                } -> (y);
            """),
            pattern="l2norm_ios18",
            pytorch_before=pytorch("""
                def unit(x):
                    return torch.nn.functional.normalize(x, dim=-1)
            """),
            pytorch_after=pytorch("""
                def unit(x):
                    x = x / x.abs().amax(-1, keepdim=True).clamp(min=2**-14)
                    return x / torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp(min=2**-10)
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 32, 64]> x) {
                    tensor<fp16, [64]> gamma = const()[val = tensor<fp16, [64]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 32, 64]> squares = pow(x = x, y = fp16(0x1p+1));
                    tensor<fp16, [1, 32, 1]> mean = reduce_mean(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = squares);
                    tensor<fp16, [1, 32, 1]> sum = add(x = mean, y = fp16(0x1.5p-17));
                    tensor<fp16, [1, 32, 1]> r = rsqrt(epsilon = fp32(0x1p-149), x = sum);
                    tensor<fp16, [1, 32, 64]> scaled = mul(x = x, y = r);
                    tensor<fp16, [1, 32, 64]> y = mul(x = scaled, y = gamma);
                } -> (y);
            """),
            flags=("r",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 32, 64]> x) {
                    tensor<fp16, [64]> gamma = const()[val = tensor<fp16, [64]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 32, 64]> negative = mul(x = x, y = fp16(-0x1p+0));
                    tensor<fp16, [1, 32, 128]> both = concat(axis = int32(-1), interleave = bool(false),
                        values = (x, negative));
                    tensor<fp16, [1, 32, 128]> norm = layer_norm(axes = tensor<int32, [1]>([-1]), epsilon = fp16(0x1.5p-17),
                        x = both);
                    tensor<fp16, [1, 32, 64]> scaled = slice_by_size(begin = tensor<int32, [3]>([0, 0, 0]),
                        size = tensor<int32, [3]>([1, 32, 64]), x = norm);
                    tensor<fp16, [1, 32, 64]> y = mul(x = scaled, y = gamma);
                } -> (y);
            """),
            target="a18",
            also=("ANE501",),
            pattern="rmsnorm_manual_ios18",
            pytorch_before=pytorch("""
                def rms_norm(x, weight, eps=1e-5):
                    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight
            """),
            pytorch_after=pytorch("""
                def rms_norm(x, weight, eps=1e-5):
                    both = torch.cat([x, -x], dim=-1)
                    return torch.nn.functional.layer_norm(both, both.shape[-1:], eps=eps)[..., : x.shape[-1]] * weight
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag what divides by, or takes the logarithm of, something with too small an epsilon or without any."""
        guarded = operation.operand(GUARDED[operation.type])
        smallest, flush = context.limit("fp16-smallest"), context.limit("subnormal-flush")
        if smallest is None or guarded is None or guarded.tensor is None or guarded.tensor.dtype != "fp16":
            return
        inner = _inside(guarded)
        epsilon = _epsilon(inner)
        own = number(operation.operand("epsilon")) if operation.operand("epsilon") is not None else None
        if epsilon is None:
            norm = maker(inner, "reduce_mean", "reduce_sum", "reduce_sum_square", "reduce_l2_norm")
            if norm is None or (own or 0) >= smallest.value or operation.type == "log":
                return
            if norm.type != "reduce_l2_norm" and squares_of(norm) is None:
                return
            yield self.finding(
                operation,
                f"{operation.type} of a norm without an epsilon; small values square to 0 in fp16",
                related=(norm,),
            )
        elif epsilon <= smallest.value:
            yield self.finding(
                operation,
                f"{operation.type} guarded by an epsilon that is {epsilon:.1g} in fp16, which has nothing smaller",
                epsilon=epsilon,
            )
        elif flush is not None and epsilon < flush.value:
            yield self.finding(
                operation,
                f"{operation.type} guarded by an epsilon of {epsilon:.1g}, subnormal in fp16 and flushed to 0 on A18",
                families=tuple(family for family in FAMILIES if context.knowledge.limit("subnormal-flush", family)),
                epsilon=epsilon,
            )


def _inside(operand: Operand) -> Operand:
    """What a root or a change of shape was made of."""
    inner = above(operand, MOVING) or operand
    root = maker(inner, "sqrt")
    below = root.operand("x") if root is not None else None
    return above(below, MOVING) or inner


def _epsilon(operand: Operand) -> float | None:
    """The constant that keeps a value from zero, if something adds one or takes the larger of the two."""
    node = maker(operand, "add", "maximum", "clip")
    if node is None:
        return None
    if node.type == "clip":
        found = number(node.operand("alpha"))
    else:
        pair = with_number(node)
        found = pair[1] if pair else None
    return found if found is not None and found >= 0 else None
