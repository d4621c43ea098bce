"""The JSON report and its schema."""

from __future__ import annotations

import json

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from anecheck.lint import finding, reports
from anecheck.lint.footprint_report import FootprintReport, MemoryTotal
from anecheck.lint.measured_report import MeasuredReport
from anecheck.lint.placement_report import OperationReport, PlacementReport
from anecheck.lint.reports import SCHEMA_VERSION, Report
from anecheck.lint.run_report import Gone, Shard, Suppression, SuppressionReport
from anecheck.report.escape import inert_json

vars(finding).update(Suppression=Suppression)
vars(reports).update(
    FootprintReport=FootprintReport,
    Gone=Gone,
    MeasuredReport=MeasuredReport,
    MemoryTotal=MemoryTotal,
    OperationReport=OperationReport,
    PlacementReport=PlacementReport,
    Shard=Shard,
    SuppressionReport=SuppressionReport,
)
"""Both name these without importing them, and pydantic looks names up there."""

ADAPTER = TypeAdapter(Report)
"""What pydantic knows of reports; to find it out takes longer than to write most of them."""


def render(report: Report) -> str:
    """Write the report as JSON. Nothing in it, as it stands there, is a control character other than the line breaks."""
    try:
        text = ADAPTER.dump_json(report, indent=2).decode("utf-8")
    except PydanticSerializationError:  # a name has half a pair of surrogates, which is no text that could be encoded
        text = json.dumps(ADAPTER.dump_python(report, mode="json"), indent=2, ensure_ascii=False)
    return inert_json(text)


class UnreadableReportError(ValueError):
    """What is no report, or one of another version of the schema."""


def read(text: bytes) -> Report:
    """Read a report that `render` wrote.

    Raises:
        UnreadableReportError: it is none; says what to do.

    """
    hint = "write it with `anecheck lint --format json`"
    try:  # pydantic's own reader refuses half a pair of surrogates, which a name may have
        report = ADAPTER.validate_python(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the report"
        raise UnreadableReportError(f"{place}: {first['msg']}; {hint}") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableReportError(f"it is no JSON text ({error}); {hint}") from error
    if report.schema_version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise UnreadableReportError(f"it has version {report.schema_version} of the schema, not {SCHEMA_VERSION}")
    return report


def schema() -> str:
    """The JSON schema of what `render` writes; the docstrings of the report's fields are its descriptions."""
    content = ADAPTER.json_schema(mode="serialization")
    content["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    content["title"] = "anecheck report"
    return json.dumps(content, indent=2)
