"""Which operations and inputs a function's results depend on."""

from __future__ import annotations

from anecheck.mil.graph import Graph, Node, Operand

EFFECTS = frozenset({"write_state", "custom_layer"})
"""Operations that do something besides giving a result, or may."""


def live_nodes(graph: Graph) -> frozenset[Node]:
    """The operations whose results reach an output or a state, those of nested blocks all together.

    Every operation and operand is looked at once.
    """
    found: set[Node] = set()
    pending = [output.producer for output in graph.outputs if output.producer is not None]
    pending += [node for node in graph.nodes if node.block or node.type in EFFECTS or not node.outputs]
    while pending:
        node = pending.pop()
        if node in found:
            continue
        found.add(node)
        pending += [operand.producer for _, operand in node.operands() if operand.producer is not None]
        pending += [operand.producer for operand in node.captures if operand.producer is not None]
    return frozenset(found)


def unused_inputs(graph: Graph, live: frozenset[Node]) -> tuple[Operand, ...]:
    """The inputs that no result depends on."""
    captured = {operand for node in live for operand in node.captures}
    return tuple(
        operand
        for operand in graph.inputs
        if not graph.is_output(operand)
        and operand not in captured
        and not any(user in live for user, _ in graph.consumers(operand))
    )


def returned_inputs(graph: Graph) -> tuple[Operand, ...]:
    """The inputs that the function returns as they are."""
    inputs = set(graph.inputs)
    return tuple(operand for operand in graph.outputs if operand in inputs)
