"""What a lint run reports, as pydantic models: the JSON report and its schema come from here.

Keys may be added within schema version 1; none is renamed or dropped.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from anecheck.knowledge.evidence import Confidence

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


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class Evidence(_Record):
    """A source of a finding, with how sure it is for the target."""

    source: str
    url: str
    confidence: Confidence


class Rewrite(_Record):
    """What to write instead: `title` in one line, `text` at length, `before` and `after` as MIL text where there is one."""

    title: str
    text: str
    before: str | None = None
    after: str | None = None


class Source(_Record):
    """The line of the user's own code that a finding comes from."""

    file: str
    line: int
    module: str | None = None


class Finding(_Record):
    """One thing found, at one operation or for a whole model (then the operation's fields are null)."""

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    message: str
    reject: str | None = Field(default=None, description="What Core ML's compiler answers, verbatim, where it is known")
    function: str | None = None
    operation: str | None = None
    operation_type: str | None = None
    operation_index: int | None = None
    block: list[tuple[int, int]] = Field(
        default=[], description="Where a nested block lies: (operation in its block, number of the nested block) pairs"
    )
    families: list[str] = Field(default=[], description="The engine generations on which the finding holds")
    blocks: list[str] = Field(default=[], description="The devices that the operation is likely kept from")
    related: list[str] = Field(default=[], description="Operations that share the finding's fate")
    evidence: list[Evidence] = []
    rewrite: Rewrite | None = None
    fingerprint: str = Field(default="", description="Stays the same when operations are renamed or renumbered")
    suppressed: bool = False
    source: Source | None = None
    mil_line: int | None = Field(default=None, description="The line, from 1, in the text that `anecheck show` prints")
    data: dict[str, Any] = {}


class OperationReport(_Record):
    """One operation of a function; `index` counts all but `const` in the function's own block, from 0."""

    index: int
    name: str
    type: str
    device: str | None = Field(default=None, description="The predicted device; null where nothing was predicted")
    supported: list[str] = Field(description="The devices that no rule keeps the operation from")
    blockers: list[str] = Field(description="The codes of the rules that keep it from the engine")
    tie: list[str] = []
    estimated_us: dict[str, float | None] = {}
    block: list[tuple[int, int]] = []


class Summary(_Record):
    """Totals of a function, the placement predicted for the first target. What was not predicted is null."""

    operations: int
    off_engine: int = Field(description="Operations that a rule says are likely to leave the engine")
    ane: int | None = None
    gpu: int | None = None
    cpu: int | None = None
    segments: int | None = None
    switches: int | None = None
    estimated_ms: float | None = None
    peak_working_set_bytes: int | None = None
    weight_bytes: int = Field(description="Bytes of the weights that the function refers to, as stored")


class SegmentReport(_Record):
    """A run of operations on one device; `first` and `last` are operation indices."""

    device: str
    first: int
    last: int
    operations: int
    estimated_us: float


class BoundaryReport(_Record):
    """A change of device before the operation `index`, and the operation that forces it (null where none does)."""

    index: int
    source: str
    target: str
    cut_by: str | None
    cut_by_type: str | None
    blockers: list[str]


class MendReport(_Record):
    """Operations to mend together, and what the re-solved plan is then."""

    operations: list[str]
    blockers: list[str]
    segments: int
    switches: int
    estimated_ms: float
    won_ms: float


class ShortfallReport(_Record):
    """A program too small to pay: what the engine would save, and what going there costs, in milliseconds."""

    saved_ms: float
    cost_ms: float


class PlacementReport(_Record):
    """Where a function's operations go, why, and what would change that."""

    segments: list[SegmentReport]
    boundaries: list[BoundaryReport]
    mends: list[MendReport]
    shortfall: ShortfallReport | None
    whole_program: list[str] = Field(description="Why the engine is out of the question for the whole program")
    assumptions: list[str]
    confidence: Confidence
    doubts: list[str] = Field(description="What the prediction hangs on that was not measured")


class FunctionReport(_Record):
    """One function of a model; `name` is prefixed with the part's name in a pipeline (`encoder/main`)."""

    name: str
    opset: str
    summary: Summary
    operations: list[OperationReport] | None = None
    placement: PlacementReport | None = None


class ReadError(_Record):
    """Why a model could not be read."""

    code: str
    message: str


class ModelReport(_Record):
    """One model with everything found in it; `error` is set where it could not be read."""

    path: str
    kind: str | None = None
    specification_version: int | None = None
    error: ReadError | None = None
    functions: list[FunctionReport] = []
    findings: list[Finding] = []


class ToolReport(_Record):
    """Which tool made the report."""

    name: str
    version: str


class TargetReport(_Record):
    """What the models were judged for."""

    chip: str | None
    family: str
    os: str | None
    compute_units: str


class Report(_Record):
    """A whole lint run. `target` is the first of `targets`."""

    schema_version: str = SCHEMA_VERSION
    tool: ToolReport
    target: TargetReport
    targets: list[TargetReport]
    models: list[ModelReport]
