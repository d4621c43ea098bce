"""Which operations and inputs no result of a function depends on."""

from __future__ import annotations

from collections.abc import Iterable

from anecheck.mil.graph import Graph, Node, Operand

EFFECTS = frozenset({"write_state", "custom_layer"})
"""Operations that do something besides giving a result, or may."""


def dead_nodes(graph: Graph) -> frozenset[Node]:
    """The operations whose results reach neither an output nor a state; those of nested blocks count as needed.

    What is dead leads to a result that nobody uses, so only what lies before such results is looked at.
    """
    ends = [node for node in graph.unread if not _is_needed(node, graph)]
    if not ends:
        return frozenset()
    found = dict.fromkeys(ends)
    readers: dict[Node, int] = {}
    pending = ends
    while pending:
        node = pending.pop()
        for producer in dict.fromkeys(
            operand.producer for _, operand in node.operands() if operand.producer is not None
        ):
            left = (readers[producer] if producer in readers else len(graph.users(producer))) - 1
            readers[producer] = left
            if not left and not _is_needed(producer, graph):
                found[producer] = None
                pending.append(producer)
    return frozenset(found)


def _is_needed(node: Node, graph: Graph) -> bool:
    """Whether a node has an effect or gives an output, or belongs to control flow."""
    return (
        bool(node.block)
        or bool(node.operation.blocks)
        or node.type in EFFECTS
        or not node.outputs
        or any(map(graph.is_returned, node.outputs))
    )


def unused_inputs(graph: Graph) -> tuple[Operand, ...]:
    """The inputs that no result depends on."""
    dead = dead_nodes(graph)
    return tuple(
        operand
        for operand in graph.inputs
        if not graph.is_returned(operand) and all(user in dead for user, _ in graph.consumers(operand))
    )


def returned_inputs(graph: Graph) -> tuple[Operand, ...]:
    """The inputs that the function returns as they are."""
    inputs = set(graph.inputs)
    return tuple(operand for operand in graph.outputs if operand in inputs)


def placeholders(graph: Graph, inputs: Iterable[Operand]) -> tuple[Node, ...]:
    """The `identity` operations that coremltools gives inputs which nothing else uses, because a program must use them."""
    return tuple(user for operand in inputs for user, _ in graph.consumers(operand) if user.type == "identity")
