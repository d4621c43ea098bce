"""ANE205: group normalisation in its parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import maker, sole_user
from anecheck_rules.forms.standardization import ROOTS, standardization


class WrittenOutGroupNorm(OperationRule):
    """A group normalisation is written out in its parts, on tensors of rank 5.

    ## Why it costs
    MIL has no group normalisation. coremltools makes nine operations of `torch.nn.GroupNorm`, and eleven with scale and
    shift: the channels are split off into a fifth axis, and mean, difference, square and quotient each go over the whole
    tensor at rank 5, the highest that the engine takes: for 16 channels of 32 × 32 5.4 µs by Core ML's estimates for M4,
    against 2.7 for the form below. Every square is fp16 and infinite beyond 256.

        x ─ reshape (B, G, C/G, H, W) ─┬─ reduce_mean ─ sub ─┬─ square ─ reduce_mean ─ add(ε) ─ sqrt ─ real_div ─ reshape
                                       └─────────────────┘   └───────────────────────────────────────┘

        x ─ reshape (B, G, C/G·H, W) ─ instance_norm ─ reshape

    A U-Net of Stable Diffusion has some sixty of them.

    ## Instead
    Lay the channels of a group and the height into one axis. Then the tensor has rank 4 with a "channel" for each group,
    and `instance_norm` over the other two axes is the group norm, number for number, in one operation. Scale and shift per
    channel follow after the second reshape as before. In PyTorch: `functional.instance_norm(x.reshape(b, g, -1, w))`.
    `GroupNorm(1, C)` is `layer_norm` over axes 1, 2 and 3 without any reshape.

    ## Known exceptions
    Mind the axis that is made: A14 to A16 and M1 to M3 take 16384 in height. Where C/G·H is more, put the channels of the
    group alone on the third axis and lay height and width together on the fourth, or the other way round.
    """

    code = "ANE205"
    name = "written-out-group-norm"
    operations = ROOTS
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "reshape to (B, G, C/G·H, W), take instance_norm of that, and reshape back"
    evidence = (
        cite("apple-coreai", Confidence.DOCUMENTED),
        cite("ct-passes", Confidence.DOCUMENTED),
        cite("751k-analytics", Confidence.MEASURED, "H16"),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [1, 4, 4, 32, 32]> g = reshape(shape = tensor<int32, [5]>([1, 4, 4, 32, 32]), x = x);
                    tensor<fp16, [1, 4, 1, 1, 1]> mean = reduce_mean(axes = tensor<int32, [3]>([2, 3, 4]),
                        keep_dims = bool(true), x = g);
                    tensor<fp16, [1, 4, 4, 32, 32]> d = sub(x = g, y = mean);
                    tensor<fp16, [1, 4, 4, 32, 32]> s = square(x = d);
                    tensor<fp16, [1, 4, 1, 1, 1]> variance = reduce_mean(axes = tensor<int32, [3]>([2, 3, 4]),
                        keep_dims = bool(true), x = s);
                    tensor<fp16, [1, 4, 1, 1, 1]> shifted = add(x = variance, y = fp16(1e-5));
                    tensor<fp16, [1, 4, 1, 1, 1]> deviation = sqrt(x = shifted);
                    tensor<fp16, [1, 4, 4, 32, 32]> n = real_div(x = d, y = deviation);
                    tensor<fp16, [1, 16, 32, 32]> y = reshape(shape = tensor<int32, [4]>([1, 16, 32, 32]), x = n);
                } -> (y);
            """),
            flags=("n",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [1, 4, 128, 32]> g = reshape(shape = tensor<int32, [4]>([1, 4, 128, 32]), x = x);
                    tensor<fp16, [1, 4, 128, 32]> n = instance_norm(epsilon = fp16(1e-5), x = g);
                    tensor<fp16, [1, 16, 32, 32]> y = reshape(shape = tensor<int32, [4]>([1, 16, 32, 32]), x = n);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                norm = nn.GroupNorm(4, 16)
            """),
            pytorch_after=pytorch("""
                class GroupNorm(nn.GroupNorm):
                    def forward(self, x):
                        b, c, h, w = x.shape
                        y = nn.functional.instance_norm(x.reshape(b, self.num_groups, -1, w), eps=self.eps)
                        return y.reshape(b, c, h, w) * self.weight[:, None, None] + self.bias[:, None, None]
            """),
            pattern="groupnorm_ios18",
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a standardization of rank 5 over the last three axes, between two reshapes."""
        found = standardization(operation, graph)
        if found is None or found.rank != 5 or found.axes != (2, 3, 4):
            return
        split, tensor = maker(found.source, "reshape"), found.source.tensor
        joined = sole_user(found.affine[-1] if found.affine else found.result, graph, "reshape")
        if split is None or joined is None or tensor is None:
            return
        groups = tensor.shape[1]
        yield self.finding(
            found.result,
            f"group norm over {groups or '?'} groups written out in {len(found.operations) + len(found.affine) + 2} "
            f"operations at rank 5",
            related=(split, *found.others, joined),
            groups=groups,
        )
