"""ANE233: a model of linear layers over (batch, sequence, channels)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.forms.transposed_chains import chain_to
from anecheck_rules.patterns.channels_last_island import PASSING

FEWEST: Final = 4
"""So many layers are a model of them: a single attention has as many projections. Fewer are somebody's head."""
ATTENTION: Final = ("softmax", "scaled_dot_product_attention")
"""One of these is in every transformer, which the advice is for."""
RANKS: Final = frozenset({3, 4})


class SequenceMajorLinear(ModelRule):
    """A transformer's linear layers work on (batch, sequence, channels).

    ## What it means
    Apple's guidance for transformers on the engine lays activations out as (B, C, 1, S) and makes every linear layer a
    convolution of size 1: the layout that the engine is built around, with the sequence on the last axis, which is the one
    padded to 64 bytes, and no reshapes or transposes around attention. It reported up to ten times the speed, together with
    attention split by heads and einsums that fit the layout.

        x (B, S, C) ─ linear ─ gelu ─ linear                       tokens first, as PyTorch has it

        x (B, C, 1, S) ─ conv 1 × 1 ─ gelu ─ conv 1 × 1            the same numbers, channels first

    ## Instead
    It is a decision for the whole model, worth trying where latency on the engine matters and before anything else is tuned:
    `nn.Conv2d(i, o, 1)` for `nn.Linear(i, o)` with `weight[:, :, None, None]`, norms over axis 1, masks of (1, K, 1, Q), and
    attention for each head by `einsum("bchq,bkhc->bkhq", …)`. Convert one layer in both forms and time them on the oldest
    chip that counts: if they are equal, stay.

    ## Contradictions
    Apple's figure measures several changes at once. Later measurements found
    both forms cheap: on M4 a `linear` is planned for the engine and as fast as the convolution, and users of Core ML language
    models report that newer compilers narrow the gap. The engine's compiler is reported to make a convolution of a product
    with constant weights under 2 MB by itself, and to cut larger ones into tiles (reverse-engineered); those profit most. One
    report for M1 found (B, C, 8, 8) half again as fast as (B, C, 1, 64), so that even the layout advised may not be the
    fastest. Advice to put channels last for the engine, which is found here and there, contradicts Apple's and has no
    measurement behind it.
    """

    code = "ANE233"
    name = "sequence-major-linear"
    severity = Severity.INFO
    rewrite = "try (B, C, 1, S) with 1 × 1 convolutions on one layer, and measure"
    covers = ("SH11", "SH13", "NF08", "NF09", "AT11")
    evidence = (
        cite("ml-ane-tf", Confidence.DOCUMENTED),
        cite("apple-coreai", Confidence.DOCUMENTED),
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("guide22", Confidence.REVERSE_ENGINEERED),
        cite("smp-cli", Confidence.COMMUNITY, "H13"),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 3, 2]> x) {
                    tensor<fp16, [1, 3, 2]> h0 = linear(weight = tensor<fp16, [2, 2]>([[0.5, 1], [1, -0.5]]), x = x);
                    tensor<fp16, [1, 3, 2]> a0 = relu(x = h0);
                    tensor<fp16, [1, 3, 2]> h1 = linear(weight = tensor<fp16, [2, 2]>([[1, 0.5], [-1, 2]]), x = a0);
                    tensor<fp16, [1, 3, 2]> a1 = tanh(x = h1);
                    tensor<fp16, [1, 3, 2]> h2 = linear(weight = tensor<fp16, [2, 2]>([[0.5, 1], [1, -0.5]]), x = a1);
                    tensor<fp16, [1, 3, 2]> a2 = softmax(axis = int32(2), x = h2);
                    tensor<fp16, [1, 3, 2]> y = linear(weight = tensor<fp16, [2, 2]>([[1, 0.5], [-1, 2]]), x = a2);
                } -> (y);
            """),
            flags=("",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 3, 2]> x) {
                    tensor<int32, [2]> one = const()[val = tensor<int32, [2]>([1, 1])];
                    tensor<int32, [4]> none = const()[val = tensor<int32, [4]>([0, 0, 0, 0])];
                    tensor<fp16, [1, 2, 3]> t = transpose(perm = tensor<int32, [3]>([0, 2, 1]), x = x);
                    tensor<fp16, [1, 2, 1, 3]> e = expand_dims(axes = tensor<int32, [1]>([2]), x = t);
                    tensor<fp16, [2, 2, 1, 1]> w0 = const()[val = tensor<fp16, [2, 2, 1, 1]>(
                        [[[[0.5]], [[1]]], [[[1]], [[-0.5]]]])];
                    tensor<fp16, [1, 2, 1, 3]> h0 = conv(dilations = one, groups = int32(1), pad = none,
                        pad_type = string("valid"), strides = one, weight = w0, x = e);
                    tensor<fp16, [1, 2, 1, 3]> a0 = relu(x = h0);
                    tensor<fp16, [2, 2, 1, 1]> w1 = const()[val = tensor<fp16, [2, 2, 1, 1]>(
                        [[[[1]], [[0.5]]], [[[-1]], [[2]]]])];
                    tensor<fp16, [1, 2, 1, 3]> h1 = conv(dilations = one, groups = int32(1), pad = none,
                        pad_type = string("valid"), strides = one, weight = w1, x = a0);
                    tensor<fp16, [1, 2, 1, 3]> a1 = tanh(x = h1);
                    tensor<fp16, [2, 2, 1, 1]> w2 = const()[val = tensor<fp16, [2, 2, 1, 1]>(
                        [[[[0.5]], [[1]]], [[[1]], [[-0.5]]]])];
                    tensor<fp16, [1, 2, 1, 3]> h2 = conv(dilations = one, groups = int32(1), pad = none,
                        pad_type = string("valid"), strides = one, weight = w2, x = a1);
                    tensor<fp16, [1, 2, 1, 3]> a2 = softmax(axis = int32(1), x = h2);
                    tensor<fp16, [2, 2, 1, 1]> w3 = const()[val = tensor<fp16, [2, 2, 1, 1]>(
                        [[[[1]], [[0.5]]], [[[-1]], [[2]]]])];
                    tensor<fp16, [1, 2, 1, 3]> h3 = conv(dilations = one, groups = int32(1), pad = none,
                        pad_type = string("valid"), strides = one, weight = w3, x = a2);
                    tensor<fp16, [1, 2, 3]> s = squeeze(axes = tensor<int32, [1]>([2]), x = h3);
                    tensor<fp16, [1, 3, 2]> y = transpose(perm = tensor<int32, [3]>([0, 2, 1]), x = s);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def __init__(self, width):
                    self.layers = torch.nn.ModuleList(torch.nn.Linear(width, width) for _ in range(4))
            """),
            pytorch_after=pytorch("""
                def __init__(self, width):
                    self.layers = torch.nn.ModuleList(torch.nn.Conv2d(width, width, 1) for _ in range(4))
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Count the linear layers of each function that channels are not moved to the end for."""
        for function in context.functions:
            graph = function.graph
            linear = [node for node in graph.by_type.get("linear", []) if _is_sequence_major(node)]
            if len(linear) < FEWEST or not any(kind in graph.by_type for kind in ATTENTION):
                continue
            islands = _in_islands(graph)
            linear = [node for node in linear if node not in islands]
            if len(linear) >= FEWEST:
                text = f"{len(linear)} linear layers of a transformer take channels last, the first {linear[0].tensor('x')}"
                yield self.finding(text, function=function, layers=len(linear))


def _is_sequence_major(node: Node) -> bool:
    tensor = node.tensor("x")
    return tensor is not None and tensor.rank in RANKS and any(size != 1 for size in tensor.shape[:-1])


def _in_islands(graph: Graph) -> frozenset[Node]:
    """The operations between a transpose to channels-last and the one back, which are a finding of their own."""
    chains = (chain_to(node, graph, PASSING) for node in graph.by_type.get("transpose", []))
    return frozenset(node for chain in chains if chain is not None and chain.is_undone for node in chain.between)
