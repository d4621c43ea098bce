"""Predicted placements as CSV: one row per operation, for a spreadsheet or a data frame."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from anecheck.lint.reports import OperationReport, Report
from anecheck.report.escape import visible

COLUMNS: Final = (
    "path",
    "function",
    "index",
    "block",
    "name",
    "type",
    "device",
    "supported",
    "tie",
    "blockers",
    "ane_us",
    "cpu_us",
    "gpu_us",
)
FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes for the start of a formula. Tabs and line ends are escaped before they could matter."""


def render(report: Report) -> str:
    """Write a header and a row for every operation. A model that could not be read has none."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(report))
    return file.getvalue()


def _rows(report: Report) -> Iterator[list[str]]:
    for model in report.models:
        for function in model.functions:
            for operation in function.operations or ():
                yield [harmless(field) for field in (model.path, function.name, *_fields(operation))]


def _fields(operation: OperationReport) -> Iterator[str]:
    yield str(operation.index)
    yield nested(operation.block)
    yield operation.name
    yield operation.type
    yield operation.device or ""
    for several in (operation.supported, operation.tie, operation.blockers):
        yield _joined(several)
    for device in ("ane", "cpu", "gpu"):
        estimate = operation.estimated_us.get(device)
        yield "" if estimate is None else f"{estimate:.6g}"


def harmless(field: str) -> str:
    """A field without control characters that no spreadsheet runs as a formula."""
    field = visible(field)
    return f"'{field}" if field.startswith(FORMULA) else field


def _joined(several: Iterable[str]) -> str:
    return " ".join(several)


def nested(block: Sequence[tuple[int, int]]) -> str:
    """Where a nested block lies, from the outside in, e.g. `4.0/2.1`; empty for a function's own block."""
    return "/".join(f"{operation}.{number}" for operation, number in block)
