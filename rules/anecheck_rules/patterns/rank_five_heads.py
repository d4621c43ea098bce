"""ANE229: query, key and value taken apart at rank 5."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import maker, sizes, sole_user

RANK: Final = 5
PARTS: Final = frozenset({2, 3})
"""Keys and values of a cross attention, or queries as well."""
ON_THE_WAY: Final = ("expand_dims", "transpose", "squeeze")
TAKING_APART: Final = frozenset({"split", "slice_by_index", "slice_by_size", "gather"})


class RankFiveHeads(OperationRule):
    """One projection makes queries, keys and values, and they are told apart at rank 5.

    ## Why it costs
    The usual way, (batch, tokens, 3, heads, size) turned so that the axis of 3 comes first, moves the whole projection once
    at rank 5, and then each part is copied out of it. The parts lie side by side in the last axis of the projection: a split
    there takes them apart before anything is moved, and each is turned to (batch, heads, tokens, size) at rank 4.

        linear ─ reshape (B, S, 3, H, D) ─ transpose (3, B, H, S, D) ─ slice × 3

        linear ─ split × 3 (B, S, H·D) ─ reshape (B, S, H, D) ─ transpose (B, H, S, D)

    `nn.MultiheadAttention` does the same with an axis more and moves the tokens to the front and back besides, so that each
    layer has some ten reshapes and transposes that compute nothing.

    ## Instead
    `q, k, v = self.qkv(x).chunk(3, dim=-1)`, then `view` and `transpose` for each; or three projections, whose weights are
    the thirds of the one. Bit by bit the same numbers. In place of `nn.MultiheadAttention` write the three projections and
    `scaled_dot_product_attention`.

    ## Known exceptions
    With a batch of more than one the same view can fail to compile: that is batched-heads, which then speaks alone.
    """

    code = "ANE229"
    name = "rank-five-heads"
    operations = frozenset({"reshape"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "split the projection along its last axis, then reshape each part to rank 4"
    evidence = (
        cite("ml-ane-tf", Confidence.DOCUMENTED),
        cite("eeane", Confidence.COMMUNITY, "H14"),
        cite("coremltools-9", Confidence.DOCUMENTED),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 3, 2]> x) {
                    tensor<fp16, [12, 2]> w = const()[val = tensor<fp16, [12, 2]>(
                        [[1, 0.5], [-1, 2], [0.25, 1], [2, -1], [1, 1], [0, 1], [2, 2],
                         [1, -2], [3, 1], [1, 0], [0, 2], [1, 4]])];
                    tensor<fp16, [1, 3, 12]> p = linear(weight = w, x = x);
                    tensor<fp16, [1, 3, 3, 2, 2]> r = reshape(shape = tensor<int32, [5]>([1, 3, 3, 2, 2]), x = p);
                    tensor<fp16, [3, 1, 2, 3, 2]> t = transpose(perm = tensor<int32, [5]>([2, 0, 3, 1, 4]), x = r);
                    tensor<fp16, [1, 2, 3, 2]> q = slice_by_index(
                        begin = tensor<int32, [5]>([0, 0, 0, 0, 0]), end = tensor<int32, [5]>([1, 1, 2, 3, 2]),
                        squeeze_mask = tensor<bool, [5]>([true, false, false, false, false]), x = t);
                    tensor<fp16, [1, 2, 3, 2]> k = slice_by_index(
                        begin = tensor<int32, [5]>([1, 0, 0, 0, 0]), end = tensor<int32, [5]>([2, 1, 2, 3, 2]),
                        squeeze_mask = tensor<bool, [5]>([true, false, false, false, false]), x = t);
                    tensor<fp16, [1, 2, 3, 3]> y = matmul(transpose_y = bool(true), x = q, y = k);
                } -> (y);
            """),
            flags=("r",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 3, 2]> x) {
                    tensor<fp16, [12, 2]> w = const()[val = tensor<fp16, [12, 2]>(
                        [[1, 0.5], [-1, 2], [0.25, 1], [2, -1], [1, 1], [0, 1], [2, 2],
                         [1, -2], [3, 1], [1, 0], [0, 2], [1, 4]])];
                    tensor<fp16, [1, 3, 12]> p = linear(weight = w, x = x);
                    tensor<fp16, [1, 3, 4]> a = slice_by_index(
                        begin = tensor<int32, [3]>([0, 0, 0]), end = tensor<int32, [3]>([1, 3, 4]), x = p);
                    tensor<fp16, [1, 3, 4]> b = slice_by_index(
                        begin = tensor<int32, [3]>([0, 0, 4]), end = tensor<int32, [3]>([1, 3, 8]), x = p);
                    tensor<fp16, [1, 3, 2, 2]> c = reshape(shape = tensor<int32, [4]>([1, 3, 2, 2]), x = a);
                    tensor<fp16, [1, 3, 2, 2]> d = reshape(shape = tensor<int32, [4]>([1, 3, 2, 2]), x = b);
                    tensor<fp16, [1, 2, 3, 2]> q = transpose(perm = tensor<int32, [4]>([0, 2, 1, 3]), x = c);
                    tensor<fp16, [1, 2, 3, 2]> k = transpose(perm = tensor<int32, [4]>([0, 2, 1, 3]), x = d);
                    tensor<fp16, [1, 2, 3, 3]> y = matmul(transpose_y = bool(true), x = q, y = k);
                } -> (y);
            """),
            pattern="5d_qkv_ios18",
            pytorch_before=pytorch("""
                qkv = self.qkv(x).reshape(1, tokens, 3, heads, size).permute(2, 0, 3, 1, 4)
                scores = qkv[0] @ qkv[1].transpose(-2, -1)
            """),
            pytorch_after=pytorch("""
                q, k, v = (part.view(1, tokens, heads, size).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
                scores = q @ k.transpose(-2, -1)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a reshape of a projection whose last axis becomes two or three parts, taken apart at or after rank 5."""
        projection, shape = maker(operation.operand("x"), "linear", "matmul"), operation.outputs[0].tensor
        given = projection.outputs[0].tensor if projection is not None else None
        if given is None or shape is None or not given.rank < shape.rank <= RANK:
            return
        parts = shape.shape[given.rank - 1]
        if parts not in PARTS or shape.shape[: given.rank - 1] != given.shape[:-1] or _is_batched(operation):
            return
        way = [operation]
        while len(way) <= len(ON_THE_WAY) and (after := sole_user(way[-1], graph, *ON_THE_WAY)) is not None:
            way.append(after)
        widest = max((node.outputs[0].tensor for node in way if node.outputs[0].tensor), key=lambda tensor: tensor.rank)
        users = graph.users(way[-1])
        if widest.rank == RANK and users and all(user.type in TAKING_APART for user in users):
            names = "query, key and value" if parts == 3 else "two parts of a projection"
            yield self.finding(
                operation, f"{names} taken apart by way of {widest}", related=(*way[1:], *users), parts=parts
            )


def _is_batched(view: Node) -> bool:
    """Whether `batched-heads` has a graver word on it."""
    shape = sizes(view.outputs[0])
    return shape is not None and len(shape) == RANK and shape[0] > 1 and shape[2] == 3
