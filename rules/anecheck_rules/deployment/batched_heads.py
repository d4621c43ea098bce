"""ANE804: heads split off in a rank-5 tensor with a batch, which fails to compile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import sizes

PARTS = 3
"""Query, key and value."""
PARTS_AXIS = 2
RANK = 5
TAKING_APART = frozenset({"split", "slice_by_index", "slice_by_size", "gather"})


class BatchedHeads(OperationRule):
    """Query, key and value of a batch are taken out of one rank-5 tensor.

    ## Why it goes wrong
    A reshape to (batch, tokens, 3, heads, size) that is then taken apart along the axis of 3 compiles for a batch of one. With
    a batch of two or more the engine's compiler fails when the model is loaded ("ANECCompile() FAILED" in the log). Core ML
    says nothing: the model loads, predicts, and runs on the CPU, all of it. Seen on an M2 with macOS 26 and 27.

        linear ─▶ reshape (B, S, 3, H, D) ─▶ transpose ─▶ slice × 3     fails for B > 1
        linear ─▶ split × 3 (B, S, H·D) ─▶ reshape (B, S, H, D)         the same numbers at rank 4

    ## Instead
    Split the projection along its last axis into three and reshape each to rank 4: bit by bit the same values. Three separate
    `nn.Linear` layers do as well.

    ## Known exceptions
    A batch of one is not flagged here. Whether other chips fail as well, nobody has published.
    """

    code = "ANE804"
    name = "batched-heads"
    operations = frozenset({"reshape"})
    blocks = frozenset()
    rewrite = "split the projection along its last axis into three, then reshape each to rank 4"
    reject = (
        "MILCompilerForANE error: failed to compile ANE model using ANEF. Error=_ANECompiler : ANECCompile() FAILED"
    )
    evidence = (cite("eeane", Confidence.COMMUNITY, "H14"),)
    covers = ("SH02",)
    releases = "seen on macOS 26 and 27"
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [2, 4, 24]> x) {
                    tensor<fp16, [2, 4, 3, 2, 4]> r = reshape(shape = tensor<int32, [5]>([2, 4, 3, 2, 4]), x = x);
                    tensor<fp16, [2, 4, 1, 2, 4]> a, tensor<fp16, [2, 4, 1, 2, 4]> b, tensor<fp16, [2, 4, 1, 2, 4]> c =
                        split(axis = int32(2), num_splits = int32(3), x = r);
                    tensor<fp16, [2, 4, 2, 4]> q = squeeze(axes = tensor<int32, [1]>([2]), x = a);
                    tensor<fp16, [2, 4, 2, 4]> k = squeeze(axes = tensor<int32, [1]>([2]), x = b);
                    tensor<fp16, [2, 4, 2, 4]> v = squeeze(axes = tensor<int32, [1]>([2]), x = c);
                } -> (q, k, v);
            """),
            flags=("r",),
            after=mil("""
                func main<ios18>(tensor<fp16, [2, 4, 24]> x) {
                    tensor<fp16, [2, 4, 8]> a, tensor<fp16, [2, 4, 8]> b, tensor<fp16, [2, 4, 8]> c =
                        split(axis = int32(2), num_splits = int32(3), x = x);
                    tensor<fp16, [2, 4, 2, 4]> q = reshape(shape = tensor<int32, [4]>([2, 4, 2, 4]), x = a);
                    tensor<fp16, [2, 4, 2, 4]> k = reshape(shape = tensor<int32, [4]>([2, 4, 2, 4]), x = b);
                    tensor<fp16, [2, 4, 2, 4]> v = reshape(shape = tensor<int32, [4]>([2, 4, 2, 4]), x = c);
                } -> (q, k, v);
            """),
            pytorch_before=pytorch("""
                q, k, v = self.qkv(x).view(batch, tokens, 3, heads, size).unbind(2)
            """),
            pytorch_after=pytorch("""
                q, k, v = (part.view(batch, tokens, heads, size) for part in self.qkv(x).chunk(3, dim=-1))
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a reshape to (batch > 1, tokens, 3, heads, size) that is taken apart, perhaps after a transpose."""
        shape = sizes(operation.outputs[0])
        if shape is None or len(shape) != RANK or shape[0] == 1 or shape[PARTS_AXIS] != PARTS:
            return
        users = graph.users(operation)
        behind = [after for user in users if user.type == "transpose" for after in graph.users(user)]
        if any(user.type in TAKING_APART for user in (*users, *behind)):
            batch, tokens, _, heads, size = shape
            yield self.finding(
                operation,
                f"query, key and value of a batch of {batch} at rank 5 ({tokens} tokens, {heads} heads of {size})",
                shape=list(shape),
            )
