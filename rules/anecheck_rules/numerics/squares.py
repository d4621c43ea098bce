"""Sums of squares and the norms made of them, in the forms in which people and converters write them."""

from __future__ import annotations

from typing import Final

from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.pattern import above, maker, number
from anecheck_rules.numerics.ranges import MOVING

MEANS: Final = ("reduce_mean", "reduce_sum")
ROOTS: Final = ("rsqrt", "sqrt", "pow")
BETWEEN: Final = frozenset({*MOVING, "add", "maximum", "mul", "real_div", "clip", "cast"})
"""What stands between a sum of squares and its root: an epsilon, a floor, the number of elements, a change of shape."""

LONGEST: Final = 4
"""How many operations are followed from a sum of squares to its root."""


def squared(node: Node | None) -> Operand | None:
    """What an operation squares, if it squares."""
    if node is None:
        return None
    x = node.operand("x")
    if node.type == "square" or (node.type == "pow" and number(node.operand("y")) == 2):
        return x
    return x if node.type == "mul" and x is node.operand("y") else None


def squares_of(reduction: Node) -> tuple[Node, Operand] | None:
    """The operation that makes the squares that `reduction` sums or averages, and what it squares."""
    if reduction.type == "reduce_sum_square":
        x = reduction.operand("x")
        return (reduction, x) if x is not None else None
    square = maker(reduction.operand("x"), "square", "pow", "mul") if reduction.type in MEANS else None
    base = squared(square)
    return (square, base) if square is not None and base is not None else None


def root_of(reduction: Node, graph: Graph) -> Node | None:
    """The root that is taken of a sum of squares; a root that others see is a norm all the same."""
    node = reduction
    for _ in range(LONGEST):
        user = graph.only_user(node.outputs[0]) if len(node.outputs) == 1 else None
        if user is None:
            return None
        if user.type in ROOTS:
            exponent = 0.5 if user.type != "pow" else number(user.operand("y"))
            return user if exponent is not None and abs(exponent) == 0.5 else None
        if user.type not in BETWEEN:
            return None
        node = user
    return None


def is_deviation(operand: Operand) -> bool:
    """Whether a value is a difference to a mean, so that its squares make a variance."""
    node = maker(above(operand, MOVING), "sub")
    return node is not None and maker(above(node.operand("y"), MOVING), "reduce_mean") is not None
