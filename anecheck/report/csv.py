"""Predicted placements as CSV: one row per operation, for a spreadsheet or a data frame."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from anecheck.lint.placement_report import OperationReport
from anecheck.lint.reports import FunctionReport, Report
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
MEASURED_COLUMNS: Final = (
    "measured_device",
    "measured_supported",
    "agreement",
    "support_agrees",
    "measured_cost",
    "measured_ms",
    "core_ml_message",
)
"""What follows where a measured plan was compared."""
FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes for the start of a formula. Tabs and line ends are escaped before they could matter."""


def render(report: Report) -> str:
    """Write a header and a row for every operation. A model that could not be read has none."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    compared = any(function.measured for model in report.models for function in model.functions)
    writer.writerow((*COLUMNS, *(MEASURED_COLUMNS if compared else ())))
    writer.writerows(_rows(report, compared=compared))
    return file.getvalue()


def _rows(report: Report, *, compared: bool) -> Iterator[list[str]]:
    for model in report.models:
        for function in model.functions:
            measured = _measured(function) if compared else {}
            for operation in function.operations or ():
                own = (model.path, function.name, *_fields(operation))
                more = measured.get(id(operation), [""] * len(MEASURED_COLUMNS)) if compared else []
                yield [harmless(field) for field in (*own, *more)]


def _measured(function: FunctionReport) -> dict[int, list[str]]:
    """The fields of a measured plan, by `id(operation)`."""
    if function.measured is None:
        return {}
    from anecheck.lint.measured import key  # noqa: PLC0415  # few tables have these

    operations = {key(operation): operation for operation in function.operations or ()}
    return {
        id(operations[key(measured)]): [
            measured.device or "",
            _joined(measured.supported or ()),
            measured.agreement or "",
            "" if measured.support_agrees is None else "yes" if measured.support_agrees else "no",
            "" if measured.cost is None else f"{measured.cost:.6g}",
            _joined(f"{backend}={ms:.6g}" for backend, ms in measured.estimated_ms.items()),
            "; ".join(f"{backend}: {message}" for backend, message in measured.messages.items()),
        ]
        for measured in function.measured.operations
    }


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
