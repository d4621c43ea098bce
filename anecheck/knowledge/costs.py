"""Typed access to `costs.toml`: what Core ML's segmenter takes operations, switches and launches to cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from anecheck.knowledge.evidence import Confidence


class CostClass(NamedTuple):
    """Throughputs of a class of operations within a tier; rates in GB/s, GFLOP/s or thousand millions of elements a second.

    `ane` is missing where the engine's cost is that of memory. `bracket` is where the tier's border was seen to lie.
    """

    name: str
    types: tuple[str, ...]
    amount: str
    bnns: float
    classic: float
    standing: str
    ane: float | None = None
    tier: str = ""
    at_least: float = 0.0
    bracket: tuple[float, float] | None = None
    note: str = ""


class PathCosts(NamedTuple):
    """What the segmenter adds along a plan, in milliseconds."""

    switch_ms: float
    switch_bracket_ms: tuple[float, float]
    launch_ms: float
    output_ms: float


class GpuCosts(NamedTuple):
    """How the GPU is placed between the others, which nobody measured."""

    sources: tuple[str, ...]
    confidence: Confidence
    speed_over_cpu: float
    switch_ms: float


class ComputeFloor(NamedTuple):
    """Operations whose arithmetic may outweigh memory on the CPU, and its throughput in GFLOP/s."""

    types: tuple[str, ...]
    gelu_operations_per_element: int
    bnns: float
    classic: float


class UncountedParameters(NamedTuple):
    """Whose constant parameters are not counted as bytes."""

    types: tuple[str, ...]
    scalars_only: tuple[str, ...]
    pooling_types: tuple[str, ...]
    bytes_per_tap: int


@dataclass(frozen=True)
class Costs:
    """The whole table."""

    sources: tuple[str, ...]
    confidence: Confidence
    families: tuple[str, ...]
    path: PathCosts
    gpu: GpuCosts
    compute_floor: ComputeFloor
    uncounted_parameters: UncountedParameters
    classes: tuple[CostClass, ...]
    measured_memory: frozenset[str]

    @cached_property
    def memory(self) -> CostClass:
        """The class of every operation that no other names."""
        return next(row for row in self.classes if row.name == "memory")

    @cached_property
    def by_type(self) -> Mapping[str, tuple[CostClass, ...]]:
        """The classes of an operation type, the highest tier first."""
        found: dict[str, tuple[CostClass, ...]] = {}
        for row in sorted(self.classes, key=lambda row: -row.at_least):
            for kind in row.types:
                found[kind] = (*found.get(kind, ()), row)
        return found
