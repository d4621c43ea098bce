"""Typed access to `loads.toml`: how long models were seen to load, and the constants read off that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from anecheck.knowledge.evidence import FAMILIES, Citation, Confidence

MEGABYTE = 1e6


class LoadSample(NamedTuple):
    """A published load: seconds for the first, milliseconds from the cache, each as a range, `None` where not stated.

    `bytes` are those of the weights in fp16, `weights` says how they are known, `programs` is into how many engine programs
    the model was cut. `outlier` says why a prediction need not meet the row.
    """

    model: str
    device: str
    source: str
    confidence: Confidence
    bytes: int | None = None
    weights: str = ""
    programs: int = 1
    first_s: tuple[float, float] | None = None
    cached_ms: tuple[float, float] | None = None
    note: str = ""
    outlier: str = ""


class LoadConstant(NamedTuple):
    """A number that a prediction multiplies an amount with, as a range; `low_from` and `high_from` name samples."""

    name: str
    low: float
    high: float
    unit: str
    sources: tuple[str, ...]
    confidence: Confidence
    low_from: str = ""
    high_from: str = ""
    note: str = ""

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Its sources; it is taken for every family alike."""
        return tuple(Citation(source, self.confidence, FAMILIES) for source in self.sources)


class Loads(NamedTuple):
    """The whole table; the constants by name."""

    samples: tuple[LoadSample, ...]
    constants: Mapping[str, LoadConstant]
