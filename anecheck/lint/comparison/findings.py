"""Which findings an export gained and lost against another."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from anecheck.lint.comparison.functions import FunctionPair
from anecheck.lint.comparison.reports import FindingChange
from anecheck.lint.finding import Finding, Severity
from anecheck.mil.graph import Node

Place: TypeAlias = tuple[str | None, int | None, tuple[tuple[int, int], ...], str | None]
"""Where a finding is: function, index, nested block, name."""


@dataclass(frozen=True, slots=True)
class Counterparts:
    """Where the functions and operations of the new export are in the old."""

    functions: dict[str, str]
    operations: dict[Place, Place]

    @staticmethod
    def of(pairs: Iterable[FunctionPair]) -> Counterparts:
        """Those that were paired."""
        functions: dict[str, str] = {}
        operations: dict[Place, Place] = {}
        for pair in pairs:
            old, new = pair.old.report.name, pair.new.report.name
            functions[new] = old
            operations.update((_place_of(new, after), _place_of(old, before)) for before, after in pair.matching.pairs)
        return Counterparts(functions, operations)


def changes(
    old: Sequence[Finding], new: Sequence[Finding], counterparts: Counterparts
) -> tuple[list[FindingChange], list[FindingChange]]:
    """What was gained, and what was lost.

    Findings are in both exports if they have the same fingerprint, or if they are of the same rule and of matched operations,
    or of the same rule and of a whole function or model; and, each way, the same severity.
    """
    lost = [finding for finding in old if not finding.suppressed]
    gained = [finding for finding in new if not finding.suppressed]

    def at(finding: Finding) -> Hashable:
        return counterparts.operations.get(_place(finding))

    def function(finding: Finding) -> str | None:
        return counterparts.functions.get(finding.function or "", finding.function)

    steps: tuple[tuple[Callable[[Finding], Hashable], Callable[[Finding], Hashable]], ...] = (
        (lambda new: (new.fingerprint, at(new)), lambda old: (old.fingerprint, _place(old))),
        (lambda new: new.fingerprint, lambda old: old.fingerprint),
        (lambda new: (new.code, at(new)), lambda old: (old.code, _place(old))),
        (
            lambda new: (new.code, function(new), id(new) if new.operation else None),
            lambda old: (old.code, old.function, id(old) if old.operation else None),
        ),
    )
    for of_new, of_old in steps:
        lost, gained = _cancel(lost, gained, of_old, of_new)
    return _grouped(gained), _grouped(lost)


def _cancel(
    old: list[Finding],
    new: list[Finding],
    of_old: Callable[[Finding], Hashable],
    of_new: Callable[[Finding], Hashable],
) -> tuple[list[Finding], list[Finding]]:
    """Take away from both sides what has the same key and severity, one for one."""
    waiting: dict[Hashable, list[int]] = {}
    for number, finding in enumerate(old):
        waiting.setdefault((of_old(finding), finding.severity), []).append(number)
    gone: set[int] = set()
    left: list[Finding] = []
    for finding in new:
        found = waiting.get((of_new(finding), finding.severity))
        if found:
            gone.add(found.pop(0))
        else:
            left.append(finding)
    return [finding for number, finding in enumerate(old) if number not in gone], left


def _grouped(findings: Iterable[Finding]) -> list[FindingChange]:
    """Findings of one rule that say the same in one function, together; the worst first."""
    groups: dict[tuple[str | None, str, Severity, str], list[Finding]] = {}
    for finding in findings:
        key = (finding.function, finding.code, finding.severity, finding.message)
        groups.setdefault(key, []).append(finding)
    changed = [_change(group) for group in groups.values()]
    return sorted(changed, key=lambda change: (change.severity.rank, change.code, change.function or "", -change.count))


def _change(group: Sequence[Finding]) -> FindingChange:
    first = group[0]
    return FindingChange(
        code=first.code,
        name=first.name,
        severity=first.severity,
        confidence=first.confidence,
        message=first.message,
        function=first.function,
        count=len(group),
        operations=[finding.operation for finding in group if finding.operation],
        fingerprints=sorted({finding.fingerprint for finding in group}),
        rewrite=first.rewrite.title if first.rewrite else None,
    )


def _place(finding: Finding) -> Place:
    block = tuple((position, number) for position, number in finding.block)
    return finding.function, finding.operation_index, block, finding.operation


def _place_of(function: str, node: Node) -> Place:
    return function, node.index, node.block, node.name
