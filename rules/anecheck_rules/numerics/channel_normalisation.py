"""ANE511: layer norms over the channels on macOS 13 and earlier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import axes

FIXED = {"macos": (14,), "ios": (17,), "ipados": (17,)}
"""The first release of each system without the defect."""


class ChannelNormalisation(OperationRule):
    """A layer norm over the channel axis overflows earlier than one over the last axis, up to macOS 13.

    ## Why it goes wrong
    Before macOS 14, `layer_norm` with axes = [1] on a [B, C, 1, S] tensor overflowed for large inputs on M1 that the same norm
    with axes = [3] took without harm. Residual streams of language models are large enough for it.

    ## Instead
    Transpose so that the channels are last, normalise there, and transpose back; or require macOS 14 and iOS 17, where the
    channel-first norm is as good and saves the transposes.

        x ──> transpose(0, 2, 3, 1) ──> layer_norm(axes = [3]) ──> transpose(0, 3, 1, 2) ──> y

    ## Contradictions
    Apple's ml-ane-transformers keeps channels in the second axis for everything on the engine, norms included, and clips
    before it normalises. One report (more-ane-transformers) stands against it, so this is a hint, and only for a target
    that names such a release.
    """

    code = "ANE511"
    name = "channel-normalisation"
    severity = Severity.INFO
    operations = frozenset({"layer_norm"})
    blocks = frozenset()
    releases = "up to macOS 13 and iOS 16"
    rewrite = "transpose so that the channels are last, or require macOS 14 and iOS 17"
    covers = ("NU06",)
    evidence = (cite("smp-notes", Confidence.COMMUNITY, "H13"),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios16>(tensor<fp16, [1, 64, 1, 16]> x) {
                    tensor<fp16, [1, 64, 1, 16]> y = layer_norm(axes = tensor<int32, [1]>([1]), epsilon = fp16(0x1p-10),
                        x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios16>(tensor<fp16, [1, 64, 1, 16]> x) {
                    tensor<fp16, [1, 1, 16, 64]> last = transpose(perm = tensor<int32, [4]>([0, 2, 3, 1]), x = x);
                    tensor<fp16, [1, 1, 16, 64]> norm = layer_norm(axes = tensor<int32, [1]>([3]), epsilon = fp16(0x1p-10),
                        x = last);
                    tensor<fp16, [1, 64, 1, 16]> y = transpose(perm = tensor<int32, [4]>([0, 3, 1, 2]), x = norm);
                } -> (y);
            """),
            target="m1/macos13",
            pytorch_before=pytorch("""
                class LayerNormANE(torch.nn.Module):
                    def forward(self, x):
                        centred = x - x.mean(dim=1, keepdim=True)
                        return centred * (centred.square().mean(dim=1, keepdim=True) + 2**-10).rsqrt()
            """),
            pytorch_after=pytorch("""
                class LayerNormANE(torch.nn.Module):
                    def forward(self, x):
                        x = torch.nn.functional.layer_norm(x.permute(0, 2, 3, 1), (x.shape[1],), eps=2**-10)
                        return x.permute(0, 3, 1, 2)
            """),
        ),
    )

    def concerns(self, kind: str, context: Context) -> bool:
        """Only where the target is a release of then."""
        return kind == "layer_norm" and context.target.is_since(FIXED) is False

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag axes = [1] at rank 4 where the target is a release of then."""
        x = operation.tensor("x")
        if x is not None and x.rank == 4 and axes(operation) == (1,):
            yield self.finding(operation, f"layer_norm over the channel axis on {context.target.os}")
