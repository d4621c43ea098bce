"""ANE807: attention over a history so long that the program fails to compile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import axes


class LongAttention(OperationRule):
    """Attention reaches over a history so long that the engine's compiler gives up.

    ## Why it goes wrong
    A language model whose prefill attends to 32,768 positions failed to compile for the engine on an M3; the same one with
    8,192 did not. Loading and predicting succeed all the same: the whole prefill ran on the CPU, 38 times slower, and
    nothing but a line on the standard error says so ("ANECCompile() FAILED"). Where between the two the border lies, nobody
    published.

    ## Instead
    - Keep the history at 8,192 positions or fewer: a sliding window, or a cache of limited length.
    - Have one function for short and one for long histories, so that only the long one leaves.
    - Check on a Mac that the model compiled: `MLComputePlan` must show the engine.
    """

    code = "ANE807"
    name = "long-attention"
    operations = frozenset({"softmax", "scaled_dot_product_attention"})
    blocks = frozenset()
    rewrite = "limit the history to 8,192 positions (sliding window), or give long histories a function of their own"
    reject = (
        "MILCompilerForANE error: failed to compile ANE model using ANEF. Error=_ANECompiler : ANECCompile() FAILED"
    )
    evidence = (cite("nvmai7", Confidence.COMMUNITY, "H15"),)
    covers = ("ST09",)
    limits = ("attention-history",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 4, 8]> q, tensor<fp16, [1, 1, 32768, 8]> k,
                        tensor<fp16, [1, 1, 32768, 8]> v) {
                    tensor<fp16, [1, 1, 4, 8]> y = scaled_dot_product_attention(key = k, query = q, value = v);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 4, 8]> q, tensor<fp16, [1, 1, 8192, 8]> k,
                        tensor<fp16, [1, 1, 8192, 8]> v) {
                    tensor<fp16, [1, 1, 4, 8]> y = scaled_dot_product_attention(key = k, query = q, value = v);
                } -> (y);
            """),
            equal=False,
            reason="redesign: only the last 8,192 positions are kept",
            pytorch_before=pytorch("""
                y = F.scaled_dot_product_attention(q, cache_k, cache_v)
            """),
            pytorch_after=pytorch("""
                y = F.scaled_dot_product_attention(q, cache_k[:, :, -8192:], cache_v[:, :, -8192:])
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a softmax over, or attention to, too many positions."""
        limit = context.limit("attention-history")
        length = _softmax_length(operation) if operation.type == "softmax" else _keys(operation)
        if limit is not None and length is not None and length >= limit.value:
            yield self.finding(
                operation,
                f"attends to {length:,} positions; {int(limit.value):,} failed to compile, 8,192 did not",
                positions=length,
            )


def _softmax_length(operation: Node) -> int | None:
    tensor, over = operation.tensor("x"), axes(operation, "axis")
    return tensor.shape[over[0]] if tensor is not None and over is not None and len(over) == 1 else None


def _keys(operation: Node) -> int | None:
    key = operation.tensor("key")
    return key.shape[-2] if key is not None and key.rank > 1 else None
