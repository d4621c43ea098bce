"""Measured placements, and what anecheck predicts for the same operations."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

from anecheck.artifact.errors import ArtifactError
from anecheck.artifact.load import load
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits, parse_target
from anecheck.lint.asked.settings import Settings
from anecheck.lint.examine import lint_model
from anecheck.lint.placement_report import OperationReport
from anecheck.lint.registry import load_registry

ANE = "ane"
HELD_OUT_OF = 3
"""One graph in so many is held out."""


class PlacementsError(ValueError):
    """The placements cannot be scored; the message says why."""


class Part(str, Enum):
    """Which graphs to score: all, those to choose thresholds on, or those to confirm them on."""

    ALL = "all"
    FIT = "fit"
    HELD_OUT = "held-out"

    def holds(self, model: str) -> bool:
        """Whether the graph belongs to this part.

        The first eight bytes of the SHA-256 of the graph's name without its group decide: those divisible by three are
        held out. One operation alone and the same one in context are therefore always on the same side.
        """
        digest = hashlib.sha256(model.partition("/")[2].encode() or model.encode()).digest()
        held_out = int.from_bytes(digest[:8], "big") % HELD_OUT_OF == 0
        return self is Part.ALL or held_out == (self is Part.HELD_OUT)


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one operation. `cost_tie` says that another plan costs just as much."""

    model: str
    index: int
    op: str
    preferred: str
    supported: frozenset[str]
    cost_tie: bool
    file: str

    @property
    def group(self) -> str:
        """What stands before the slash in the graph's name."""
        return self.model.partition("/")[0] if "/" in self.model else ""


@dataclass(frozen=True, slots=True)
class Guess:
    """What is said of one operation before it is measured. `device` is `None` where nothing is said.

    `tie` are the devices that are as likely as `device`, which is not among them.
    """

    device: str | None
    supported: frozenset[str]
    tie: frozenset[str] = frozenset()
    blockers: tuple[str, ...] = ()
    estimated_us: tuple[tuple[str, float | None], ...] = ()


Guesses: TypeAlias = dict[tuple[str, int], Guess]
"""Guesses by graph and index of the operation."""


def read_rows(table: Path) -> list[Row]:
    """Read a file of measured placements, one JSON object a line.

    Raises:
        PlacementsError: a line is no placement, or an operation stands there twice.
    """
    rows = []
    for number, line in enumerate(table.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            rows.append(_row(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PlacementsError(f"{table.name}:{number}: no placement ({error!r})") from error
    if len({(row.model, row.index) for row in rows}) != len(rows):
        raise PlacementsError(f"{table.name}: an operation stands there twice")
    return rows


def _row(record: dict[str, Any]) -> Row:
    return Row(
        model=record["model"],
        index=record["op_index"],
        op=record["op"],
        preferred=record["preferred"].lower(),
        supported=frozenset(device.lower() for device in record["supported"]),
        cost_tie=bool(record.get("cost_tie", False)),
        file=record["file"],
    )


def predict(rows: Iterable[Row], folder: Path, target: str, compute_units: str) -> Guesses:
    """Let anecheck predict every operation that was measured; `folder` is where the rows' files lie.

    Raises:
        PlacementsError: a graph is missing or unreadable, or holds other operations than those measured.
    """
    reports: dict[str, dict[int, OperationReport]] = {}
    guesses: Guesses = {}
    settings = make_settings(target, compute_units)
    for row in rows:
        if row.file not in reports:
            reports[row.file] = operations_of(folder / row.file, settings)
        report = reports[row.file].get(row.index)
        if report is None or report.type != row.op:
            found = report.type if report else "none"
            raise PlacementsError(f"{row.file}: operation {row.index} was measured as {row.op}, the graph has {found}")
        guesses[row.model, row.index] = Guess(
            device=report.device,
            supported=frozenset(report.supported),
            tie=frozenset(report.tie) - {report.device},
            blockers=tuple(report.blockers),
            estimated_us=tuple(report.estimated_us.items()),
        )
    return guesses


def make_settings(target: str, compute_units: str) -> Settings:
    """A lint run with every rule for one target, which reports each operation."""
    knowledge, registry = Knowledge(), load_registry()
    return Settings(
        registry.rules,
        (parse_target(target, knowledge),),
        ComputeUnits(compute_units),
        knowledge,
        registry.errors,
        operations=True,
    )


def operations_of(path: Path, settings: Settings) -> dict[int, OperationReport]:
    """The operations in the first function's own block, by index."""
    try:
        report = lint_model(load(path), settings)
    except ArtifactError as error:
        raise PlacementsError(f"{path.name}: {error.message}") from error
    operations = report.functions[0].operations if report.functions else None
    return {operation.index: operation for operation in operations or () if not operation.block}
