"""What is wanted of a model, before it is known what its neighbours take: from options, from a configuration, or both."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from anecheck.predict.budget import HEADROOM, LOAD, RESIDENCY, Budgets, Neighbour

UNITS: Final = {"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.IGNORECASE)


class SettingError(ValueError):
    """What somebody set cannot be used; says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Budgets as somebody gave them, `None` where nobody did (`anecheck.predict.budget.Budgets` says what they mean).

    An empty `beside` says that nothing runs beside the model, whatever else says of it.

    Raises:
        SettingError: a value that is no budget.

    """

    fps: float | None = None
    headroom: float | None = None
    sustained: float | None = None
    residency: str | None = None
    load: str | None = None
    memory_limit: float | None = None
    beside: tuple[str | Path, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("fps", "sustained", "memory_limit"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise SettingError(f"{name}: '{value}' is no number above 0")
        if self.headroom is not None and not 0 <= self.headroom < 1:
            raise SettingError(f"headroom: '{self.headroom}' is no share of a frame; write for example 0.2")
        for name, known in (("residency", RESIDENCY), ("load", LOAD)):
            value = getattr(self, name)
            if value is not None and value not in known:
                raise SettingError(f"{name}: '{value}' is neither {' nor '.join(known)}")

    def over(self, other: Wanted) -> Wanted:
        """These, and what `other` has where these have nothing."""
        pairs = ((field.name, getattr(self, field.name)) for field in fields(self))
        return Wanted(**{name: value if value is not None else getattr(other, name) for name, value in pairs})

    def budgets(self, neighbours: tuple[Neighbour, ...]) -> Budgets:
        """The same with what the models beside it take."""
        return Budgets(
            self.fps,
            HEADROOM if self.headroom is None else self.headroom,
            self.sustained,
            self.residency,
            self.load,
            self.memory_limit,
            neighbours,
        )


NOTHING_WANTED: Final = Wanted()


def share(value: object) -> float:
    """Read a share below 1, written as `20%` or `0.2`.

    Raises:
        ValueError: it is none.

    """
    text = str(value).strip()
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = math.nan
    if not 0 <= number < 1:
        raise ValueError(f"'{text}' is no share of a frame; write for example 20%")
    return number


def size(value: object) -> float:
    """Read an amount of memory such as `150MB` or `1.5GiB`, in bytes.

    Raises:
        ValueError: it is none.

    """
    found = AMOUNT.fullmatch(str(value).strip())
    unit = UNITS.get(found[2].lower()) if found else None
    amount = float(found[1]) * unit if found and unit else 0.0
    if not 0 < amount < math.inf:
        raise ValueError(f"'{value}' is no amount of memory; write for example 150MB")
    return amount


def positive(value: object) -> float:
    """Read a number above 0.

    Raises:
        ValueError: it is none.

    """
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError(f"'{value}' is no number above 0")
    return number
