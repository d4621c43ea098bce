"""What one prediction of a model runs: one of its functions or, of a pipeline, all parts one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from anecheck.lint.rule import GraphContext
from anecheck.mil.model import Kind, Model
from anecheck.predict.assess import Assessment
from anecheck.predict.weights import stored_and_resident


class Call(NamedTuple):
    """One prediction: the functions that it runs, in order, with their numbers. `label` is empty where there is but one."""

    label: str
    functions: tuple[GraphContext, ...]
    parts: tuple[Assessment, ...]

    @property
    def ms(self) -> tuple[float, float, float]:
        """Its time in milliseconds: low, middle, high."""
        times = [(part.timing.range[0], part.timing.ms, part.timing.range[1]) for part in self.parts]
        low, middle, high = (sum(column) for column in zip(*times, strict=True))
        return low, middle, high

    @property
    def peak_bytes(self) -> int:
        """The largest working set of its functions, one running at a time."""
        return max(part.footprint.peak for part in self.parts)

    @property
    def resident_bytes(self) -> int:
        """The weights of all its functions in memory, a shared one counted once in each part."""
        return sum(stored_and_resident(part.weights.all.values(), part.streams)[1] for part in self.parts)

    @property
    def memory_bytes(self) -> int:
        """What it holds: weights and working set."""
        return self.resident_bytes + self.peak_bytes


def calls_of(model: Model, functions: Sequence[GraphContext], assessments: Sequence[Assessment]) -> list[Call]:
    """The predictions that an app can ask of a model."""
    if not functions:
        return []
    if model.kind is Kind.PIPELINE:
        return [Call("", tuple(functions), tuple(assessments))]
    several = len(functions) > 1
    return [
        Call(function.label if several else "", (function,), (assessment,))
        for function, assessment in zip(functions, assessments, strict=True)
    ]
