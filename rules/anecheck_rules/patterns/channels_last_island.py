"""ANE224: a transpose to channels-last, layers over the last axis, and a transpose back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import axes
from anecheck_rules.forms.transposed_chains import ELEMENT_WISE, chain_to

OVER_CHANNELS: Final = frozenset({"linear", "layer_norm"})
"""What channels are moved to the end for."""

PASSING: Final = ELEMENT_WISE | OVER_CHANNELS

CHANNELS = 1
"""Their axis in the layout of a convolution."""

NORMS_CHANNELS = {"ios": (17,), "ipados": (17,), "macos": (14,)}
"""The first releases that normalise over the channel axis as well as over the last (ANE511)."""


class ChannelsLastIsland(OperationRule):
    """Channels are moved to the last axis for linear layers or a norm, and moved back.

    ## Why it costs
    `nn.Linear` and `nn.LayerNorm` want the channels last, convolutions want them second, so blocks such as ConvNeXt's go
    there and back: two transposes of the whole activation, of which neither computes anything. In between the tensor lies in
    a layout that suits the engine less: its last axis is padded to 64 bytes, and it is built around (B, C, H, W).

        x ─ transpose(0, 2, 3, 1) ─ layer_norm ─ linear ─ gelu ─ linear ─ transpose(0, 3, 1, 2)

        x ─ layer_norm(axes = 1) ── conv 1 × 1 ─ gelu ─ conv 1 × 1

    Apple's guidance for transformers on the engine is the same: keep (B, C, 1, S), make linear layers convolutions of 1 × 1,
    and avoid the copies. The numbers are the same ones, multiplied and summed alike.

    ## Instead
    - A linear layer is a convolution of size 1: `nn.Conv2d(i, o, 1)` with `weight[:, :, None, None]`.
    - A norm over the last axis is one over axis 1. Written as (x − mean(1)) / sqrt(var(1) + ε), with gain and shift of
      (C, 1, 1), coremltools makes one `layer_norm` of it for rank 4. ConvNeXt's own code has both forms.
    - Constants of C elements in between become (C, 1, 1).

    ## Known exceptions
    Where something else reads the values in between, or where more than element-wise operations, linear layers and norms
    lie there (an attention, a reshape), nothing is said.

    ## Contradictions
    On M4 a linear layer alone is as cheap on the engine as the convolution, so what there is to win are the two transposes.
    """

    code = "ANE224"
    name = "channels-last-island"
    operations = frozenset({"transpose"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "keep the channels in axis 1: 1 × 1 convolutions for linear layers, norms over axis 1"
    evidence = (
        cite("ml-ane-tf", Confidence.DOCUMENTED),
        cite("apple-coreai", Confidence.DOCUMENTED),
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 3, 2, 4]> x) {
                    tensor<fp16, [2, 3]> w = const()[val = tensor<fp16, [2, 3]>([[1, 0.5, -1], [2, 1, 0.25]])];
                    tensor<fp16, [3, 2]> v = const()[val = tensor<fp16, [3, 2]>([[1, 0.5], [-1, 2], [0.25, 1]])];
                    tensor<fp16, [1, 2, 4, 3]> t = transpose(perm = tensor<int32, [4]>([0, 2, 3, 1]), x = x);
                    tensor<fp16, [1, 2, 4, 2]> a = linear(bias = tensor<fp16, [2]>([1, -0.5]), weight = w, x = t);
                    tensor<fp16, [1, 2, 4, 2]> b = gelu(mode = string("EXACT"), x = a);
                    tensor<fp16, [1, 2, 4, 3]> c = linear(bias = tensor<fp16, [3]>([0, 1, 2]), weight = v, x = b);
                    tensor<fp16, [1, 3, 2, 4]> y = transpose(perm = tensor<int32, [4]>([0, 3, 1, 2]), x = c);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 3, 2, 4]> x) {
                    tensor<fp16, [2, 3, 1, 1]> w = const()[val = tensor<fp16, [2, 3, 1, 1]>(
                        [[[[1]], [[0.5]], [[-1]]], [[[2]], [[1]], [[0.25]]]])];
                    tensor<fp16, [3, 2, 1, 1]> v = const()[val = tensor<fp16, [3, 2, 1, 1]>(
                        [[[[1]], [[0.5]]], [[[-1]], [[2]]], [[[0.25]], [[1]]]])];
                    tensor<fp16, [1, 2, 2, 4]> a = conv(bias = tensor<fp16, [2]>([1, -0.5]),
                        dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"), strides = tensor<int32, [2]>([1, 1]),
                        weight = w, x = x);
                    tensor<fp16, [1, 2, 2, 4]> b = gelu(mode = string("EXACT"), x = a);
                    tensor<fp16, [1, 3, 2, 4]> y = conv(bias = tensor<fp16, [3]>([0, 1, 2]),
                        dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"), strides = tensor<int32, [2]>([1, 1]),
                        weight = v, x = b);
                } -> (y);
            """),
            pattern="nhwc_linear_mlp_ios18",
            pytorch_before=pytorch("""
                def forward(self, x):
                    x = self.up(x.permute(0, 2, 3, 1))
                    return self.down(torch.nn.functional.gelu(x)).permute(0, 3, 1, 2)
            """),
            pytorch_after=pytorch("""
                def __init__(self, up, down):
                    self.up = torch.nn.Conv2d(up.in_features, up.out_features, 1)
                    self.up.load_state_dict({"weight": up.weight[:, :, None, None], "bias": up.bias})
                    self.down = torch.nn.Conv2d(down.in_features, down.out_features, 1)
                    self.down.load_state_dict({"weight": down.weight[:, :, None, None], "bias": down.bias})

                def forward(self, x):
                    return self.down(torch.nn.functional.gelu(self.up(x)))
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag the transpose back, where the first one moved axis 1 to the end for layers that work there."""
        chain = chain_to(operation, graph, PASSING)
        if chain is None or not chain.is_undone or chain.permutations[0][-1] != CHANNELS:
            return
        layers = [node for node in chain.between if node.type in OVER_CHANNELS]
        rank = len(chain.composed)
        if all(node.type == "layer_norm" for node in layers) and context.target.is_since(NORMS_CHANNELS) is False:
            return  # there a norm over the channel axis overflows sooner than one over the last
        if not layers or any(node.type == "layer_norm" and axes(node) != (rank - 1,) for node in layers):
            return
        yield self.finding(
            operation,
            f"channels moved to the last axis and back for {chain.spelled}",
            related=(chain.first, *chain.between),
            moved=str(chain.first.tensor("x")),
        )
