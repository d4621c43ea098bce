"""Where sizes that are only known while the model runs come from, and what they decide."""

from __future__ import annotations

from dataclasses import dataclass

from anecheck.mil.graph import Graph, Node, Operand

SIZES = frozenset(
    {
        *("shape", "output_shape", "begin", "end", "size", "stride", "reps", "start", "step"),
        *("scale_factor_height", "scale_factor_width"),
    }
)
"""Parameters that decide how large a result is."""

MOST_SIZES = 8
"""Lists of sizes are short, one number for each axis; anything longer is data."""


@dataclass(frozen=True, slots=True)
class SizeFlow:
    """What `shape` operations lead to: `sources` are those that decide the size of something, `carriers` the operations
    that compute with what they give, and `decided` the operations whose size they decide.
    """

    sources: tuple[Node, ...]
    carriers: tuple[Node, ...]
    decided: tuple[Node, ...]


def size_flow(graph: Graph) -> SizeFlow:
    """Follow every size that a `shape` operation reads to where it decides another size; one walk forth and one back."""
    if "shape" not in graph.by_type:
        return SizeFlow((), (), ())
    flowing: set[Operand] = set()
    passed: list[Node] = []
    decided: dict[Node, None] = {}
    for node in graph.running:
        if node.type == "shape":
            passed.append(node)
            flowing.update(node.outputs)
            continue
        reached = [parameter for parameter, operand in node.operands() if operand in flowing]
        if not reached:
            continue
        if not SIZES.isdisjoint(reached):
            decided[node] = None
        elif all(_is_short(output) for output in node.outputs):
            passed.append(node)
            flowing.update(node.outputs)
    needed = {operand for node in decided for parameter, operand in node.operands() if parameter in SIZES}
    useful = []
    for node in reversed(passed):
        if not needed.isdisjoint(node.outputs):
            useful.append(node)
            needed.update(operand for _, operand in node.operands())
    useful.reverse()
    return SizeFlow(
        tuple(node for node in useful if node.type == "shape"),
        tuple(node for node in useful if node.type != "shape"),
        tuple(decided),
    )


def is_open(operand: Operand) -> bool:
    """Whether a tensor has a size that the program leaves open."""
    tensor = operand.tensor
    return tensor is not None and not tensor.is_static


def _is_short(operand: Operand) -> bool:
    tensor = operand.tensor
    return tensor is not None and (tensor.element_count or MOST_SIZES + 1) <= MOST_SIZES
