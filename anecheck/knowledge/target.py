"""What a model is judged for: a chip, a device or a whole engine family, with an optional OS release."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from anecheck.knowledge.evidence import FAMILIES
from anecheck.knowledge.tables import Knowledge

DEFAULT_TARGET = "a17pro"
OS_RELEASE = re.compile(r"(ios|macos|ipados|watchos|tvos|visionos)(\d+(?:\.\d+)*)")


class ComputeUnits(str, Enum):
    """Which devices the app lets Core ML use."""

    ALL = "all"
    CPU_AND_NE = "cpu-and-ne"
    CPU_AND_GPU = "cpu-and-gpu"
    CPU_ONLY = "cpu-only"

    @property
    def has_engine(self) -> bool:
        """Whether the Neural Engine is among them."""
        return self in {ComputeUnits.ALL, ComputeUnits.CPU_AND_NE}


class UnknownTargetError(ValueError):
    """No chip, device or family has the name given."""


@dataclass(frozen=True, slots=True)
class Target:
    """A family ("H16"), with the chip's slug where one was named, and the OS ("ios18") where one was named."""

    family: str
    chip: str | None = None
    os: str | None = None

    @property
    def system(self) -> tuple[str, tuple[int, ...]] | None:
        """The OS with its version (("ios", (17, 4)) for "ios17.4"); `None` where none was named."""
        named = OS_RELEASE.fullmatch(self.os or "")
        return (named[1], tuple(int(part) for part in named[2].split("."))) if named else None

    def is_since(self, first: Mapping[str, tuple[int, ...]]) -> bool | None:
        """Whether the OS is at least the release that `first` has for it; `None` where none was named or `first` lacks it."""
        named = self.system
        begin = first.get(named[0]) if named else None
        return None if named is None or begin is None else named[1] >= begin

    def __str__(self) -> str:
        name = f"{self.chip} ({self.family})" if self.chip else self.family
        return f"{name}/{self.os}" if self.os else name


def parse_target(text: str, knowledge: Knowledge) -> Target:
    """Read a target such as `a17pro`, `m4/macos26`, `iphone-15-pro` or `h16`.

    Raises:
        UnknownTargetError: names what was not understood, and what is near.
    """
    name, _, release = text.strip().lower().partition("/")
    if release and not OS_RELEASE.fullmatch(release):
        raise UnknownTargetError(f"'{release}' is no OS release; write for example ios18 or macos26")
    family, chip = _resolve(name, knowledge)
    return Target(family, chip, release or None)


def _resolve(name: str, knowledge: Knowledge) -> tuple[str, str | None]:
    if name.upper() in FAMILIES:
        return name.upper(), None
    for family in knowledge.families.values():
        if name in family.chips:
            return family.name, name
    for chip in knowledge.chips.values():
        if name == chip.slug or name in chip.devices:
            if chip.family not in FAMILIES:
                raise UnknownTargetError(f"{chip.name} has no engine that Core ML can reach; choose a newer chip")
            return chip.family, chip.slug
    known = [*knowledge.chips, *(device for chip in knowledge.chips.values() for device in chip.devices)]
    known += [family.lower() for family in FAMILIES]
    near = [other for other in known if name and other.startswith(name)][:3] or difflib.get_close_matches(
        name, known, n=3
    )
    hint = f"did you mean {' or '.join(near)}?" if near else "`anecheck targets` lists them"
    raise UnknownTargetError(f"there is no chip, device or family '{name}'; {hint}")
