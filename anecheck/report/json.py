"""The JSON report and its schema."""

from __future__ import annotations

import json

from anecheck.lint.finding import Report


def render(report: Report) -> str:
    """Write the report as JSON."""
    return report.model_dump_json(indent=2)


def schema() -> str:
    """The JSON schema of what `render` writes."""
    content = Report.model_json_schema(mode="serialization")
    content["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    content["title"] = "anecheck report"
    return json.dumps(content, indent=2)
