"""What in a comparison makes it worse, and what better."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from anecheck.lint.comparison.functions import ENGINE
from anecheck.lint.comparison.reports import FindingChange, FunctionComparison, NumberChange, Reason
from anecheck.lint.finding import Severity

EXACT: Final = "segments"
"""A count: one more is worse."""
BOUNDED: Final = ("latency_ms", "peak_working_set_bytes")
"""Estimates that are only lower bounds where sizes are not known."""
JUDGED: Final = (EXACT, *BOUNDED, "resident_weight_bytes")


def finding_reasons(changes: Iterable[FindingChange], fail_on: str) -> list[Reason]:
    """One for each rule and function that has findings of at least the severity; "never" is above all of them."""
    limit = -1 if fail_on == "never" else Severity(fail_on).rank
    counts: dict[tuple[str | None, str, Severity], int] = {}
    for change in changes:
        if change.severity.rank <= limit:
            key = (change.function, change.code, change.severity)
            counts[key] = counts.get(key, 0) + change.count
    return [
        Reason(kind="findings", function=function, code=code, severity=severity, count=count)
        for (function, code, severity), count in counts.items()
    ]


def function_reasons(function: FunctionComparison, tolerance: float) -> tuple[list[Reason], list[Reason]]:
    """What of a function is worse, and what better, by more than the tolerance where it is an estimate of time or bytes."""
    worse, better = _devices(function)
    for number in _comparable(function):
        old, new = number.old or 0.0, number.new or 0.0
        allowed = 0.0 if number.name == EXACT else old * tolerance
        if abs(new - old) > allowed:
            reason = Reason(kind=number.name, function=function.new_name, old=number.old, new=number.new)
            (worse if new > old else better).append(reason)
    return worse, better


def _devices(function: FunctionComparison) -> tuple[list[Reason], list[Reason]]:
    """Operations of both exports that left the engine, and those that came to it; a tie says nothing."""
    real = [change for change in function.device_changes if not change.is_tie]
    left = sum(change.old.device == ENGINE for change in real)
    came = sum(change.new.device == ENGINE for change in real)
    reasons = (
        [Reason(kind="devices", function=function.new_name, count=count)] if count else [] for count in (left, came)
    )
    worse, better = reasons
    return worse, better


def _comparable(function: FunctionComparison) -> Iterator[NumberChange]:
    for number in function.numbers:
        if (
            number.name in JUDGED
            and number.delta is not None
            and not (function.has_unknown_sizes and number.name in BOUNDED)
        ):
            yield number
