"""The JSON report and its schema."""

from __future__ import annotations

import json

from pydantic import TypeAdapter

from anecheck.lint import reports
from anecheck.lint.footprint_report import FootprintReport, MemoryTotal
from anecheck.lint.measured_report import MeasuredReport
from anecheck.lint.reports import Report

vars(reports).update(FootprintReport=FootprintReport, MemoryTotal=MemoryTotal, MeasuredReport=MeasuredReport)
"""`reports` names these without importing them, and pydantic looks names up there."""

ADAPTER = TypeAdapter(Report)
"""What pydantic knows of reports; to find it out takes longer than to write most of them."""


def render(report: Report) -> str:
    """Write the report as JSON."""
    return ADAPTER.dump_json(report, indent=2).decode("utf-8")


def schema() -> str:
    """The JSON schema of what `render` writes; the docstrings of the report's fields are its descriptions."""
    content = ADAPTER.json_schema(mode="serialization")
    content["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    content["title"] = "anecheck report"
    return json.dumps(content, indent=2)
