"""What a report says of where operations are predicted to run, in the runs that ask for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence
from anecheck.lint.documented import DOCUMENTED


@dataclass(frozen=True, kw_only=True)
class OperationReport:
    """One operation of a function; `index` counts all but `const` in the function's own block, from 0."""

    __pydantic_config__: ClassVar = DOCUMENTED

    index: int
    name: str
    type: str
    device: str | None = None
    """The predicted device; null where nothing was predicted."""
    supported: list[str]
    """The devices that no rule keeps the operation from."""
    blockers: list[str]
    """The codes of the rules that keep it from the engine."""
    tie: list[str] = field(default_factory=list)
    estimated_us: dict[str, float | None] = field(default_factory=dict)
    block: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class SegmentReport:
    """A run of operations on one device; `first` and `last` are operation indices."""

    __pydantic_config__: ClassVar = DOCUMENTED

    device: str
    first: int
    last: int
    operations: int
    estimated_us: float


@dataclass(frozen=True, kw_only=True)
class BoundaryReport:
    """A change of device before the operation `index`, and the operation that forces it (null where none does)."""

    __pydantic_config__: ClassVar = DOCUMENTED

    index: int
    source: str
    target: str
    cut_by: str | None
    cut_by_type: str | None
    blockers: list[str]


@dataclass(frozen=True, kw_only=True)
class MendReport:
    """Operations to mend together, and what the re-solved plan is then."""

    __pydantic_config__: ClassVar = DOCUMENTED

    operations: list[str]
    blockers: list[str]
    segments: int
    switches: int
    estimated_ms: float
    won_ms: float


@dataclass(frozen=True, kw_only=True)
class ShortfallReport:
    """A program too small to pay: what the engine would save, and what going there costs, in milliseconds."""

    __pydantic_config__: ClassVar = DOCUMENTED

    saved_ms: float
    cost_ms: float


@dataclass(frozen=True, kw_only=True)
class PlacementReport:
    """Where a function's operations go, why, and what would change that."""

    __pydantic_config__: ClassVar = DOCUMENTED

    segments: list[SegmentReport]
    boundaries: list[BoundaryReport]
    mends: list[MendReport]
    shortfall: ShortfallReport | None
    whole_program: list[str]
    """Why the engine is out of the question for the whole program."""
    assumptions: list[str]
    confidence: Confidence
    doubts: list[str]
    """What the prediction hangs on that was not measured."""
