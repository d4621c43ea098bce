"""The rows of the tables, as typed records; `tables.py` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from anecheck.knowledge.evidence import Citation, Confidence


class Source(NamedTuple):
    """Where facts come from; `url` is empty where no address is known, and `note` then says why."""

    title: str
    url: str
    kind: str
    note: str = ""


class Limit(NamedTuple):
    """A number that something must not exceed, on some families. `reject` is the compiler's own message."""

    name: str
    families: tuple[str, ...]
    value: float
    unit: str
    meaning: str
    sources: tuple[str, ...]
    confidence: Confidence
    reject: str = ""
    note: str = ""

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The limit's sources, good for its families."""
        return tuple(Citation(source, self.confidence, self.families) for source in self.sources)


class EngineVerdict(NamedTuple):
    """What some families' engines do with an operation: "native", "conditional", "never" or "unknown"."""

    families: tuple[str, ...]
    status: str
    confidence: Confidence
    sources: tuple[str, ...] = ()


class Verdict(NamedTuple):
    """A verdict for every family, and whether the GPU has the operation ("native", "lacks" or "unknown")."""

    engine: tuple[EngineVerdict, ...]
    gpu: str


class Operator(NamedTuple):
    """An operation of MIL: the first opset of ML Programs that has it, and the key of its verdict."""

    verdict: str
    since: str
    condition: str = ""
    reject: str = ""
    note: str = ""


class Capability(NamedTuple):
    """Something that a family's engine can or cannot do."""

    name: str
    value: bool | int | str
    sources: tuple[str, ...]
    confidence: Confidence
    note: str = ""


class Family(NamedTuple):
    """An engine generation; `measured` says whether Core ML's placement was read on one of its chips."""

    name: str
    chips: tuple[str, ...]
    measured: bool
    capability: tuple[Capability, ...] = ()
    note: str = ""


class Release(NamedTuple):
    """A Core ML release, by the specification version that a model file carries."""

    specification_version: int
    opset: str
    mil_text: str
    ios: str
    macos: str
    watchos: str
    tvos: str
    mlprogram: bool
    features: tuple[str, ...]
    sources: tuple[str, ...]
    confidence: Confidence
    note: str = ""


class Figure(NamedTuple):
    """A number of a chip, or a list where it depends on the model sold; `confidence` is high, medium or low."""

    value: float | str | tuple[float | str, ...] | dict[str, Any]
    source: str
    confidence: str
    unit: str = ""
    note: str = ""


class Thermal(NamedTuple):
    """A measured series: the share of the first samples' rate that "ane" or "gpu" kept after so many seconds of work."""

    device: str
    workload: str
    seconds: tuple[int, ...]
    retained: tuple[float, ...]
    source: str
    confidence: str
    note: str = ""


class Chip(NamedTuple):
    """A chip: its engine family ("none" where Core ML cannot reach the engine), devices, and figures by name."""

    slug: str
    name: str
    family: str
    year: int
    devices: tuple[str, ...] = ()
    device_class: str = ""
    arch: str = ""
    note: str = ""
    figures: Mapping[str, Figure] = {}  # nobody changes it
    """The chip's numbers by name, e.g. `dram_gbps`."""
    more: Mapping[str, Any] = {}  # nobody changes it
    """What else its row of the table holds, as it stands there."""

    @property
    def readings(self) -> dict[str, Figure]:
        """Single numbers that were measured on it, by name."""
        return {name: figure(row) for name, row in self.more.get("measured", {}).items()}

    @property
    def thermal(self) -> tuple[Thermal, ...]:
        """What was measured of it under lasting work."""
        rows: list[dict[str, Any]] = self.more.get("thermal", [])
        return tuple(
            Thermal(**{**row, "seconds": tuple(row["seconds"]), "retained": tuple(map(float, row["retained"]))})
            for row in rows
        )


def figure(row: Mapping[str, Any]) -> Figure:
    """A figure as it is written: a list of values is a tuple."""
    value = row["value"]
    return Figure(**{**row, "value": tuple(value) if isinstance(value, list) else value})


class Rate(NamedTuple):
    """How fast a chip's engine runs whole networks, fitted to published latencies (`latency.toml` has the formula).

    `name` is the chip's. `tflops` are 1e12 operations a second, `gbps` 1e9 bytes a second. `fitted_to` counts the latencies
    that the row rests on; nine in ten published times lie within the factor `spread` of the estimate, up or down.
    """

    chip: str
    name: str
    tflops: float
    gbps: float
    floor_ms: float
    int8_speedup: float
    spread: float
    fitted_to: int
    sources: tuple[str, ...]
    confidence: Confidence
    note: str = ""
