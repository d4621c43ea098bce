"""ANE123: reflected padding on engines without a texture unit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node

BEFORE_MEASURED = ("H13", "H14", "H15")


class PaddingMode(OperationRule):
    """A tensor is padded by reflecting or repeating its edge, which older engines do not do.

    ## Why it leaves the engine
    Reflected padding is read through the texture engine, hardware that begins with A15 and M2; A14, M1 and older have
    none. Repeating the edge ("replicate") is refused by strings in the compiler of an M2 host, though Core ML's plan on M4
    lists it as supported: before M4 nobody measured it.

    ## Instead
    Build the border from slices: `reverse` of the rows next to the edge for reflection, the edge row itself for
    replication, joined with `concat`. Or pad with zeros, where the network may be trained that way.

    ## Contradictions
    Strings in the compiler (rs-strings) refuse to repeat the edge, and want one mode on all axes. M4's plan lists the engine
    for both modes, so nothing is said from M4 on; before it repeating is a hint and is not counted as lost.
    """

    code = "ANE123"
    name = "padding-mode"
    operations = frozenset({"pad"})
    rewrite = "build the border from slices and concat it, or pad with zeros"
    evidence = (cite("guide-a", Confidence.REVERSE_ENGINEERED, "H11", "H12", "H13"),)
    covers = ("OP33",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 2, 4, 2]> x) {
                    tensor<fp16, [1, 2, 6, 2]> y = pad(constant_val = fp16(0), mode = string("reflect"),
                        pad = tensor<int32, [8]>([0, 0, 0, 0, 1, 1, 0, 0]), x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 2, 4, 2]> x) {
                    tensor<fp16, [1, 2, 1, 2]> above = slice_by_size(begin = tensor<int32, [4]>([0, 0, 1, 0]),
                        size = tensor<int32, [4]>([1, 2, 1, 2]), x = x);
                    tensor<fp16, [1, 2, 1, 2]> below = slice_by_size(begin = tensor<int32, [4]>([0, 0, 2, 0]),
                        size = tensor<int32, [4]>([1, 2, 1, 2]), x = x);
                    tensor<fp16, [1, 2, 6, 2]> y = concat(axis = int32(2), interleave = bool(false),
                        values = (above, x, below));
                } -> (y);
            """),
            target="m1",
            pytorch_before=pytorch("""
                def forward(self, x):
                    return F.pad(x, (0, 0, 1, 1), mode="reflect")
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return torch.cat([x[:, :, 1:2], x, x[:, :, -2:-1]], 2)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag `reflect` before H14; hint at `replicate` on families where nobody measured it."""
        mode = operation.scalar("mode")
        if mode == "reflect":
            yield self.finding(
                operation,
                "reflected padding needs a texture engine",
                families=context.knowledge.families_without("texture-engine"),
            )
        elif mode == "replicate":
            yield self.finding(
                operation,
                "padding by repeating the edge was only measured on M4",
                families=BEFORE_MEASURED,
                blocks=False,
                severity=Severity.INFO,
                evidence=(cite("rs-strings", Confidence.FOLKLORE),),
            )
