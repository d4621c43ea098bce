"""Fields of JSON that somebody else wrote: each is what it should be, or the error says where it is not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from anecheck.knowledge.evidence import Device
from anecheck.measured.plan import PlanError, device_named


def mapping(value: Any, place: str) -> Mapping[str, Any]:  # noqa: ANN401  # whatever JSON holds
    """An object."""
    if not isinstance(value, dict):
        raise _unexpected(place, "an object", value)
    return value


def sequence(value: Any, place: str) -> list[Any]:  # noqa: ANN401
    """A list."""
    if not isinstance(value, list):
        raise _unexpected(place, "a list", value)
    return value


def text(value: Any, place: str) -> str:  # noqa: ANN401
    """A string; halves of surrogate pairs, which no output can carry, become escapes."""
    if not isinstance(value, str):
        raise _unexpected(place, "a string", value)
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def optional_text(value: Any, place: str) -> str | None:  # noqa: ANN401
    """A string or nothing."""
    return None if value is None else text(value, place)


def number(value: Any, place: str) -> float | None:  # noqa: ANN401
    """A finite number or nothing."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise _unexpected(place, "a number", value)
    return float(value)


def count(value: Any, place: str) -> int | None:  # noqa: ANN401
    """A whole number from 0 on, or nothing."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _unexpected(place, "a whole number from 0 on", value)
    return value


def device(value: Any, place: str) -> Device | None:  # noqa: ANN401
    """A device by name, or nothing."""
    spelt = optional_text(value, place)
    found = device_named(spelt) if spelt is not None else None
    if spelt is not None and found is None:
        raise _unexpected(place, "ANE, GPU or CPU", value)
    return found


def devices(value: Any, place: str) -> frozenset[Device] | None:  # noqa: ANN401
    """A list of devices by name, or nothing."""
    if value is None:
        return None
    found = (device(each, f"{place}[{number}]") for number, each in enumerate(sequence(value, place)))
    return frozenset(each for each in found if each is not None)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _unexpected(place: str, expected: str, value: Any) -> PlanError:  # noqa: ANN401
    found = repr(value)
    return PlanError(f"expected {expected} at {place}, found {found[:40]}{'…' if len(found) > 40 else ''}")
