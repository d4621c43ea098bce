"""Which results are memory that exists: another look at an operand, or a state changed in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from anecheck.mil.graph import Graph, Node, Operand

ALIASES: Final = {
    "identity": "x",
    "reshape": "x",
    "reshape_like": "x",
    "expand_dims": "x",
    "squeeze": "x",
    "flatten2d": "x",
    "read_state": "input",
    "coreml_update_state": "state",
}
"""Operations whose result is their operand in another shape, by the operand's parameter: they allocate nothing."""

UPDATES: Final = ("slice_update", "scatter_nd", "scatter", "scatter_along_axis")
"""Operations whose result replaces a part of their first operand: in place, where that is a state they write back to."""


def alias_of(node: Node) -> Operand | None:
    """The operand that a result only shows in another shape."""
    return node.operand(ALIASES[node.type]) if node.type in ALIASES else None


def updates_in_place(graph: Graph) -> dict[Node, Operand]:
    """The operations that replace a part of a state in place, with what they replace it in.

    That is a result of `read_state` that nobody uses after, in whatever shape, changed and written back to the state it
    was read from.
    """
    found: dict[Node, Operand] = {}
    candidates = [node for kind in UPDATES for node in graph.by_type.get(kind, ())]
    order = {node: position for position, node in enumerate(graph.running)} if candidates else {}
    for node in candidates:
        old = node.operand("x") or node.operand("data")
        reader = old.producer if old is not None else None
        if old is None or reader is None or reader.type not in {"read_state", "coreml_update_state"}:
            continue
        state = reader.operand(ALIASES[reader.type])
        written = any(
            user.type in {"write_state", "coreml_update_state"} and _writes_to(user, state)
            for output in node.outputs
            for user, _ in graph.consumers(output)
        )
        if written and all(_is_done(look, node, graph, order) for look in _looks(old, graph)):
            found[node] = old
    return found


def _looks(operand: Operand, graph: Graph) -> Iterator[Operand]:
    """A value and all that show it in other shapes."""
    yield operand
    for user, _ in graph.consumers(operand):
        if alias_of(user) is operand:
            for output in user.outputs:
                yield from _looks(output, graph)


def _is_done(operand: Operand, node: Node, graph: Graph, order: dict[Node, int]) -> bool:
    """Whether nobody uses a value after `node`."""
    return not graph.is_returned(operand) and all(order[user] <= order[node] for user, _ in graph.consumers(operand))


def _writes_to(user: Node, state: Operand | None) -> bool:
    return state is not None and state in {user.operand("input"), user.operand("state")}
