"""ANE615: per-block scales emulated by splitting a projection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.pattern import axes, maker, sizes
from anecheck_rules.compression.stored_weights import SCALED, summed_axes

SUMMED_OF_INPUT = {"conv": 1, "linear": -1, "matmul": -1}
"""The axis of the input that is summed over; of `matmul` with its weight on the right, not transposed."""


class SplitContraction(OperationRule):
    """A projection is split along the summed axis into pieces with quantized weights of their own, which are added.

    ## Why it costs
    It is a way round the refusal of scales per block (ANE601): each block of inputs gets a projection of its own, with one
    scale per output channel, and the results are added. It stays on the engine, but every piece writes its whole result
    and every addition reads two of them. On an M5 it took four times as long as one projection with a scale per channel.

        x ─ split ─┬─ linear(w1) ─┐
                   ├─ linear(w2) ─ add ─ add ─         instead of         x ─ linear(w) ─
                   └─ linear(w3) ────────┘

    ## Instead
    One projection with a scale per output channel, in int8 where 4 bits lose too much; or a 4-bit palette with a table for
    each group of output channels.

    ## Known exceptions
    A sum that is too long for the engine has to be split, so projections beyond that limit are not flagged, nor are dense
    weights.
    """

    code = "ANE615"
    name = "split-contraction"
    operations = frozenset({"split"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "use one projection with a scale per output channel, or a palette per group of channels"
    covers = ("QZ02",)
    limits = ("matmul-contraction",)
    evidence = (cite("cadam", Confidence.COMMUNITY, "H17"),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [2, 2]> wa = constexpr_blockwise_shift_scale(
                        data = tensor<int4, [2, 2]>([[1, -2], [5, 6]]), scale = tensor<fp16, [2, 1]>([[0.25], [0.125]]));
                    tensor<fp16, [2, 2]> wb = constexpr_blockwise_shift_scale(
                        data = tensor<int4, [2, 2]>([[3, 4], [-7, 2]]), scale = tensor<fp16, [2, 1]>([[0.5], [0.5]]));
                    tensor<fp16, [1, 2]> a, tensor<fp16, [1, 2]> b = split(axis = int32(1), num_splits = int32(2), x = x);
                    tensor<fp16, [1, 2]> ya = linear(weight = wa, x = a);
                    tensor<fp16, [1, 2]> yb = linear(weight = wb, x = b);
                    tensor<fp16, [1, 2]> y = add(x = ya, y = yb);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [2, 4]> w = constexpr_blockwise_shift_scale(
                        data = tensor<int8, [2, 4]>([[1, -2, 6, 8], [5, 6, -28, 8]]),
                        scale = tensor<fp16, [2, 1]>([[0.25], [0.125]]));
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                class Blocks(nn.Module):
                    def forward(self, x):
                        pieces = x.split(self.block, dim=-1)
                        return sum(linear(piece) for linear, piece in zip(self.linears, pieces))
            """),
            pytorch_after=pytorch("""
                class Blocks(nn.Module):
                    def forward(self, x):
                        return self.linear(x)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag the last addition, if every piece goes into one projection and all of their results into one sum."""
        axis, whole = axes(operation, "axis"), sizes(operation.operand("x"))
        limit = context.limit("matmul-contraction")
        if axis is None or len(axis) != 1 or whole is None or len(operation.outputs) < 2:
            return
        if limit is not None and whole[axis[0]] > limit.value:
            return
        results = [_projected(piece, axis[0], len(whole), graph) for piece in operation.outputs]
        last = _sum([result for result in results if result is not None], graph)
        if last is not None and None not in results:
            count = len(results)
            yield self.finding(last, f"{count} projections of pieces of one input are added", pieces=count)


def _projected(piece: Operand, axis: int, rank: int, graph: Graph) -> Operand | None:
    """What a projection with a quantized weight makes of a piece, if it sums over the axis that was split."""
    user = graph.only_user(piece)
    if user is None or user.type not in SUMMED_OF_INPUT or user.operand("x") is not piece:
        return None
    parameter = "y" if user.type == "matmul" else "weight"
    weight = user.operand(parameter)
    if maker(weight, *SCALED) is None or weight is None or weight.tensor is None:
        return None
    summed = SUMMED_OF_INPUT[user.type] % rank
    transposed = user.type == "matmul" and user.scalar("transpose_x") is True
    known = bool(summed_axes(user, parameter, weight.tensor)) and not transposed
    return user.outputs[0] if known and summed == axis else None


def _sum(results: list[Operand], graph: Graph) -> Node | None:
    """The addition in which all `results` have been added to each other and to nothing else."""
    waiting, last = dict.fromkeys(results), None
    for _ in range(len(results) - 1):
        for result in waiting:
            user = graph.only_user(result)
            x, y = (user.operand("x"), user.operand("y")) if user is not None and user.type == "add" else (None, None)
            if user is not None and x in waiting and y in waiting and x is not y:
                break
        else:
            return None
        del waiting[x], waiting[y]
        last = user
        waiting[user.outputs[0]] = None
    return last
