"""Attention in a graph that writes it out: scores, scale, mask, softmax, and the sum over the values."""

from __future__ import annotations

from dataclasses import dataclass

from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.pattern import above, maker, sole_user, with_number
from anecheck.mil.types import TensorType

BETWEEN = 4
"""How many operations may lie between the scores and the softmax: a scale, two masks and one more."""

LAYOUT = frozenset({"reshape", "transpose", "expand_dims", "squeeze"})
"""What lies between a projection and the attention, and only moves numbers about."""

LEADS_ON = {"mul": "xy", "real_div": "x", "add": "xy", "select": "ab"}
"""The operands through which scores reach a softmax, by the type of the operation between them."""


@dataclass(frozen=True, slots=True, eq=False)
class Attention:
    """One attention, written out.

    `scores` multiplies the queries by the keys, `context` the probabilities by the values, each `width` numbers long;
    `scale` is what the scores are multiplied by, on the queries' side or on their own.
    """

    scores: Node
    softmax: Node
    context: Node
    width: int | None
    scale: float

    @property
    def probabilities(self) -> TensorType | None:
        """The type of what the softmax gives: a row for each query, a column for each key."""
        return self.softmax.outputs[0].tensor

    @property
    def rank(self) -> int:
        """How many dimensions queries, keys, values and scores have."""
        return self.probabilities.rank if self.probabilities is not None else 0

    @property
    def has_usual_scale(self) -> bool:
        """Whether the scale is one over the root of the width, which `scaled_dot_product_attention` has built in."""
        return self.width is not None and abs(self.scale * self.width**0.5 - 1.0) < 2e-3


def attention(softmax: Node, graph: Graph) -> Attention | None:
    """The attention that a `softmax` is the middle of, if one `scaled_dot_product_attention` can take its place.

    That asks for a softmax over the last axis, probabilities that nobody else sees, and queries, keys and values of one
    rank, batch and number of heads, the values as wide as the keys.
    """
    found = scores_of(softmax)
    context = sole_user(softmax, graph, "matmul")
    if found is None or context is None or context.operand("x") is not softmax.outputs[0]:
        return None
    scores, between = found
    query, key, value = scores.tensor("x"), scores.tensor("y"), context.tensor("y")
    if query is None or key is None or value is None or context.scalar("transpose_x"):
        return None
    if not 3 <= query.rank == key.rank == value.rank or not query.shape[:-2] == key.shape[:-2] == value.shape[:-2]:
        return None
    width = query.shape[-2 if scores.scalar("transpose_x") else -1]
    if width != value.shape[-2 if context.scalar("transpose_y") else -1]:
        return None
    scale = 1.0
    for node in (maker(above(scores.operand("x"), LAYOUT), "mul", "real_div"), *between):
        factor = factor_of(node)
        if factor is not None:
            scale *= factor
        elif node in between and node is not None and node.type in {"mul", "real_div"}:
            return None
    return Attention(scores, softmax, context, width, scale)


def scores_of(softmax: Node) -> tuple[Node, tuple[Node, ...]] | None:
    """The `matmul` of two running values that a softmax over the last axis reads, and the operations between the two."""
    tensor, axis = softmax.tensor("x"), softmax.scalar("axis")
    if tensor is None or axis not in {-1, tensor.rank - 1}:
        return None
    return _climb(softmax.operand("x"), tensor.rank, BETWEEN)


def factor_of(node: Node | None) -> float | None:
    """The number that a multiplication by a constant, or a division by one, scales its other operand by."""
    found = with_number(node) if node is not None else None
    if node is None or found is None:
        return None
    if node.type == "mul":
        return found[1]
    return 1.0 / found[1] if node.type == "real_div" and found[1] and node.operand("x") is found[0] else None


def _climb(operand: Operand | None, rank: int, steps: int) -> tuple[Node, tuple[Node, ...]] | None:
    """Look for the scores above `operand`; at each of at most `steps` operations two ways part."""
    node = operand.producer if operand is not None else None
    if node is None or operand is None or operand.tensor is None or operand.tensor.rank != rank:
        return None
    if node.type == "matmul":
        sides = [node.operand("x"), node.operand("y")]
        return (node, ()) if all(side is not None and not side.is_constant for side in sides) else None
    for name in LEADS_ON.get(node.type, "") if steps else "":
        found = _climb(node.operand(name), rank, steps - 1)
        if found is not None:
            return found[0], (node, *found[1])
    return None
