"""How well something is known, and where it comes from."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

FAMILIES = ("H11", "H12", "H13", "H14", "H15", "H16", "H17", "H18")
"""Engine generations, oldest first: H13 is A14 and M1, H16 is A17 Pro and M4."""


class Device(str, Enum):
    """What can run an operation."""

    ANE = "ane"
    GPU = "gpu"
    CPU = "cpu"


class Confidence(str, Enum):
    """How sure a fact is, best first."""

    DOCUMENTED = "apple-documented"
    MEASURED = "compute-plan-measured"
    REVERSE_ENGINEERED = "reverse-engineered"
    COMMUNITY = "community-report"
    ESTIMATED = "estimated"
    EXTRAPOLATED = "extrapolated"
    FOLKLORE = "folklore"

    @property
    def rank(self) -> int:
        """0 for the best."""
        return list(Confidence).index(self)


class Citation(NamedTuple):
    """A source that says something, and how well it knows it.

    `source` is a key of `sources.toml`; `families` are the engine generations on which it was seen (elsewhere the claim is
    an extrapolation).
    """

    source: str
    confidence: Confidence
    families: tuple[str, ...] = FAMILIES

    def on(self, family: str) -> Confidence:
        """The confidence of the claim for a `family`."""
        return (
            self.confidence
            if family in self.families
            else max(self.confidence, Confidence.EXTRAPOLATED, key=lambda confidence: confidence.rank)
        )


def cite(source: str, confidence: Confidence, *families: str) -> Citation:
    """Cite a source; name the families where the claim does not hold for all as it stands."""
    return Citation(source, confidence, families or FAMILIES)
