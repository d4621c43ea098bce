"""ANE222: copies made by a tile, where the operation after it would repeat the values itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import follow, other, sizes, sole_user
from anecheck.mil.types import TensorType

BROADCASTING: Final = frozenset(
    {"add", "sub", "mul", "real_div", "maximum", "minimum", "pow", "floor_div", "mod"}
    | {"equal", "not_equal", "greater", "greater_equal", "less", "less_equal"}
    | {"logical_and", "logical_or", "logical_xor"}
)
"""Operations of two operands that repeat either along its axes of size 1."""

ATTENTION: Final = ("matmul", "scaled_dot_product_attention")


class BroadcastTile(OperationRule):
    """A tile makes copies that the operation after it does not need.

    ## Why it costs
    `tile` writes every copy to memory and the next operation reads them all back. Element-wise operations repeat a size of 1
    by themselves, and so does a product of matrices along all axes but the last two.

        n (1, S, 1) ─ tile ─ (1, S, C) ─┐                  n (1, S, 1) ─┐
        x ─────────────────── (1, S, C) ─┴─ real_div       x (1, S, C) ─┴─ real_div

    These tiles come from `expand`, `expand_as` and `repeat`, which are free in PyTorch or look so; also from inside
    `torch.nn.functional.normalize`, which expands the norms before it divides.

    With grouped queries the keys and values of each head are copied for every query head of its group:

        k (B, G, S, D) ─ expand_dims ─ tile ─ reshape (B, G·R, S, D) ─┬─ matmul
        q (B, G·R, Q, D) ─────────────────────────────────────────────┘

        k (B, G, S, D) ──────────────────────┬─ matmul                 the same products, and no copy
        q ─ reshape (B, G, R·Q, D) ──────────┘

    A cache of keys and values that was kept small for good reason is then read and written R times as large, in every layer
    and for every token. ExecuTorch's Core ML users found `repeat_interleave` slow on the engine for that reason.

    ## Instead
    - Leave the `expand` or `repeat` away and let the operation broadcast. In place of `normalize(x)` divide by
      `x.norm(dim=-1, keepdim=True).clamp_min(1e-12)`.
    - With grouped queries take the query heads of a group together: they are neighbours, so a reshape to (B, G, R·Q, D)
      is all, and one back after the values. A mask of (1, 1, Q, S) is repeated R times along its queries; for one query at
      a time it stays as it is. Do not shorten this to a reshape of (S, D) to one axis: longer than 65,536 that fails to
      compile (reported for M5).

    ## Known exceptions
    A tile that is a result of the model, or feeds a concat or a convolution, has to be made and is not flagged.
    """

    code = "ANE222"
    name = "broadcast-tile"
    operations = frozenset({"tile"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = (
        "leave the tile away and let the next operation broadcast; group the query heads instead of copying the keys"
    )
    covers = ("AT16",)
    evidence = (
        cite("coremltools-9", Confidence.DOCUMENTED),
        cite("et", Confidence.COMMUNITY),
        cite("aneforge", Confidence.COMMUNITY, "H17"),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 3, 8]> x) {
                    tensor<fp16, [1, 3, 1]> norm = reduce_l2_norm(
                        axes = tensor<int32, [1]>([-1]), keep_dims = bool(true), x = x);
                    tensor<fp16, [1, 3, 1]> least = maximum(x = norm, y = fp16(0.001));
                    tensor<fp16, [1, 3, 8]> copies = tile(reps = tensor<int32, [3]>([1, 1, 8]), x = least);
                    tensor<fp16, [1, 3, 8]> y = real_div(x = x, y = copies);
                } -> (y);
            """),
            flags=("copies",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 3, 8]> x) {
                    tensor<fp16, [1, 3, 1]> norm = reduce_l2_norm(
                        axes = tensor<int32, [1]>([-1]), keep_dims = bool(true), x = x);
                    tensor<fp16, [1, 3, 1]> least = maximum(x = norm, y = fp16(0.001));
                    tensor<fp16, [1, 3, 8]> y = real_div(x = x, y = least);
                } -> (y);
            """),
            pattern="l2norm_ios18",
            pytorch_before=pytorch("""
                y = torch.nn.functional.normalize(x, dim=-1, eps=1e-3)
            """),
            pytorch_after=pytorch("""
                y = x / x.norm(dim=-1, keepdim=True).clamp_min(1e-3)
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 3, 8]> q, tensor<fp16, [1, 2, 5, 8]> k) {
                    tensor<fp16, [1, 2, 1, 5, 8]> e = expand_dims(axes = tensor<int32, [1]>([2]), x = k);
                    tensor<fp16, [1, 2, 2, 5, 8]> copies = tile(reps = tensor<int32, [5]>([1, 1, 2, 1, 1]), x = e);
                    tensor<fp16, [1, 4, 5, 8]> keys = reshape(shape = tensor<int32, [4]>([1, 4, 5, 8]), x = copies);
                    tensor<fp16, [1, 4, 3, 5]> scores = matmul(transpose_y = bool(true), x = q, y = keys);
                } -> (scores);
            """),
            flags=("copies",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 3, 8]> q, tensor<fp16, [1, 2, 5, 8]> k) {
                    tensor<fp16, [1, 2, 6, 8]> groups = reshape(shape = tensor<int32, [4]>([1, 2, 6, 8]), x = q);
                    tensor<fp16, [1, 2, 6, 5]> products = matmul(transpose_y = bool(true), x = groups, y = k);
                    tensor<fp16, [1, 4, 3, 5]> scores = reshape(shape = tensor<int32, [4]>([1, 4, 3, 5]), x = products);
                } -> (scores);
            """),
            pytorch_before=pytorch("""
                keys = k[:, :, None].expand(-1, -1, repeats, -1, -1).flatten(1, 2)
                scores = q @ keys.transpose(-1, -2)
            """),
            pytorch_after=pytorch("""
                groups = q.unflatten(1, (-1, repeats)).flatten(2, 3)
                scores = (groups @ k.transpose(-1, -2)).view(1, heads, queries, -1)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a tile along axes of size 1 whose users all repeat them themselves, or read the copies as heads."""
        tensor, reps = operation.tensor("x"), operation.constant("reps")
        if tensor is None or reps is None or len(reps) != tensor.rank:
            return
        tiled = {axis: int(count) for axis, count in enumerate(reps) if int(count) != 1}
        if not tiled or any(tensor.shape[axis] != 1 for axis in tiled):
            return
        copies = operation.outputs[0]
        users = graph.consumers(copies)
        if users and not graph.is_output(copies) and all(_broadcasts(user, operation, tiled) for user, _ in users):
            kinds = ", ".join(sorted({user.type for user, _ in users}))
            text = f"{tensor} copied to {copies.type} for {kinds}, which would repeat it without a copy"
            yield self.finding(operation, text, copies=copies.name)
        elif (reader := _reader_of_heads(operation, graph, tiled)) is not None:
            heads, times = tensor.shape[1], max(tiled.values())
            text = f"{heads} heads of keys or values copied {times} times each, to {copies.type}, for {reader.type}"
            yield self.finding(operation, text, related=(reader,), copies=copies.name)


def _broadcasts(user: Node, tile: Node, tiled: dict[int, int]) -> bool:
    """Whether an operation gives the same when it reads what is tiled in place of the copies."""
    copies = tile.outputs[0]
    partner = other(user, copies)
    tensor: TensorType | None = partner.tensor if partner is not None else None
    if copies.tensor is None or tensor is None or partner is copies:
        return False
    rank = copies.tensor.rank
    if user.type == "matmul":
        if max(tiled) >= rank - 2:
            return False  # a sum over copies, or a result of so many rows
    elif user.type not in BROADCASTING:
        return False
    return all(tensor.rank >= rank - axis and tensor.shape[axis - rank] == count for axis, count in tiled.items())


def _reader_of_heads(tile: Node, graph: Graph, tiled: dict[int, int]) -> Node | None:
    """The attention that reads, as heads of their own, the copies along axis 2 merged with the heads of axis 1."""
    before, merged = sizes(tile.outputs[0]), sole_user(tile, graph, "reshape")
    if before is None or merged is None or set(tiled) != {2} or len(before) < 4:
        return None
    if sizes(merged.outputs[0]) != (before[0], before[1] * before[2], *before[3:]):
        return None
    last = (follow(merged, graph, "transpose") or (merged,))[-1]
    return sole_user(last, graph, *ATTENTION)
