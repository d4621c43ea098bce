"""Counts of right and wrong guesses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tests.accuracy.placements import ANE, Guess, Guesses, Row

ALL = "all"


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    right: int
    of: int

    @property
    def value(self) -> float | None:
        """The fraction; `None` of nothing."""
        return self.right / self.of if self.of else None

    def __str__(self) -> str:
        return f"{self.right}/{self.of}" + (f" ({100 * self.right / self.of:.1f} %)" if self.of else "")


@dataclass(frozen=True, slots=True)
class Score:
    """How guesses compare with the measurement.

    Operations marked as ones for which another plan costs just as much (`cost_ties`) count in `operations`, `supported`,
    `cost_ties_called` (how many of them the guess calls a tie, the measured device among those tied) and `device_chosen`
    only. `device_chosen` is the plainest of all: every operation, the one chosen device, whether called a tie or not.
    `device_strict` takes a guess with a tie for wrong; `device_up_to_ties` takes it for right if the measured device is
    among those tied. `off_precision` and `off_recall` speak of operations that leave the engine, by the chosen device.
    """

    operations: int
    graphs: int
    cost_ties: int
    unpredicted: int
    ties: Share
    device_strict: Share
    device_up_to_ties: Share
    graphs_strict: Share
    graphs_up_to_ties: Share
    off_precision: Share
    off_recall: Share
    device_chosen: Share
    cost_ties_called: Share
    supported: Share

    def shares(self) -> dict[str, Share]:
        """The shares by name."""
        return {name: value for name in self.__slots__ if isinstance(value := getattr(self, name), Share)}


Pairs: TypeAlias = Sequence[tuple[Row, Guess]]


def groups(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of each group in the order of the file, and all of them last."""
    found: dict[str, list[Row]] = defaultdict(list)
    everything = list(rows)
    for row in everything:
        if row.group:
            found[row.group].append(row)
    return {**found, ALL: everything}


def score(rows: Sequence[Row], guesses: Guesses) -> Score:
    """Compare the guesses with the measurement."""
    pairs = [(row, guesses[row.model, row.index]) for row in rows]
    judged = [(row, guess) for row, guess in pairs if not row.cost_tie]
    tied = [(row, guess) for row, guess in pairs if row.cost_tie]
    off = [(guess.device not in {ANE, None}, row.preferred != ANE) for row, guess in judged]
    both = sum(guessed and measured for guessed, measured in off)
    return Score(
        operations=len(pairs),
        graphs=len({row.model for row in rows}),
        cost_ties=len(tied),
        unpredicted=sum(guess.device is None for _, guess in judged),
        ties=Share(sum(bool(guess.tie) for _, guess in judged), len(judged)),
        device_strict=Share(sum(strictly_right(row, guess) for row, guess in judged), len(judged)),
        device_up_to_ties=Share(sum(right_up_to_ties(row, guess) for row, guess in judged), len(judged)),
        graphs_strict=_graphs(judged, [strictly_right(row, guess) for row, guess in judged]),
        graphs_up_to_ties=_graphs(judged, [right_up_to_ties(row, guess) for row, guess in judged]),
        off_precision=Share(both, sum(guessed for guessed, _ in off)),
        off_recall=Share(both, sum(measured for _, measured in off)),
        device_chosen=Share(sum(guess.device == row.preferred for row, guess in pairs), len(pairs)),
        cost_ties_called=Share(sum(bool(guess.tie) and right_up_to_ties(row, guess) for row, guess in tied), len(tied)),
        supported=Share(sum(right_on_support(row, guess) for row, guess in pairs), len(pairs)),
    )


def strictly_right(row: Row, guess: Guess) -> bool:
    """Whether the one device that is guessed, without a tie, is the measured one."""
    return guess.device == row.preferred and not guess.tie


def right_up_to_ties(row: Row, guess: Guess) -> bool:
    """Whether the measured device is among those guessed."""
    return guess.device == row.preferred or row.preferred in guess.tie


def right_on_support(row: Row, guess: Guess) -> bool:
    """Whether the guess says rightly that the engine can, or cannot, run the operation."""
    return (ANE in guess.supported) == (ANE in row.supported)


def _graphs(pairs: Pairs, right: Sequence[bool]) -> Share:
    """How many graphs have no wrong operation."""
    every = {row.model for row, _ in pairs}
    wrong = {row.model for (row, _), good in zip(pairs, right, strict=True) if not good}
    return Share(len(every) - len(wrong), len(every))


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An operation of which the guess is wrong, on the device or on what the engine supports."""

    row: Row
    guess: Guess
    device: bool
    support: bool


def disagreements(rows: Iterable[Row], guesses: Guesses) -> list[Disagreement]:
    """Every operation on which the guess, ties allowed, and the measurement disagree."""
    found = []
    for row in rows:
        guess = guesses[row.model, row.index]
        device = not row.cost_tie and not right_up_to_ties(row, guess)
        support = not right_on_support(row, guess)
        if device or support:
            found.append(Disagreement(row, guess, device, support))
    return found


def everything_on_the_engine(rows: Iterable[Row]) -> Guesses:
    """The baseline that puts every operation on the engine."""
    return {(row.model, row.index): Guess(ANE, frozenset({ANE})) for row in rows}


def names_in_other_groups(rows: Sequence[Row], table: Sequence[Row]) -> Guesses:
    """A table of names: the device on which most operations of that name are in the other groups of `table`."""
    return _by_name(rows, table, [row.group for row in rows], [row.group for row in table])


def names_in_other_graphs(rows: Sequence[Row], table: Sequence[Row]) -> Guesses:
    """A table of names: the device on which most operations of that name are in all other graphs of `table`."""
    return _by_name(rows, table, [row.model for row in rows], [row.model for row in table])


def names_supported(rows: Sequence[Row], table: Sequence[Row]) -> Guesses:
    """A table of names: the engine, if it supports most operations of that name in all other graphs of `table`."""
    guesses = names_in_other_graphs(rows, table)
    return {key: Guess(ANE if ANE in guess.supported else "cpu", guess.supported) for key, guess in guesses.items()}


def _by_name(rows: Sequence[Row], table: Sequence[Row], own: Sequence[str], theirs: Sequence[str]) -> Guesses:
    """Let the operations of a name vote, but those with the same mark; a draw and an unknown name go to the engine."""
    devices: Counter[tuple[str, str, str]] = Counter()
    supports: Counter[tuple[str, str, bool]] = Counter()
    for row, mark in zip(table, theirs, strict=True):
        for place in ("", mark):
            devices[row.op, place, row.preferred] += 1
            supports[row.op, place, ANE in row.supported] += 1
    names = sorted({row.preferred for row in table} | {ANE}, key=lambda device: (device != ANE, device))
    guesses: Guesses = {}
    for row, mark in zip(rows, own, strict=True):
        votes = {device: devices[row.op, "", device] - devices[row.op, mark, device] for device in names}
        able = {answer: supports[row.op, "", answer] - supports[row.op, mark, answer] for answer in (True, False)}
        supported = frozenset({ANE} if able[True] >= able[False] else ())
        guesses[row.model, row.index] = Guess(max(names, key=lambda device: votes[device]), supported)
    return guesses
