"""ANE204: layer normalisation in its parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.forms.standardization import ROOTS, standardization
from anecheck_rules.patterns.batch_statistics import over_batch


class WrittenOutLayerNorm(OperationRule):
    """A layer or instance normalisation is written out in its parts.

    ## Why it costs
    `layer_norm` and `instance_norm` are single operations of the engine: the tensor is read once and written once. Written
    out the same takes seven to nine operations, most of which go over the whole tensor: by Core ML's own estimates for M4
    that is 0.22 ns an element (0.32 with scale and shift) against 0.055. And each intermediate result is stored as fp16,
    where the square of anything beyond 256 is infinite.

        x ─┬─ reduce_mean ─ sub ─┬─ pow(2) ─ reduce_mean ─ add(ε) ─ sqrt ─ real_div [─ mul ─ add]
           └─────────────────┘   └──────────────────────────────────────┘

        x ── layer_norm                                                           over any axes
        x ── instance_norm                                                        over all axes but batch and channels

    coremltools fuses a few spellings by itself and leaves all others as they stand. `(x - mean).pow(2)` misses, for it wants
    a `square` or a product with itself; so does the division by `torch.sqrt(...)`, for it wants a product with `rsqrt`.

    ## Instead
    - Last axes: `torch.nn.LayerNorm` or `functional.layer_norm`.
    - Channels of a (B, C, 1, S) or (B, C, H, W) tensor: no module of PyTorch normalises axis 1, but `layer_norm` of MIL takes
      any axes. The spelling that coremltools turns into `layer_norm` over axis 1 is Apple's own from its transformers for the
      engine: `d = x - x.mean(1, keepdim=True)`, then `d * (d * d).mean(1, keepdim=True).add(eps).rsqrt()`, shifted first
      (by beta / gamma) and scaled last.
    - Height and width of each channel: `torch.nn.InstanceNorm2d`.

    ## Known exceptions
    An RMS norm subtracts no mean and has no operation of its own, so nothing is said of it here. `layer_norm` of
    `concat(x, -x)` gives the same numbers, for its mean is 0 and its variance the mean of x², but it moves twice the data:
    0.28 ns an element against 0.18 by the same estimates. It pays for its range, not for its speed. What coremltools makes
    of `torch.nn.RMSNorm` divides by the largest magnitude first, and is safe as it is.

    ## Contradictions
    Enumerated shapes together with `layer_norm` kept a model off the engine in 2023, and `layer_norm` over axis 1
    overflowed sooner than over the last one before macOS 14; both are single reports.
    """

    code = "ANE204"
    name = "written-out-layer-norm"
    operations = ROOTS
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "use one layer_norm (any axes) or instance_norm instead of its parts"
    evidence = (
        cite("apple-coreai", Confidence.DOCUMENTED),
        cite("751k-analytics", Confidence.MEASURED, "H16"),
        cite("ct-passes", Confidence.DOCUMENTED),
    )
    covers = ("NF04",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 56]> x) {
                    tensor<fp16, [1, 2, 1]> mean = reduce_mean(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = x);
                    tensor<fp16, [1, 2, 56]> d = sub(x = x, y = mean);
                    tensor<fp16, [1, 2, 56]> s = pow(x = d, y = fp16(2));
                    tensor<fp16, [1, 2, 1]> variance = reduce_mean(axes = tensor<int32, [1]>([-1]),
                        keep_dims = bool(true), x = s);
                    tensor<fp16, [1, 2, 1]> shifted = add(x = variance, y = fp16(1e-3));
                    tensor<fp16, [1, 2, 1]> deviation = sqrt(x = shifted);
                    tensor<fp16, [1, 2, 56]> y = real_div(x = d, y = deviation);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 56]> x) {
                    tensor<fp16, [1, 2, 56]> y = layer_norm(axes = tensor<int32, [1]>([-1]), epsilon = fp16(1e-3), x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def norm(x):
                    mean = x.mean(-1, keepdim=True)
                    variance = (x - mean).pow(2).mean(-1, keepdim=True)
                    return (x - mean) / torch.sqrt(variance + 1e-3)
            """),
            pytorch_after=pytorch("""
                def norm(x):
                    return torch.nn.functional.layer_norm(x, x.shape[-1:], eps=1e-3)
            """),
            pattern="layernorm_manual_ios18",
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 1, 32]> x) {
                    tensor<fp16, [1, 1, 1, 32]> mean = reduce_mean(axes = tensor<int32, [1]>([1]), keep_dims = bool(true),
                        x = x);
                    tensor<fp16, [1, 4, 1, 32]> d = sub(x = x, y = mean);
                    tensor<fp16, [1, 4, 1, 32]> s = pow(x = d, y = fp16(2));
                    tensor<fp16, [1, 1, 1, 32]> variance = reduce_mean(axes = tensor<int32, [1]>([1]),
                        keep_dims = bool(true), x = s);
                    tensor<fp16, [1, 1, 1, 32]> shifted = add(x = variance, y = fp16(1e-3));
                    tensor<fp16, [1, 1, 1, 32]> inverse = rsqrt(epsilon = fp16(0), x = shifted);
                    tensor<fp16, [1, 4, 1, 32]> n = mul(x = d, y = inverse);
                    tensor<fp16, [1, 4, 1, 32]> y = batch_norm(beta = tensor<fp16, [4]>([0.5, 0, -0.5, 1]), epsilon = fp16(0),
                        gamma = tensor<fp16, [4]>([1, 2, 1, 0.5]), mean = tensor<fp16, [4]>([0, 0, 0, 0]),
                        variance = tensor<fp16, [4]>([1, 1, 1, 1]), x = n);
                } -> (y);
            """),
            flags=("n",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 1, 32]> x) {
                    tensor<fp16, [1, 4, 1, 32]> y = layer_norm(axes = tensor<int32, [1]>([1]),
                        beta = tensor<fp16, [4]>([0.5, 0, -0.5, 1]), epsilon = fp16(1e-3),
                        gamma = tensor<fp16, [4]>([1, 2, 1, 0.5]), x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                class ChannelNorm(nn.Module):
                    def forward(self, x):
                        mean = x.mean(1, keepdim=True)
                        variance = (x - mean).pow(2).mean(1, keepdim=True)
                        return (x - mean) * torch.rsqrt(variance + 1e-3) * self.weight + self.bias
            """),
            pytorch_after=pytorch("""
                class ChannelNorm(nn.Module):
                    def forward(self, x):
                        d = x - x.mean(1, keepdim=True)
                        y = d * torch.rsqrt((d * d).mean(1, keepdim=True) + 1e-3)
                        return (y + self.bias / self.weight) * self.weight
            """),
            pattern="layernorm_channels_manual_ios18",
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 6, 7]> x) {
                    tensor<fp16, [1, 2, 1, 1]> mean = reduce_mean(axes = tensor<int32, [2]>([2, 3]),
                        keep_dims = bool(true), x = x);
                    tensor<fp16, [1, 2, 6, 7]> d = sub(x = x, y = mean);
                    tensor<fp16, [1, 2, 6, 7]> s = square(x = d);
                    tensor<fp16, [1, 2, 1, 1]> variance = reduce_mean(axes = tensor<int32, [2]>([2, 3]),
                        keep_dims = bool(true), x = s);
                    tensor<fp16, [1, 2, 1, 1]> shifted = add(x = variance, y = fp16(1e-3));
                    tensor<fp16, [1, 2, 1, 1]> inverse = pow(x = shifted, y = fp16(-0.5));
                    tensor<fp16, [1, 2, 6, 7]> y = mul(x = d, y = inverse);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 6, 7]> x) {
                    tensor<fp16, [1, 2, 6, 7]> y = instance_norm(epsilon = fp16(1e-3), x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def contrast(x):
                    mean = x.mean((2, 3), keepdim=True)
                    variance = torch.square(x - mean).mean((2, 3), keepdim=True)
                    return (x - mean) * (variance + 1e-3) ** -0.5
            """),
            pytorch_after=pytorch("""
                def contrast(x):
                    return torch.nn.functional.instance_norm(x, eps=1e-3)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a standardization up to rank 4 that is not over the batch."""
        found = standardization(operation, graph)
        if found is None or found.rank > 4 or (found.rank > 2 and over_batch(found.axes, found.rank)):
            return
        spatial = found.rank == 4 and found.axes == (2, 3)
        norm = "instance" if spatial else "layer"
        yield self.finding(
            found.result,
            f"{norm} norm over {found.over} {found.written_out}",
            related=found.others,
            replacement=f"{norm}_norm",
            axes=list(found.axes),
        )
