"""ANE501: norms that square what may be large."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.pattern import above, maker, number
from anecheck_rules.numerics.ranges import MOVING, reach
from anecheck_rules.numerics.squares import is_deviation, root_of, squares_of

NORMALISED = frozenset({"layer_norm", "instance_norm", "batch_norm", "l2_norm"})
"""Operations that leave nothing large."""


class UnscaledSquare(OperationRule):
    """A norm squares values that nobody scaled, and beyond 256 their squares are infinite in fp16.

    ## Why it goes wrong
    The largest fp16 number is 65504, so a square overflows as soon as its base passes 255.9. RMS norms written by hand square
    the residual stream of a transformer, where single channels of several hundred to several thousand are usual; one of
    them makes the mean infinite, its inverse root zero, and the whole row zero:

        x ──> pow(2) ──> reduce_mean ──> add(eps) ──> rsqrt ──> mul ──> y
        300    inf          inf            inf          0         0

    An upcast in the PyTorch source does not help: with `compute_precision=FLOAT16` coremltools drops
    `x.to(torch.float32)` and squares in fp16. That is how RMS norms of language models arrive.

    ## Instead
    - Use `torch.nn.RMSNorm` and coremltools 9: it divides by the largest magnitude before it squares (and so divides zero
      by zero in a row of zeros).
    - Or do so by hand, with m = max(1, max |x|), which is exact, and harmless for rows of zeros:

        x ──> abs ──> reduce_max ──> maximum(1) ──> m
        x ──> real_div(m) ──> square ──> reduce_mean ──> add((√eps / m)²) ──> rsqrt ──> mul ──> y

    - Or let the native norm do it: the first half of `layer_norm(concat(x, -x))` is the RMS norm of x, since the mean is
      zero and the variance is the mean of the squares. One operation of the engine takes the place of five.

    ## Known exceptions
    Variances are no concern of this rule: their squares are of differences to a mean (group norms and `std` as coremltools
    writes them). Nor is what was divided by a value computed at run time or multiplied by a constant below one, what a
    sigmoid, a clip or another norm keeps small, and `reduce_l2_norm`, which gives the root in one operation.
    """

    code = "ANE501"
    name = "unscaled-square"
    engine_only = False
    operations = frozenset({"reduce_mean", "reduce_sum", "reduce_sum_square"})
    blocks = frozenset()
    rewrite = "divide by the largest magnitude before squaring, or take the first half of layer_norm(concat(x, -x))"
    covers = ("NU02", "NU15")
    limits = ("fp16-largest",)
    evidence = (
        cite("ct-ops", Confidence.DOCUMENTED),
        cite("et", Confidence.COMMUNITY),
        cite("eeane", Confidence.COMMUNITY, "H14"),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 32, 64]> x) {
                    tensor<fp16, [64]> gamma = const()[val = tensor<fp16, [64]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 32, 64]> squares = pow(x = x, y = fp16(0x1p+1));
                    tensor<fp16, [1, 32, 1]> mean = reduce_mean(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = squares);
                    tensor<fp16, [1, 32, 1]> sum = add(x = mean, y = fp16(0x1p-12));
                    tensor<fp16, [1, 32, 1]> r = rsqrt(epsilon = fp32(0x1.197998p-40), x = sum);
                    tensor<fp16, [1, 32, 64]> scaled = mul(x = x, y = r);
                    tensor<fp16, [1, 32, 64]> y = mul(x = scaled, y = gamma);
                } -> (y);
            """),
            flags=("squares",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 32, 64]> x) {
                    tensor<fp16, [64]> gamma = const()[val = tensor<fp16, [64]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 32, 64]> magnitudes = abs(x = x);
                    tensor<fp16, [1, 32, 1]> largest = reduce_max(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = magnitudes);
                    tensor<fp16, [1, 32, 1]> m = maximum(x = largest, y = fp16(0x1p+0));
                    tensor<fp16, [1, 32, 64]> small = real_div(x = x, y = m);
                    tensor<fp16, [1, 32, 64]> squares = square(x = small);
                    tensor<fp16, [1, 32, 1]> mean = reduce_mean(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = squares);
                    tensor<fp16, [1, 32, 1]> root = real_div(x = fp16(0x1p-6), y = m);
                    tensor<fp16, [1, 32, 1]> epsilon = square(x = root);
                    tensor<fp16, [1, 32, 1]> sum = add(x = mean, y = epsilon);
                    tensor<fp16, [1, 32, 1]> r = rsqrt(epsilon = fp32(0x1.197998p-40), x = sum);
                    tensor<fp16, [1, 32, 64]> scaled = mul(x = small, y = r);
                    tensor<fp16, [1, 32, 64]> y = mul(x = scaled, y = gamma);
                } -> (y);
            """),
            pattern="rmsnorm_manual_ios18",
            pytorch_before=pytorch("""
                class RMSNorm(torch.nn.Module):
                    def __init__(self, width, eps=2**-12):
                        super().__init__()
                        self.weight = torch.nn.Parameter(torch.ones(width))
                        self.eps = eps

                    def forward(self, x):
                        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight
            """),
            pytorch_after=pytorch("""
                class RMSNorm(torch.nn.Module):
                    def __init__(self, width, eps=2**-12):
                        super().__init__()
                        self.weight = torch.nn.Parameter(torch.ones(width))
                        self.root = eps**0.5

                    def forward(self, x):
                        m = x.abs().amax(-1, keepdim=True).clamp(min=1)
                        x = x / m
                        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + (self.root / m).square()) * self.weight
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
                    tensor<fp16, [1, 32, 1]> sum = add(x = mean, y = fp16(0x1p-12));
                    tensor<fp16, [1, 32, 1]> r = rsqrt(epsilon = fp32(0x1p-149), x = sum);
                    tensor<fp16, [1, 32, 64]> scaled = mul(x = x, y = r);
                    tensor<fp16, [1, 32, 64]> y = mul(x = gamma, y = scaled);
                } -> (y);
            """),
            flags=("squares",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 32, 64]> x) {
                    tensor<fp16, [64]> gamma = const()[val = tensor<fp16, [64]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 32, 64]> negative = mul(x = x, y = fp16(-0x1p+0));
                    tensor<fp16, [1, 32, 128]> both = concat(axis = int32(-1), interleave = bool(false),
                        values = (x, negative));
                    tensor<fp16, [1, 32, 128]> norm = layer_norm(axes = tensor<int32, [1]>([-1]), epsilon = fp16(0x1p-12),
                        x = both);
                    tensor<fp16, [1, 32, 64]> scaled = slice_by_size(begin = tensor<int32, [3]>([0, 0, 0]),
                        size = tensor<int32, [3]>([1, 32, 64]), x = norm);
                    tensor<fp16, [1, 32, 64]> y = mul(x = gamma, y = scaled);
                } -> (y);
            """),
            pattern="rmsnorm_hf_fp32cast_ios18",
            pytorch_before=pytorch("""
                class LlamaRMSNorm(torch.nn.Module):
                    def __init__(self, width, eps=2**-12):
                        super().__init__()
                        self.weight = torch.nn.Parameter(torch.ones(width))
                        self.eps = eps

                    def forward(self, x):
                        dtype = x.dtype
                        x = x.to(torch.float32)
                        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)
                        return self.weight * x.to(dtype)
            """),
            pytorch_after=pytorch("""
                class LlamaRMSNorm(torch.nn.Module):
                    def __init__(self, width, eps=2**-12):
                        super().__init__()
                        self.weight = torch.nn.Parameter(torch.ones(width))
                        self.eps = eps

                    def forward(self, x):
                        both = torch.cat([x, -x], dim=-1)
                        norm = torch.nn.functional.layer_norm(both, both.shape[-1:], eps=self.eps)
                        return self.weight * norm[..., : x.shape[-1]]
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag the squares of a norm's root, unless what is squared was scaled or cannot be large."""
        limit = context.limit("fp16-largest")
        found = squares_of(operation)
        if limit is None or found is None:
            return
        square, base = found
        if base.tensor is None or base.tensor.dtype != "fp16" or is_deviation(base) or _is_scaled(base):
            return
        root = root_of(operation, graph)
        largest = math.isqrt(int(limit.value)) + 1
        if root is None or reach(base).magnitude < largest:
            return
        yield self.finding(
            square,
            f"squares unscaled values for a norm; beyond {largest} the squares are infinite in fp16",
            families=context.families_below("fp16-largest", largest**2),
            related=tuple(node for node in (operation, root) if node is not square),
            largest=largest,
        )


def _is_scaled(operand: Operand) -> bool:
    """Whether somebody made a value smaller, or a norm before it did."""
    node = maker(above(operand, MOVING))
    if node is None:
        return False
    if node.type == "mul":
        sides = [side for side in (node.operand("x"), node.operand("y")) if side is not None]
        return any(
            reach(side).magnitude < 1 if side.is_constant else maker(side, "inverse", "rsqrt") is not None
            for side in sides
        )
    if node.type == "real_div":
        divisor = node.operand("y")
        return divisor is not None and (not divisor.is_constant or abs(number(divisor) or 0) > 1)
    return node.type in NORMALISED
