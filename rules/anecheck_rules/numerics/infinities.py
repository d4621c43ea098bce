"""Constants that are infinite in fp16, and where masks of scores go."""

from __future__ import annotations

from typing import Final

from anecheck.mil.graph import Graph, Node, Operand
from anecheck_rules.numerics.ranges import MOVING, elements

CARRYING: Final = frozenset({*MOVING, "add", "sub", "mul", "select", "cast", "band_part", "concat", "stack"})
"""What a mask goes through on its way to the scores, and the scores with it on theirs to the softmax."""

FARTHEST: Final = 6
"""How many operations lie at most between a mask and the softmax."""

FEW: Final = 4
"""How many users of a value are followed; a mask that all layers share is used by each in the same way."""


def lowest(operand: Operand | None) -> float:
    """The lowest number of a constant that is written out, 0 where it has none below."""
    return min(elements(operand), default=0.0)


def softmax_after(node: Node, graph: Graph) -> Node | None:
    """The softmax or attention in fp16 whose scores a value is added to or chosen for, if it is near."""
    level = [node]
    for _ in range(FARTHEST):
        following: dict[Node, None] = {}
        for current in level:
            for output in current.outputs:
                for user, parameter in graph.consumers(output)[:FEW]:
                    if _takes_scores(user, parameter):
                        return user
                    if user.type in CARRYING:
                        following[user] = None
        level = list(following)[:FEW]
    return None


def _takes_scores(user: Node, parameter: str) -> bool:
    scores = user.tensor("x" if user.type == "softmax" else "attn_mask")
    if scores is None or scores.dtype != "fp16":
        return False
    return (user.type, parameter) in {("softmax", "x"), ("scaled_dot_product_attention", "attn_mask")}
