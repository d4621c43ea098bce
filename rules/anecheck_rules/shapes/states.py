"""The states of a function, and what is written into them."""

from __future__ import annotations

from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.pattern import above
from anecheck.mil.types import StateType

RELABELLING = frozenset({"reshape", "expand_dims", "squeeze", "identity", "cast"})
"""Operations that move no element of a tensor."""

PARTS = frozenset({"slice_by_index", "slice_by_size"})
"""Operations that take a part of a tensor."""


def states(graph: Graph) -> tuple[Operand, ...]:
    """The function's states, in order."""
    return tuple(operand for operand in graph.inputs if isinstance(operand.type, StateType))


def read_from(operand: Operand | None, *, passing: frozenset[str] = RELABELLING | PARTS) -> Operand | None:
    """The state that a value was read from, whole or in part, through operations of the types `passing` alone."""
    source = above(operand, passing)
    reader = source.producer if source is not None else None
    return reader.operand("input") if reader is not None and reader.type == "read_state" else None


def written(write: Node) -> Operand | None:
    """What a `write_state` writes that is new: the update where it writes a state back with one slice replaced."""
    data = write.operand("data")
    update = data.producer if data is not None else None
    if update is None or update.type != "slice_update":
        return data
    same = read_from(update.operand("x"), passing=RELABELLING) is write.operand("input")
    return update.operand("update") if same else data
