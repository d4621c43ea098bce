"""What a lint run reports. The JSON report and its schema are made from these classes, by pydantic (`report/json.py`).

Keys may be added within schema version 1; none is renamed or dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from anecheck.lint.documented import DOCUMENTED
from anecheck.lint.finding import Finding

if TYPE_CHECKING:  # `report/json.py` adds them: to define a dozen classes takes milliseconds, of every command
    from anecheck.lint.footprint_report import FootprintReport, MemoryTotal
    from anecheck.lint.measured_report import MeasuredReport
    from anecheck.lint.placement_report import OperationReport, PlacementReport
    from anecheck.lint.run_report import Gone, Shard, SuppressionReport

SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, kw_only=True)
class LatencyReport:
    """An estimated time in milliseconds, with the range in which nine in ten published ones lay.

    `standing` is "fitted" where the chip's rates were fitted to published latencies, "family" where those of a chip of its
    family were, and "other" where none of its family were; the range is then only a judgement. `bound` is what takes most
    of the time: "arithmetic", "weights", "values", "floor" or "elsewhere".
    """

    __pydantic_config__: ClassVar = DOCUMENTED

    ms: float
    low_ms: float
    high_ms: float
    standing: str
    bound: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Totals of a function, the placement predicted for the first target. What was not predicted is null."""

    __pydantic_config__: ClassVar = DOCUMENTED

    operations: int
    off_engine: int
    """Operations that a rule says are likely to leave the engine."""
    ane: int | None = None
    gpu: int | None = None
    cpu: int | None = None
    segments: int | None = None
    switches: int | None = None
    estimated_ms: float | None = None
    peak_working_set_bytes: int | None = None
    """The most bytes that are live at once, as the engine lays them out; without the weights."""
    weight_bytes: int
    """Bytes of the weights that the function refers to, as stored."""
    resident_weight_bytes: int | None = None
    """The same as memory holds them on the target: what it cannot read as it is stored is expanded."""
    has_unknown_sizes: bool = False
    """Whether some sizes are known only when the model runs: they count as 1, so time and memory are lower bounds."""
    latency: LatencyReport | None = None
    """What one prediction is estimated to take, which `estimated_ms`, Core ML's own sum for its plan, is not."""


@dataclass(frozen=True, kw_only=True)
class FunctionReport:
    """One function of a model; `name` is prefixed with the part's name in a pipeline (`encoder/main`)."""

    __pydantic_config__: ClassVar = DOCUMENTED

    name: str
    opset: str
    summary: Summary
    operations: list[OperationReport] | None = None
    placement: PlacementReport | None = None
    footprint: FootprintReport | None = None
    measured: MeasuredReport | None = None
    """How the placement compares with a measured one, where one was given."""


@dataclass(frozen=True, kw_only=True)
class ReadError:
    """Why a model could not be read."""

    __pydantic_config__: ClassVar = DOCUMENTED

    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class TargetReport:
    """What a model is judged for."""

    __pydantic_config__: ClassVar = DOCUMENTED

    chip: str | None
    family: str
    os: str | None
    compute_units: str


@dataclass(frozen=True, kw_only=True)
class ModelReport:
    """One model with everything found in it; `error` is set where it could not be read."""

    __pydantic_config__: ClassVar = DOCUMENTED

    path: str
    kind: str | None = None
    specification_version: int | None = None
    targets: list[TargetReport] = field(default_factory=list)
    """What it was judged for; the first is the one that summaries and operations speak of."""
    fail_on: str = "warning"
    """The least severity that makes the exit code 1 ("error", "warning", "info"), or "never"."""
    configuration: str | None = None
    """The configuration file that was found for it."""
    listing: str | None = None
    """A file with the program's text, whose lines findings then point at."""
    error: ReadError | None = None
    functions: list[FunctionReport] = field(default_factory=list)
    memory: MemoryTotal | None = None
    """What all functions take together, where footprints were asked for."""
    findings: list[Finding] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
    """What the baseline has and the model no longer."""


@dataclass(frozen=True, kw_only=True)
class ToolReport:
    """Which tool made the report."""

    __pydantic_config__: ClassVar = DOCUMENTED

    name: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole lint run. `targets` are those of all models, and `target` is the first of them.

    `notices` speak of the run and not of a model: suppressions that have expired or are unused, a baseline that is out of
    date. Their `source` is the line of the configuration.
    """

    __pydantic_config__: ClassVar = DOCUMENTED

    schema_version: str = SCHEMA_VERSION
    tool: ToolReport
    target: TargetReport
    targets: list[TargetReport]
    models: list[ModelReport]
    notices: list[Finding] = field(default_factory=list)
    suppressions: list[SuppressionReport] = field(default_factory=list)
    silenced: list[str] = field(default_factory=list)
    """The codes of what nobody wants to be told of the run."""
    fail_on: str = "warning"
    """The least severity of a notice that makes the exit code 1, or "never"."""
    shard: Shard | None = None
