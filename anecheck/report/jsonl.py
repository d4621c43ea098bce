"""JSON Lines: an object for each finding, for whoever filters with a line at a time.

A finding has the keys that it has in the JSON report and the `path` of its model. A model that could not be read is an object
of `path` and `error`, and what speaks of the run and not of a model is a finding whose `path` is null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from anecheck.lint.reports import Report
from anecheck.report.adapters import FINDING, READ_ERROR
from anecheck.report.escape import inert_json
from anecheck.report.presentation import Presentation


def render(report: Report, _presentation: Presentation) -> str:
    """Write an object on each line. Suppressed findings are among them, and say so."""
    return "".join(f"{inert_json(json.dumps(row, ensure_ascii=False))}\n" for row in _rows(report))


def _rows(report: Report) -> Iterator[dict[str, Any]]:
    for model in report.models:
        if model.error:
            yield {"path": model.path, "error": READ_ERROR.dump_python(model.error, mode="json")}
        for finding in model.findings:
            yield {"path": model.path, **FINDING.dump_python(finding, mode="json")}
    for notice in report.notices:
        yield {"path": None, **FINDING.dump_python(notice, mode="json")}
