"""The JSON report and its schema."""

from __future__ import annotations

import json

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from anecheck.lint import reports
from anecheck.lint.footprint_report import FootprintReport, MemoryTotal
from anecheck.lint.reports import Report
from anecheck.report.escape import inert_json

vars(reports).update(FootprintReport=FootprintReport, MemoryTotal=MemoryTotal)
"""`reports` names these without importing them, and pydantic looks names up there."""

ADAPTER = TypeAdapter(Report)
"""What pydantic knows of reports; to find it out takes longer than to write most of them."""


def render(report: Report) -> str:
    """Write the report as JSON. Nothing in it, as it stands there, is a control character other than the line breaks."""
    try:
        text = ADAPTER.dump_json(report, indent=2).decode("utf-8")
    except PydanticSerializationError:  # a name has half a pair of surrogates, which is no text that could be encoded
        text = json.dumps(ADAPTER.dump_python(report, mode="json"), indent=2, ensure_ascii=False)
    return inert_json(text)


def schema() -> str:
    """The JSON schema of what `render` writes; the docstrings of the report's fields are its descriptions."""
    content = ADAPTER.json_schema(mode="serialization")
    content["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    content["title"] = "anecheck report"
    return json.dumps(content, indent=2)
