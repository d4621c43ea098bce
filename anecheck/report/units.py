"""Numbers for people: three digits that mean something, with a unit that fits."""

from __future__ import annotations

MEGA = 1e6


def digits(value: float) -> str:
    """About three digits; what is smaller than a thousandth is said to be."""
    if 0 < value < 0.0005:
        return "<0.001"
    places = 3 if value < 0.9995 else 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{places}f}" if value else "0"


def megabytes(size: float) -> str:
    """Bytes in MB, of a million bytes."""
    return f"{digits(size / MEGA)} MB"


def milliseconds(ms: float) -> str:
    """Milliseconds."""
    return f"{digits(ms)} ms"


def plural(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}{'es' if noun.endswith('ch') else 's'}"
