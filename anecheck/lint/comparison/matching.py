"""Which operation of one graph is which of another: by structure, because an export renames and renumbers.

First go operations with the same ancestry and the same descent, then those with one of them: where a graph was changed in one
place, all before it have the ancestry that they had, and all behind it the descent. What lies between several changes is known
by all within two hops, then by neighbours that are paired already; what is left is laid side by side in file order, by each
operation's own form and then by its type alone. The work grows with the length of the graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from anecheck.lint.comparison.alignment import Pair, aligned, gaps, rising
from anecheck.lint.comparison.likeness import Keys, Outline, ancestries, descents, forms, surroundings, types
from anecheck.mil.graph import Graph, Node

Sides: TypeAlias = tuple[list[int], list[int]]
"""The keys of one kind of the operations of the old graph, and of the new."""

HOPS = 2
"""How far around an operation its surroundings reach."""

ROUNDS = 10
"""How far pairs lead to others, from neighbour to neighbour."""


@dataclass(frozen=True, slots=True)
class Matching:
    """The operations that run in two graphs: pairs of old and new, and those that have no counterpart, in file order."""

    pairs: list[tuple[Node, Node]]
    removed: list[Node]
    added: list[Node]


def match(old: Graph, new: Graph) -> Matching:
    """Pair the operations that run in two graphs. An operation whose type changed is one removed and one added."""
    pairing = _Pairing(Outline(old), Outline(new))
    own = pairing.keyed(forms)
    pairing.by_structure(own)
    if pairing.is_incomplete:
        pairing.by_surroundings(own)
        pairing.by_company(own)
        pairing.in_order(own)
        pairing.in_order(pairing.keyed(types))
    return pairing.result()


@dataclass(slots=True)
class _Pairing:
    """Pairs of places in two outlines, as they are found."""

    old: Outline
    new: Outline
    forth: dict[int, int] = field(default_factory=dict)
    back: dict[int, int] = field(default_factory=dict)
    keys: Keys = field(default_factory=Keys)

    @property
    def is_incomplete(self) -> bool:
        """Whether both sides have operations without a counterpart."""
        return len(self.forth) < min(len(self.old.nodes), len(self.new.nodes))

    def keyed(self, key: Callable[[Outline, Keys], list[int]]) -> Sides:
        """The keys of one kind on both sides."""
        return key(self.old, self.keys), key(self.new, self.keys)

    def by_structure(self, own: Sides) -> None:
        """Pair what has the same ancestry and descent, then what has the same of one of them."""
        above = ancestries(self.old, own[0], self.keys), ancestries(self.new, own[1], self.keys)
        below = descents(self.old, own[0], self.keys), descents(self.new, own[1], self.keys)
        both = self._joined(above[0], below[0]), self._joined(above[1], below[1])
        for sides in (both, above, below):
            if self.is_incomplete:
                self.anywhere(sides)

    def _joined(self, above: Sequence[int], below: Sequence[int]) -> list[int]:
        return self.keys.numbered(zip(above, below, strict=True))

    def by_surroundings(self, own: Sides) -> None:
        """Pair what has the same operations around it."""
        old, new = own
        self.anywhere((surroundings(self.old, old, self.keys, HOPS), surroundings(self.new, new, self.keys, HOPS)))

    def by_company(self, own: Sides) -> None:
        """Pair what has the same form and the same paired neighbours, as long as that leads on."""
        for _ in range(ROUNDS):
            known = len(self.forth)
            old = self._company(self.old, own[0], self.forth.get)
            self.anywhere((old, self._company(self.new, own[1], lambda place: place if place in self.back else None)))
            if len(self.forth) == known:
                break

    def _company(self, outline: Outline, own: Sequence[int], partner: Callable[[int], int | None]) -> list[int]:
        """A key of an operation's form and of its paired neighbours, by their places in the new graph."""
        company = []
        for number, (before, after) in enumerate(zip(outline.before, outline.after, strict=True)):
            producers = [(edge.role, edge.rank, edge.output, partner(edge.producer)) for edge in before]
            users = [(edge.output, edge.role, edge.rank, partner(edge.user)) for edge in after]
            known = (*filter(_is_known, producers), *sorted(filter(_is_known, users)))
            company.append(
                self.keys.number(("company", own[number], known) if known else ("alone", id(outline), number))
            )
        return company

    def anywhere(self, sides: Sides) -> None:
        """Pair what has a key that as many have on both sides, the first with the first."""
        old, new = sides
        there = _places(old, self.forth)
        here = _places(new, self.back)
        for key, places in there.items():
            others = here.get(key, ())
            if len(others) == len(places):
                self.add(zip(places, others, strict=True))

    def in_order(self, sides: Sides) -> None:
        """Pair what has the same key and lies in the same order between what is already paired."""
        old, new = sides
        chain = rising(self.forth.items())
        for gap in gaps(chain, len(old), len(new)):
            before = [place for place in gap.old if place not in self.forth]
            after = [place for place in gap.new if place not in self.back]
            found = aligned([old[place] for place in before], [new[place] for place in after])
            self.add((before[left], after[right]) for left, right in found)

    def add(self, pairs: Iterable[Pair]) -> None:
        """Note pairs of places of which neither has a counterpart yet."""
        for old, new in pairs:
            self.forth[old], self.back[new] = new, old

    def result(self) -> Matching:
        """The pairs as operations, in the old file order."""
        return Matching(
            [(self.old.nodes[old], self.new.nodes[new]) for old, new in sorted(self.forth.items())],
            [node for place, node in enumerate(self.old.nodes) if place not in self.forth],
            [node for place, node in enumerate(self.new.nodes) if place not in self.back],
        )


def _is_known(neighbour: tuple[object, object, object, int | None]) -> bool:
    return neighbour[-1] is not None


def _places(keys: Sequence[int], taken: dict[int, int]) -> dict[int, list[int]]:
    """Where each key is, but for places that are taken."""
    places: dict[int, list[int]] = {}
    for place, key in enumerate(keys):
        if place not in taken:
            places.setdefault(key, []).append(place)
    return places
