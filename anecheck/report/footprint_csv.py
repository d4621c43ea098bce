"""Memory and time as CSV: one row for each operation that runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from anecheck.lint.footprint_report import OperationFootprint
from anecheck.lint.reports import Report
from anecheck.report.csv import harmless, nested

COLUMNS: Final = (
    "path",
    "function",
    "index",
    "block",
    "name",
    "type",
    "device",
    "live_bytes",
    "packed_bytes",
    "moved_bytes",
    "weight_bytes",
    "streamed_bytes",
    "gflop",
    "estimated_us",
    "bound",
)


def render(report: Report) -> str:
    """Write a header and a row for every operation. A model that could not be read has none."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for model in report.models:
        for function in model.functions:
            for operation in function.footprint.operations if function.footprint else ():
                writer.writerow([harmless(field) for field in (model.path, function.name, *_fields(operation))])
    return file.getvalue()


def _fields(operation: OperationFootprint) -> Iterator[str]:
    yield str(operation.index)
    yield nested(operation.block)
    yield operation.name
    yield operation.type
    yield operation.device
    yield str(operation.held_bytes)
    yield str(operation.packed_bytes)
    yield str(operation.moved_bytes)
    yield str(operation.weight_bytes)
    yield str(operation.streamed_bytes)
    yield f"{operation.gflop:.6g}"
    yield "" if operation.estimated_us is None else f"{operation.estimated_us:.6g}"
    yield operation.bound
