"""ANE245: a vocabulary projected at every position."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.types import TensorType

AFTERWARDS = frozenset(
    {
        *("reshape", "transpose", "squeeze", "expand_dims", "cast", "add", "mul", "real_div", "tanh", "identity"),
        *("softmax", "reduce_argmax", "reduce_max", "topk", "split"),
    }
)
"""What stands between the projection and the output of a language model: biases, soft caps, the choice of a token."""

FARTHEST = 8
"""How many of these operations are followed; a soft cap with a softmax, a choice and a cast are six."""


class WholeSequenceLogits(OperationRule):
    """The layer that scores the vocabulary does so at every position of the sequence.

    ## Why it costs
    Who generates text wants the next token, for which the scores of the last position do. Over a prompt of 64 tokens and
    GPT-2's vocabulary of 50,257 the layer computes 64 times that, and hands 6.4 MB of scores to the app where 100 KB are
    read. The layer is also the widest of the model, the first to meet the engine's limit on the last axis (16,384 up to A16
    and M3): over the whole sequence it was seen off the engine on an M1, and the advice from there is to give it the last
    token alone.

        h [1, T, d] ─ linear ─ logits [1, T, vocabulary]

        h [1, T, d] ─ slice the position wanted [1, 1, d] ─ linear ─ logits [1, 1, vocabulary]

    ## Instead
    Slice the hidden state before the layer: the last position where prompts fill the length, or else the one that a one-hot
    input picks by a matrix product, which stays on the engine. Where the vocabulary is wider than the engine's limit, split
    the layer besides.

    ## Known exceptions
    Masked language models, speech models that align every frame, and speculative decoding do want every position. A model
    for single tokens has none to spare and is not flagged; nor is a vocabulary of 16,384 or less.
    """

    code = "ANE245"
    name = "whole-sequence-logits"
    operations = frozenset({"linear", "matmul", "conv"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "slice the position wanted before the layer, if only the next token is read"
    limits = ("vocabulary-columns",)
    evidence = (cite("smp-notes", Confidence.COMMUNITY, "H13"), cite("751k-analytics", Confidence.MEASURED, "H16"))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 4, 2]> h) {
                    tensor<fp16, [32000, 2]> w = const()[val = tensor<fp16, [32000, 2]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [32000]> b = const()[val = tensor<fp16, [32000]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(128064)))];
                    tensor<fp16, [1, 4, 32000]> logits = linear(bias = b, weight = w, x = h);
                } -> (logits);
            """),
            flags=("logits",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 4, 2]> h) {
                    tensor<fp16, [32000, 2]> w = const()[val = tensor<fp16, [32000, 2]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [32000]> b = const()[val = tensor<fp16, [32000]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(128064)))];
                    tensor<fp16, [1, 1, 2]> last = slice_by_size(begin = tensor<int32, [3]>([0, 3, 0]),
                        size = tensor<int32, [3]>([1, 1, 2]), x = h);
                    tensor<fp16, [1, 1, 32000]> logits = linear(bias = b, weight = w, x = last);
                } -> (logits);
            """),
            equal=False,
            reason="redesign: the model returns the scores of the last position alone, those that the app reads",
            pytorch_before=pytorch("""
                def forward(self, tokens):
                    return self.lm_head(self.model(tokens))
            """),
            pytorch_after=pytorch("""
                def forward(self, tokens):
                    return self.lm_head(self.model(tokens)[:, -1:])
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a layer that gives a vocabulary's width at several positions, and whose result the function returns."""
        limit, result = context.limit("vocabulary-columns"), operation.outputs[0].tensor if operation.outputs else None
        if limit is None or result is None or result.rank < 3:
            return
        columns = result.shape[1 if operation.type == "conv" else -1]
        if columns is None or columns <= limit.value or not _has_weights(operation):
            return
        positions = _positions(operation, result)
        if positions == 1 or not _is_returned(operation, graph):
            return
        where = f"at {positions:,} positions" if positions is not None else "at as many positions as come in"
        yield self.finding(
            operation,
            f"scores a vocabulary of {columns:,} {where}, where the next token takes one",
            vocabulary=columns,
            positions=positions,
        )


def _has_weights(operation: Node) -> bool:
    weight = operation.operand("y" if operation.type == "matmul" else "weight")
    return weight is not None and weight.is_constant


def _positions(operation: Node, result: TensorType) -> int | None:
    """How many positions of one sequence are scored: all axes but the batch and the vocabulary; `None` if unknown."""
    sizes = result.shape[2:] if operation.type == "conv" else result.shape[1:-1]
    known = [size for size in sizes if size is not None]
    return prod(known) if len(known) == len(sizes) else None


def _is_returned(operation: Node, graph: Graph) -> bool:
    """Whether the function returns a layer's result, as it is or after what belongs to the choice of a token."""
    node = operation
    for _ in range(FARTHEST):
        if any(graph.is_output(output) for output in node.outputs):
            return True
        users = graph.users(node)
        if len(users) != 1 or users[0].type not in AFTERWARDS:
            return False
        node = users[0]
    return False
