"""JSON Lines, and the JSON report where it says the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from anecheck.lint.reports import Report
from anecheck.report import json as whole
from anecheck.report import jsonl
from tests.report.reports import HERE, OF_FIXTURES, full_report, real_report


def schema_of(name: str) -> dict[str, Any]:
    schema = json.loads(whole.schema())
    return {"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]}


def rows(found: Report) -> list[dict[str, Any]]:
    return [json.loads(line) for line in jsonl.render(found, OF_FIXTURES).splitlines()]


@pytest.mark.parametrize("make", [full_report, real_report])
def test_every_line_is_a_finding_or_an_error_with_its_path(make: Callable[[], Report]) -> None:
    found = make()
    finding, error = (jsonschema.Draft202012Validator(schema_of(name)) for name in ("Finding", "ReadError"))
    lines = rows(found)
    for row in lines:
        path = row.pop("path")
        assert path is None or path in {model.path for model in found.models}
        (error.validate(row["error"]) if "error" in row else finding.validate(row))
    assert len(lines) == sum(len(m.findings) + bool(m.error) for m in found.models) + len(found.notices)


def test_a_line_has_what_the_json_report_has_of_a_finding() -> None:
    content = json.loads(whole.render(full_report()))
    jsonschema.validate(content, json.loads(whole.schema()))
    expected = []
    for model in content["models"]:
        if model["error"]:
            expected.append({"path": model["path"], "error": model["error"]})
        expected += [{"path": model["path"], **each} for each in model["findings"]]
    expected += [{"path": None, **each} for each in content["notices"]]
    assert [json.loads(line) for line in jsonl.render(full_report(), HERE).splitlines()] == expected


def test_suppressed_findings_are_there_and_say_so() -> None:
    hidden = [row for row in rows(full_report()) if row.get("suppressed")]
    assert [row["suppression"]["kind"] for row in hidden] == ["configuration", "baseline"]
