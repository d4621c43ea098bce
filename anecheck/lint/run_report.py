"""What a report says of suppressions, baselines and shards, in the runs that have any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from anecheck.lint.documented import DOCUMENTED


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """Why a finding does not count: somebody said so in the "configuration" or in the "model", or a "baseline" has it."""

    __pydantic_config__: ClassVar = DOCUMENTED

    kind: str
    reason: str = ""
    expires: str | None = None
    """The last day on which it holds, as YYYY-MM-DD."""


@dataclass(frozen=True, kw_only=True)
class Gone:
    """Findings that a baseline counts and that are there no more: `count` of those that it has under a fingerprint."""

    __pydantic_config__: ClassVar = DOCUMENTED

    code: str
    name: str
    fingerprint: str
    count: int
    message: str


@dataclass(frozen=True, kw_only=True)
class SuppressionReport:
    """A suppression of a configuration, and how many findings of this run it kept from counting."""

    __pydantic_config__: ClassVar = DOCUMENTED

    rule: str
    model: str
    operation: str
    reason: str
    expires: str | None
    file: str
    line: int
    used: int
    complete: bool
    """Whether the run tells if it is used: it was, or every model that it fits was linted by the rules that it names."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Which part of a run this is: every model whose place in it, from 0, leaves `index` - 1 when divided by `count`."""

    __pydantic_config__: ClassVar = DOCUMENTED

    index: int
    count: int
