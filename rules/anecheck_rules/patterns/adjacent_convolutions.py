"""ANE208: convolutions that could be one."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import maker, sizes


class AdjacentConvolutions(OperationRule):
    """Two convolutions or linear layers follow each other with nothing in between, and one would do with less work.

    ## Why it costs
    Without an activation between them two linear layers are one: W₂(W₁x + b₁) + b₂ = (W₂W₁)x + (W₂b₁ + b₂). Neither
    coremltools nor Core ML multiplies them out, so the result in the middle is written, read again and multiplied with twice.
    Apple's advice for the engine is to fuse consecutive small convolutions before the conversion.

        conv(k × k, D → M) ─ conv(1 × 1, M → N)          conv(k × k, D → N)
        conv(1 × 1, D → M) ─ conv(k × k, M → N)          conv(k × k, D → N)
        linear(D → M) ─ linear(M → N)                    linear(D → N)

    ## Instead
    Multiply the weights, once, before the conversion (PyTorch, for a pointwise second convolution):
    `w = torch.einsum("nm,mdhw->ndhw", second.weight[:, :, 0, 0], first.weight)`. Or put back the activation, or the
    normalisation, that is missing between them: two layers in a row are often a slip.

    ## Known exceptions
    Flagged is only what is exact and takes fewer multiplications than before. That leaves alone
    - depthwise-separable pairs, whose product is a dense kernel many times their size;
    - bottlenecks and low-rank factors (a middle that is narrower than what follows and no wider than what comes before), as
      between two blocks of MobileNet and in adapters: multiplied out they save little or nothing, and they are there on purpose;
    - a pointwise convolution with a bias before one that pads: at the edge the bias is missing, so one kernel cannot do both;
    - weights that are computed while the model runs, and groups.
    """

    code = "ANE208"
    name = "adjacent-convolutions"
    operations = frozenset({"conv", "linear"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "multiply the weights of both into one convolution before the conversion, or add the missing activation"
    evidence = (cite("apple-coreai", Confidence.DOCUMENTED),)
    covers = ("NF12",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 6, 6]> x) {
                    tensor<fp16, [2, 1, 3, 3]> w1 = const()[val = tensor<fp16, [2, 1, 3, 3]>(
                        [[[[1, 0, -1], [2, 0, -2], [1, 0, -1]]], [[[0, 1, 0], [1, -4, 1], [0, 1, 0]]]])];
                    tensor<fp16, [2, 2, 1, 1]> w2 = const()[val = tensor<fp16, [2, 2, 1, 1]>(
                        [[[[1]], [[2]]], [[[-1]], [[0.5]]]])];
                    tensor<fp16, [1, 2, 6, 6]> m = conv(bias = tensor<fp16, [2]>([1, -2]),
                        dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([1, 1, 1, 1]), pad_type = string("custom"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w1, x = x);
                    tensor<fp16, [1, 2, 6, 6]> y = conv(bias = tensor<fp16, [2]>([0.5, 0]),
                        dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w2, x = m);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 6, 6]> x) {
                    tensor<fp16, [2, 1, 3, 3]> w = const()[val = tensor<fp16, [2, 1, 3, 3]>(
                        [[[[1, 2, -1], [4, -8, 0], [1, 2, -1]]], [[[-1, 0.5, 1], [-1.5, -2, 2.5], [-1, 0.5, 1]]]])];
                    tensor<fp16, [1, 2, 6, 6]> y = conv(bias = tensor<fp16, [2]>([-2.5, -2]),
                        dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([1, 1, 1, 1]), pad_type = string("custom"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                head = nn.Sequential(nn.Conv2d(256, 256, 3, padding=1), nn.Conv2d(256, 255, 1))
            """),
            pytorch_after=pytorch("""
                def merged(first, second):
                    weight = second.weight[:, :, 0, 0]
                    conv = nn.Conv2d(first.in_channels, second.out_channels, first.kernel_size, padding=first.padding)
                    conv.weight.data = torch.einsum("nm,mdhw->ndhw", weight, first.weight)
                    conv.bias.data = weight @ first.bias + second.bias
                    return conv
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 3, 2]> x) {
                    tensor<fp16, [3, 2]> w1 = const()[val = tensor<fp16, [3, 2]>([[1, 2], [-1, 0.5], [0, 1]])];
                    tensor<fp16, [2, 3]> w2 = const()[val = tensor<fp16, [2, 3]>([[1, 1, 1], [2, 0, -1]])];
                    tensor<fp16, [1, 3, 3]> m = linear(bias = tensor<fp16, [3]>([1, 0, -1]), weight = w1, x = x);
                    tensor<fp16, [1, 3, 2]> y = linear(bias = tensor<fp16, [2]>([0, 1]), weight = w2, x = m);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 3, 2]> x) {
                    tensor<fp16, [2, 2]> w = const()[val = tensor<fp16, [2, 2]>([[0, 3.5], [2, 3]])];
                    tensor<fp16, [1, 3, 2]> y = linear(bias = tensor<fp16, [2]>([0, 4]), weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                projection = nn.Sequential(nn.Linear(512, 512), nn.Linear(512, 256))
            """),
            pytorch_after=pytorch("""
                def merged(first, second):
                    linear = nn.Linear(first.in_features, second.out_features)
                    linear.weight.data = second.weight @ first.weight
                    linear.bias.data = second.weight @ first.bias + second.bias
                    return linear
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag the second of two, where the first has no other reader."""
        first = maker(operation.operand("x"), operation.type)
        if first is None or graph.only_user(first.outputs[0]) is not operation:
            return
        before, after = _weight(first), _weight(operation)
        if before is None or after is None or before[0] != after[1]:
            return
        source, middle, end = before[1], before[0], after[0]
        taps = _merged_taps(first, operation, before, after)
        if taps is None or (middle < end and middle <= source):
            return
        work, merged = prod(before) + prod(after), taps * source * end
        if merged >= work:
            return
        one = "linear layer" if operation.type == "linear" else "convolution"
        share = round(100 * merged / work)
        yield self.finding(
            operation,
            f"{_text(before)} and {_text(after)} with nothing between them would be one {one} with {share} % of the weights",
            related=(first,),
            weights=work,
            merged_weights=merged,
        )


def _weight(node: Node) -> tuple[int, ...] | None:
    """The sizes of a constant weight: outputs, inputs, taps."""
    weight = node.operand("weight")
    return sizes(weight) if weight is not None and weight.is_constant else None


def _merged_taps(first: Node, second: Node, before: tuple[int, ...], after: tuple[int, ...]) -> int | None:
    """How many taps the product of two has; `None` where one convolution cannot compute exactly the same."""
    if first.type == "linear":
        return 1
    if any(node.operand("groups") and node.scalar("groups") != 1 for node in (first, second)):
        return None
    if prod(after[2:]) == 1 and not _pads(second) and not _strides(second):
        return prod(before[2:])
    inert = prod(before[2:]) == 1 and not _pads(first) and not _strides(first)
    if inert and (first.operand("bias") is None or not _pads(second)):
        return prod(after[2:])
    return None


def _strides(convolution: Node) -> bool:
    return any(step != 1 for step in convolution.constant("strides") or ())


def _pads(convolution: Node) -> bool:
    """Whether a convolution reads zeros beyond the edge, or may."""
    kind = convolution.scalar("pad_type") if convolution.operand("pad_type") else "valid"
    if kind == "valid":
        return False
    if kind == "custom":
        return any(convolution.constant("pad") or ())
    weight = convolution.tensor("weight")
    return weight is None or any(size != 1 for size in weight.shape[2:])


def _text(weight: tuple[int, ...]) -> str:
    """A layer by its size, for people: "3 × 3 (64 → 32)" or "512 → 256"."""
    channels = f"{weight[1]} → {weight[0]}"
    return f"{' × '.join(map(str, weight[2:]))} ({channels})" if weight[2:] else channels
