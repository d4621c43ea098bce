"""Where fp32 flows in a graph."""

from __future__ import annotations

from anecheck.mil.graph import Graph, Node, Operand

FEW_PARAMETERS = 2
"""What element-wise arithmetic takes; with more it is a layer, and no preparation of an input."""
FARTHEST = 64
"""How many operations are followed from one: real preparations and islands have a few, and a whole fp32 network, walked from
each of its operations, would take time by the square of their number."""


def is_float32(operand: Operand) -> bool:
    """Whether a value is an fp32 tensor."""
    tensor = operand.tensor
    return tensor is not None and tensor.dtype == "fp32"


def computes_in_float32(node: Node) -> bool:
    """Whether a node other than a cast takes or gives fp32 while the model runs."""
    return "fp32" in [tensor.dtype for tensor in node.running_tensors] and node.type != "cast"


def comes_from_inputs(node: Node) -> bool:
    """Whether all that a node computes on are inputs of the function, or fp32 values made from nothing but these."""
    found = {node}
    pending = [node]
    while pending:
        for _, operand in pending.pop().operands():
            producer = operand.producer
            if operand.is_constant or producer is None or producer in found:
                continue
            if not computes_in_float32(producer) or len(producer.inputs) > FEW_PARAMETERS or len(found) == FARTHEST:
                return False
            found.add(producer)
            pending.append(producer)
    return True


def float32_island(node: Node, graph: Graph) -> tuple[Node, ...] | None:
    """The fp32 operations that hang together with `node`, in execution order, if all of their borders are casts.

    `None` where fp32 comes from or goes to an input or output of the function: there it is wanted; and where more than
    `FARTHEST` operations hang together.
    """
    found: dict[Node, None] = {node: None}
    pending = [node]
    while pending:
        if len(found) > FARTHEST:
            return None
        current = pending.pop()
        neighbours: list[Node] = []
        for _, operand in current.operands():
            if is_float32(operand) and not operand.is_constant:
                if operand.producer is None:
                    return None
                neighbours.append(operand.producer)
        for output in filter(is_float32, current.outputs):
            if graph.is_output(output):
                return None
            neighbours += [user for user, _ in graph.consumers(output)]
        for neighbour in neighbours:
            if neighbour not in found and computes_in_float32(neighbour):
                found[neighbour] = None
                pending.append(neighbour)
            elif neighbour.type == "cast" and not _leads_inward(neighbour, graph):
                return None
    return tuple(sorted(found, key=lambda member: (member.block, member.index)))


def _leads_inward(cast: Node, graph: Graph) -> bool:
    """Whether a cast borders on fp16 inside the function rather than on an input or output."""
    source = cast.operand("x")
    if source is None or (source.producer is None and is_float32(source)):
        return False
    return not any(graph.is_output(output) and is_float32(output) for output in cast.outputs)
