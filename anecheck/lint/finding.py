"""A finding: what was found, where, how sure that is, who says so, and what to write instead.

These are plain dataclasses, as are those of `reports.py`: importing pydantic takes a fifth of the time in which a small model
is linted, and only JSON needs it (`report/json.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from anecheck.knowledge.evidence import Confidence
from anecheck.lint.documented import DOCUMENTED

if TYPE_CHECKING:  # `report/json.py` adds it
    from anecheck.lint.run_report import Suppression


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
    """Where in the user's own code an operation comes from: a file and a line (from 1), the PyTorch module's path, or both.

    What was not captured at conversion but read off the names of weights is `inferred`, and has only a module.
    """

    __pydantic_config__: ClassVar = DOCUMENTED

    file: str | None = None
    line: int | None = None
    module: str | None = None
    inferred: bool = False


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
    """Whether it does not count, as `suppression` explains."""
    suppression: Suppression | None = None
    source: Source | None = None
    mil_line: int | None = None
    """The line, from 1, in the text that `anecheck show` prints."""
    mil_column: int | None = None
    """The column, from 1, at which the operation's first result is named on that line."""
    data: dict[str, Any] = field(default_factory=dict)
