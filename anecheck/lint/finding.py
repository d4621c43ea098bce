"""What a lint run reports. The JSON report and its schema are made from these classes, by pydantic (`report/json.py`).

They are plain dataclasses, because importing pydantic takes a fifth of the time in which a small model is linted, and only
JSON needs it. Keys may be added within schema version 1; none is renamed or dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from anecheck.knowledge.evidence import Confidence
from anecheck.lint.documented import DOCUMENTED

if TYPE_CHECKING:  # `report/json.py` adds them: to define a dozen classes takes milliseconds, of every command
    from anecheck.lint.footprint_report import FootprintReport, MemoryTotal

SCHEMA_VERSION = "1.0"


class Severity(str, Enum):
    """How much a finding matters, worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A source of a finding, with how sure it is for the target."""

    __pydantic_config__: ClassVar = DOCUMENTED

    source: str
    url: str
    confidence: Confidence


@dataclass(frozen=True, kw_only=True)
class Rewrite:
    """What to write instead: `title` in one line, `text` at length, and an example as MIL text and PyTorch where there is one."""

    __pydantic_config__: ClassVar = DOCUMENTED

    title: str
    text: str
    before: str | None = None
    after: str | None = None
    pytorch_before: str | None = None
    pytorch_after: str | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """The line of the user's own code that a finding comes from."""

    __pydantic_config__: ClassVar = DOCUMENTED

    file: str
    line: int
    module: str | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing found, at one operation or for a whole model (then the operation's fields are null)."""

    __pydantic_config__: ClassVar = DOCUMENTED

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    message: str
    reject: str | None = None
    """What Core ML's compiler answers, verbatim, where it is known."""
    function: str | None = None
    operation: str | None = None
    operation_type: str | None = None
    operation_index: int | None = None
    block: list[tuple[int, int]] = field(default_factory=list)
    """Where a nested block lies: (operation in its block, number of the nested block) pairs."""
    families: list[str] = field(default_factory=list)
    """The engine generations on which the finding holds."""
    blocks: list[str] = field(default_factory=list)
    """The devices that the operation is likely kept from."""
    related: list[str] = field(default_factory=list)
    """Operations that the finding concerns as well."""
    related_blocks: list[str] = field(default_factory=list)
    """The devices that those are likely kept from."""
    evidence: list[Evidence] = field(default_factory=list)
    rewrite: Rewrite | None = None
    fingerprint: str = ""
    """Stays the same when operations are renamed or renumbered."""
    suppressed: bool = False
    source: Source | None = None
    mil_line: int | None = None
    """The line, from 1, in the text that `anecheck show` prints."""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OperationReport:
    """One operation of a function; `index` counts all but `const` in the function's own block, from 0."""

    __pydantic_config__: ClassVar = DOCUMENTED

    index: int
    name: str
    type: str
    device: str | None = None
    """The predicted device; null where nothing was predicted."""
    supported: list[str]
    """The devices that no rule keeps the operation from."""
    blockers: list[str]
    """The codes of the rules that keep it from the engine."""
    tie: list[str] = field(default_factory=list)
    estimated_us: dict[str, float | None] = field(default_factory=dict)
    block: list[tuple[int, int]] = field(default_factory=list)


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
class SegmentReport:
    """A run of operations on one device; `first` and `last` are operation indices."""

    __pydantic_config__: ClassVar = DOCUMENTED

    device: str
    first: int
    last: int
    operations: int
    estimated_us: float


@dataclass(frozen=True, kw_only=True)
class BoundaryReport:
    """A change of device before the operation `index`, and the operation that forces it (null where none does)."""

    __pydantic_config__: ClassVar = DOCUMENTED

    index: int
    source: str
    target: str
    cut_by: str | None
    cut_by_type: str | None
    blockers: list[str]


@dataclass(frozen=True, kw_only=True)
class MendReport:
    """Operations to mend together, and what the re-solved plan is then."""

    __pydantic_config__: ClassVar = DOCUMENTED

    operations: list[str]
    blockers: list[str]
    segments: int
    switches: int
    estimated_ms: float
    won_ms: float


@dataclass(frozen=True, kw_only=True)
class ShortfallReport:
    """A program too small to pay: what the engine would save, and what going there costs, in milliseconds."""

    __pydantic_config__: ClassVar = DOCUMENTED

    saved_ms: float
    cost_ms: float


@dataclass(frozen=True, kw_only=True)
class PlacementReport:
    """Where a function's operations go, why, and what would change that."""

    __pydantic_config__: ClassVar = DOCUMENTED

    segments: list[SegmentReport]
    boundaries: list[BoundaryReport]
    mends: list[MendReport]
    shortfall: ShortfallReport | None
    whole_program: list[str]
    """Why the engine is out of the question for the whole program."""
    assumptions: list[str]
    confidence: Confidence
    doubts: list[str]
    """What the prediction hangs on that was not measured."""


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


@dataclass(frozen=True, kw_only=True)
class ReadError:
    """Why a model could not be read."""

    __pydantic_config__: ClassVar = DOCUMENTED

    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class ModelReport:
    """One model with everything found in it; `error` is set where it could not be read."""

    __pydantic_config__: ClassVar = DOCUMENTED

    path: str
    kind: str | None = None
    specification_version: int | None = None
    error: ReadError | None = None
    functions: list[FunctionReport] = field(default_factory=list)
    memory: MemoryTotal | None = None
    """What all functions take together, where footprints were asked for."""
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ToolReport:
    """Which tool made the report."""

    __pydantic_config__: ClassVar = DOCUMENTED

    name: str
    version: str


@dataclass(frozen=True, kw_only=True)
class TargetReport:
    """What the models were judged for."""

    __pydantic_config__: ClassVar = DOCUMENTED

    chip: str | None
    family: str
    os: str | None
    compute_units: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole lint run. `target` is the first of `targets`."""

    __pydantic_config__: ClassVar = DOCUMENTED

    schema_version: str = SCHEMA_VERSION
    tool: ToolReport
    target: TargetReport
    targets: list[TargetReport]
    models: list[ModelReport]
