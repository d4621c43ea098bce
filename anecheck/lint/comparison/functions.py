"""What changed between a function of an old export and the same of a new one: operations, their devices, and totals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from anecheck.lint.comparison.matching import Matching, match
from anecheck.lint.comparison.reports import DeviceChange, FunctionComparison, NumberChange, OperationRef
from anecheck.lint.placement_report import OperationReport
from anecheck.lint.reports import FunctionReport, Summary
from anecheck.lint.rule import GraphContext
from anecheck.mil.graph import Node

ENGINE: Final = "ane"

NUMBERS: Final[dict[str, Callable[[Summary], float | None]]] = {
    "operations": lambda summary: summary.operations,
    "off_engine": lambda summary: summary.off_engine,
    "ane": lambda summary: summary.ane,
    "gpu": lambda summary: summary.gpu,
    "cpu": lambda summary: summary.cpu,
    "segments": lambda summary: summary.segments,
    "switches": lambda summary: summary.switches,
    "estimated_ms": lambda summary: summary.estimated_ms,
    "latency_ms": lambda summary: summary.latency.ms if summary.latency else None,
    "peak_working_set_bytes": lambda summary: summary.peak_working_set_bytes,
    "weight_bytes": lambda summary: summary.weight_bytes,
    "resident_weight_bytes": lambda summary: summary.resident_weight_bytes,
}
"""What of a summary is set side by side, by the name that a comparison gives it."""


@dataclass(frozen=True, slots=True)
class JudgedFunction:
    """A function and what was reported of it, with every operation listed."""

    context: GraphContext
    report: FunctionReport

    @property
    def operations(self) -> Iterator[tuple[Node, OperationReport]]:
        """Every operation with what was reported of it."""
        return zip(self.context.graph.nodes, self.report.operations or (), strict=True)


@dataclass(frozen=True, slots=True)
class FunctionPair:
    """A function of both exports, and which of its operations are the same."""

    old: JudgedFunction
    new: JudgedFunction
    matching: Matching


def paired(
    old: Iterable[JudgedFunction], new: Iterable[JudgedFunction]
) -> tuple[list[FunctionPair], list[JudgedFunction], list[JudgedFunction]]:
    """Pair functions of the same name, and single ones that are left with each other; then those only old, those only new."""
    before = {function.report.name: function for function in old}
    after = {function.report.name: function for function in new}
    both = [(before.pop(name), after.pop(name)) for name in [name for name in before if name in after]]
    if len(before) == len(after) == 1:
        both.append((before.popitem()[1], after.popitem()[1]))
    pairs = [FunctionPair(old, new, match(old.context.graph, new.context.graph)) for old, new in both]
    return pairs, list(before.values()), list(after.values())


def function_comparison(pair: FunctionPair) -> FunctionComparison:
    """Say what changed in a function."""
    before, after = dict(pair.old.operations), dict(pair.new.operations)
    ties = _ties(pair.old), _ties(pair.new)
    summaries = pair.old.report.summary, pair.new.report.summary
    return FunctionComparison(
        old_name=pair.old.report.name,
        new_name=pair.new.report.name,
        matched=len(pair.matching.pairs),
        device_changes=[
            _device_change(before[old], after[new], *ties)
            for old, new in pair.matching.pairs
            if before[old].device != after[new].device
        ],
        added=[_ref(after[node]) for node in pair.matching.added],
        removed=[_ref(before[node]) for node in pair.matching.removed],
        numbers=[_number(name, read(summaries[0]), read(summaries[1])) for name, read in NUMBERS.items()],
        has_unknown_sizes=any(summary.has_unknown_sizes for summary in summaries),
    )


def _ties(function: JudgedFunction) -> dict[int, list[str]]:
    """The devices between which operations are a tie, by index; those in a nested block go with the one around it."""
    return {report.index: report.tie for _, report in function.operations if report.tie}


def _device_change(
    old: OperationReport, new: OperationReport, old_ties: dict[int, list[str]], new_ties: dict[int, list[str]]
) -> DeviceChange:
    absent = old if new.device == ENGINE else new
    return DeviceChange(
        old=_ref(old),
        new=_ref(new),
        blockers=list(absent.blockers),
        is_tie=new.device in old_ties.get(old.index, ()) or old.device in new_ties.get(new.index, ()),
    )


def _ref(operation: OperationReport) -> OperationRef:
    return OperationRef(
        index=operation.index,
        name=operation.name,
        type=operation.type,
        device=operation.device,
        block=list(operation.block),
    )


def _number(name: str, old: float | None, new: float | None) -> NumberChange:
    return NumberChange(name=name, old=old, new=new, delta=None if old is None or new is None else new - old)
