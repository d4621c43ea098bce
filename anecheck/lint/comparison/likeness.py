"""How alike the operations of two graphs are, without a look at names: keys that are equal where operations are.

A key is a number. `Keys` gives equal numbers to equal descriptions, of however many graphs, so that a description of all that
an operation depends on is as short as one of the operation alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.values import TensorValue

SMALL = 64
"""The most bytes of a constant that count as a setting (axes, strides, a permutation) rather than as weights."""


class Edge(NamedTuple):
    """A value between two operations that run, by their places in `Outline.nodes`: which output, bound to what."""

    producer: int
    output: int
    user: int
    role: str
    rank: int
    """The place among several values that are bound to the same parameter."""


@dataclass(slots=True)
class Keys:
    """Numbers descriptions; the same for all graphs that are compared."""

    numbers: dict[Hashable, int] = field(default_factory=dict)

    def number(self, description: Hashable) -> int:
        """The number of a description, a new one if it is new."""
        return self.numbers.setdefault(description, len(self.numbers))

    def numbered(self, descriptions: Iterable[Hashable]) -> list[int]:
        """The numbers of several."""
        return [self.number(description) for description in descriptions]


class Outline:
    """What of a graph is compared: the operations that run, in file order, and the values between them.

    What only expands compressed weights is left out: a palettized weight is a constant like any other.
    """

    def __init__(self, graph: Graph) -> None:
        self.nodes: list[Node] = graph.running
        place = {node: number for number, node in enumerate(self.nodes)}
        self.before: list[list[Edge]] = [[] for _ in self.nodes]
        self.after: list[list[Edge]] = [[] for _ in self.nodes]
        for user, node in enumerate(self.nodes):
            for parameter in sorted(node.inputs):
                for rank, operand in enumerate(node.inputs[parameter]):
                    self._join(place, operand, user, parameter, rank)
            for rank, operand in enumerate(node.captures):
                self._join(place, operand, user, "(captured)", rank)
        self.returned = [[graph.is_returned(output) for output in node.outputs] for node in self.nodes]

    def _join(self, place: dict[Node, int], operand: Operand, user: int, role: str, rank: int) -> None:
        producer = operand.producer
        number = place.get(producer) if producer is not None else None
        if producer is None or number is None:
            return
        edge = Edge(number, producer.outputs.index(operand), user, role, rank)
        self.before[user].append(edge)
        self.after[number].append(edge)


def types(outline: Outline, keys: Keys) -> list[int]:
    """A key of the operation's type alone, and of how deep it is nested."""
    return keys.numbered(("type", node.type, len(node.block)) for node in outline.nodes)


def forms(outline: Outline, keys: Keys) -> list[int]:
    """A key of the type and of what it takes and gives, with the settings that are written out."""
    return keys.numbered(map(_form, outline.nodes))


def surroundings(outline: Outline, own: Sequence[int], keys: Keys, hops: int) -> list[int]:
    """A key of all operations up to so many hops away, on top of each one's `own`."""
    known = list(own)
    for _ in range(hops):
        known = keys.numbered(
            (
                "around",
                known[number],
                _producers(before, known),
                tuple(sorted((edge.output, edge.role, known[edge.user]) for edge in after)),
            )
            for number, (before, after) in enumerate(zip(outline.before, outline.after, strict=True))
        )
    return known


def ancestries(outline: Outline, own: Sequence[int], keys: Keys) -> list[int]:
    """A key of everything that an operation depends on."""
    known: list[int] = []
    for number, before in enumerate(outline.before):
        known.append(keys.number(("from", own[number], _producers(before, known))))
    return known


def descents(outline: Outline, own: Sequence[int], keys: Keys) -> list[int]:
    """A key of everything that depends on an operation, and of which of its results are returned."""
    known = [0] * len(outline.nodes)
    for number in reversed(range(len(known))):
        users = tuple(sorted((edge.output, edge.role, edge.rank, known[edge.user]) for edge in outline.after[number]))
        known[number] = keys.number(("to", own[number], users, tuple(outline.returned[number])))
    return known


def _producers(before: Sequence[Edge], known: Sequence[int]) -> tuple[tuple[str, int, int, int], ...]:
    return tuple([(edge.role, edge.rank, edge.output, known[edge.producer]) for edge in before])


def _form(node: Node) -> Hashable:
    operands = tuple(
        [
            (parameter, tuple([(str(operand.type), _setting(operand)) for operand in node.inputs[parameter]]))
            for parameter in sorted(node.inputs)
        ]
    )
    results = tuple([str(output.type) for output in node.outputs])
    return "form", node.type, len(node.block), operands, results


def _setting(operand: Operand) -> bytes | tuple[str, ...]:
    value = operand.value
    if not isinstance(value, TensorValue) or len(value.data) > SMALL:
        return b""
    return value.data
