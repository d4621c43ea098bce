"""What a comparison of two exports says. Its JSON and its schema are made from these classes (`report/comparison_json.py`).

Keys may be added within schema version 1; none is renamed or dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence
from anecheck.lint.documented import DOCUMENTED
from anecheck.lint.finding import Severity
from anecheck.lint.reports import ReadError, TargetReport, ToolReport

SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One thing that got worse, or better.

    `kind` is "findings" (`count` of rule `code` gained or lost), "devices" (`count` operations left the engine or came to
    it), or the name of a number that grew or shrank from `old` to `new`: "segments", "latency_ms", "peak_working_set_bytes",
    "resident_weight_bytes".
    """

    __pydantic_config__: ClassVar = DOCUMENTED

    kind: str
    function: str | None
    """The function, as the new export names it; null for what is said of a whole model."""
    code: str | None = None
    severity: Severity | None = None
    count: int | None = None
    old: float | None = None
    new: float | None = None


@dataclass(frozen=True, kw_only=True)
class FindingChange:
    """Findings of one rule and message that only one of the exports has.

    Those with a fingerprint and severity that the other export has as often are in both, and so are those of a rule whose
    operations are matched. Suppressed findings do not count.
    """

    __pydantic_config__: ClassVar = DOCUMENTED

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    message: str
    function: str | None
    count: int
    operations: list[str] = field(default_factory=list)
    """Their operations, as the export that has them names them; none for findings of a whole function or model."""
    fingerprints: list[str] = field(default_factory=list)
    rewrite: str | None = None
    """What to write instead, in one line."""


@dataclass(frozen=True, kw_only=True)
class OperationRef:
    """An operation of one of the exports; `index` counts as everywhere, all but `const`, from 0."""

    __pydantic_config__: ClassVar = DOCUMENTED

    index: int
    name: str
    type: str
    device: str | None
    block: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class DeviceChange:
    """An operation of both exports that is predicted to run on another device."""

    __pydantic_config__: ClassVar = DOCUMENTED

    old: OperationRef
    new: OperationRef
    blockers: list[str]
    """The codes of the rules that keep it from the engine, in the export in which it is not there."""
    is_tie: bool
    """Whether both devices cost the same in one of the exports, so that the change means nothing."""


@dataclass(frozen=True, kw_only=True)
class NumberChange:
    """A number of a function's summary in both exports; null where it is not known."""

    __pydantic_config__: ClassVar = DOCUMENTED

    name: str
    """As in a summary: "operations", "segments", "peak_working_set_bytes" …; "latency_ms" for the time of its latency."""
    old: float | None
    new: float | None
    delta: float | None


@dataclass(frozen=True, kw_only=True)
class FunctionComparison:
    """A function of both exports. Two with one function each are compared whatever the functions are called."""

    __pydantic_config__: ClassVar = DOCUMENTED

    old_name: str
    new_name: str
    matched: int
    """How many operations that run are in both."""
    device_changes: list[DeviceChange]
    added: list[OperationRef]
    removed: list[OperationRef]
    numbers: list[NumberChange]
    has_unknown_sizes: bool = False
    """Whether one of them has sizes that are known only when the model runs: its time and memory are lower bounds."""


@dataclass(frozen=True, kw_only=True)
class ModelComparison:
    """Two exports of a model. Where one could not be read, its error is set and nothing else is known."""

    __pydantic_config__: ClassVar = DOCUMENTED

    old_path: str
    new_path: str
    old_error: ReadError | None = None
    new_error: ReadError | None = None
    worse: list[Reason] = field(default_factory=list)
    better: list[Reason] = field(default_factory=list)
    gained: list[FindingChange] = field(default_factory=list)
    lost: list[FindingChange] = field(default_factory=list)
    functions: list[FunctionComparison] = field(default_factory=list)
    added_functions: list[str] = field(default_factory=list)
    removed_functions: list[str] = field(default_factory=list)

    @property
    def is_unreadable(self) -> bool:
        """Whether one of them could not be read."""
        return self.old_error is not None or self.new_error is not None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A whole run of `compare`: one pair of models, or one for each relative path that two folders share."""

    __pydantic_config__: ClassVar = DOCUMENTED

    schema_version: str = SCHEMA_VERSION
    tool: ToolReport
    target: TargetReport
    targets: list[TargetReport]
    """What both are judged for; numbers and devices speak of the first, `target`."""
    fail_on: str
    """The least severity of a gained finding that counts as worse ("error", "warning", "info"), or "never"."""
    tolerance: float
    """By which share time and memory may grow or shrink without being worse or better."""
    is_worse: bool
    models: list[ModelComparison]
    added_models: list[str] = field(default_factory=list)
    """Models that only the new folder has."""
    removed_models: list[str] = field(default_factory=list)
    """Models that only the old folder has."""
