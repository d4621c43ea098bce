"""The JSON of a comparison and its schema."""

from __future__ import annotations

import json

from pydantic import TypeAdapter

from anecheck.lint.comparison.reports import Comparison

ADAPTER = TypeAdapter(Comparison)


def render(comparison: Comparison) -> str:
    """Write the comparison as JSON."""
    return ADAPTER.dump_json(comparison, indent=2).decode("utf-8")


def schema() -> str:
    """The JSON schema of what `render` writes; the docstrings of the fields are its descriptions."""
    content = ADAPTER.json_schema(mode="serialization")
    content["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    content["title"] = "anecheck comparison"
    return json.dumps(content, indent=2)
