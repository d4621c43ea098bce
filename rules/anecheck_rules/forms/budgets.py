"""How a budget that is missed, or may be, is told: by how much, and what would help."""

from __future__ import annotations

import math

from anecheck.lint.calls import Call, calls_of
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context
from anecheck.predict.budget import Budgets, Verdict, frame_verdict

MOST_LEVERS = 3
"""How many things that would help are named."""


def calls(context: Context) -> list[Call]:
    """The predictions that an app can ask of the model under judgement."""
    return calls_of(context.model, context.functions, context.assessments)


def severity(verdict: Verdict) -> Severity | None:
    """A warning where the estimate lies over the budget, a hint where only its range does; `None` where neither does."""
    if verdict.is_missed:
        return Severity.WARNING
    return Severity.INFO if verdict.is_doubtful else None


def milliseconds(verdict: Verdict) -> str:
    """The estimate with its range."""
    to = f"to {ms(verdict.high)}" if finite(verdict.high) else "or more"
    return f"estimated {ms(verdict.middle)} ms ({ms(verdict.low)} {to})"


def outcome(verdict: Verdict) -> str:
    """By how much the time is too long, or how much of its range is."""
    if verdict.is_missed:
        return f"{ms(verdict.middle - verdict.budget)} ms too long"
    if finite(verdict.high) is None:
        return "within it, but the range has no end"
    return f"within it, but the range ends {ms(verdict.high - verdict.budget)} ms beyond"


def what_helps(call: Call, budgets: Budgets, share: tuple[float, float] = (1.0, 1.0)) -> str:
    """What would make a call faster, as the end of a message; empty where nothing known would.

    The times are those of the whole frame, comparable to the estimate: models beside it and lost rate (`share`) included.
    """
    from anecheck.predict.levers import levers  # noqa: PLC0415  # only where a budget was asked for

    found = levers(call.parts[0]) if len(call.parts) == 1 else []
    named = ", ".join(
        f"{lever.text} ({ms(frame_verdict(budgets, (lever.ms,) * 3, share).middle)} ms)"
        for lever in found[:MOST_LEVERS]
    )
    return f"; by the same estimate would help: {named}" if named else ""


def carried_over(call: Call) -> str:
    """Where the rates come from, if not from the chip itself."""
    rates = call.parts[0].timing.rates
    return "" if rates.standing == "fitted" else f" ({rates.note})"


def finite(value: float) -> float | None:
    """A number as it stands in a report; `None` for one without end."""
    return value if math.isfinite(value) else None


def ms(value: float) -> str:
    """Milliseconds with three digits."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def megabytes(size: float) -> str:
    """Bytes as MB with three digits."""
    return f"{size / 1e6:.3g} MB" if size < 1e9 else f"{size / 1e6:,.0f} MB"


def of(call: Call) -> str:
    """Which of several calls is meant, as the beginning of a message."""
    return f"{call.label}: " if call.label else ""


def on(context: Context) -> str:
    """For which target it is said, as the beginning of a message."""
    target = context.target
    name = context.knowledge.chips[target.chip].name if target.chip else target.family
    return f"{name}/{target.os}: " if target.os else f"{name}: "
