"""Numbers for people: three digits that mean something, with a unit that fits."""

from __future__ import annotations

MEGA = 1e6
LARGEST = 10**300
"""More than any model means; a shape of nonsense may have more bytes than a float holds."""


def digits(value: float) -> str:
    """About three digits; what is smaller than a thousandth is said to be, what is very large is written as a power."""
    if 0 < value < 0.0005:
        return "<0.001"
    if value >= 1e6:
        return f"{value:.3g}"
    places = 3 if value < 0.9995 else 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{places}f}" if value else "0"


def mega(size: int) -> float:
    """Bytes in MB, of a million bytes."""
    return min(size, LARGEST) / MEGA


def megabytes(size: int) -> str:
    """Bytes in MB, with the unit."""
    return f"{digits(mega(size))} MB"


def milliseconds(ms: float) -> str:
    """Milliseconds."""
    return f"{digits(ms)} ms"


def estimate(ms: float) -> str:
    """Milliseconds in two digits, without the unit: no estimate of time is good for more."""
    return f"{float(f'{ms:.2g}'):g}"


def plural(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}{'es' if noun.endswith('ch') else 's'}"
