"""Reports made by hand, with everything in them that a format has to tell or to leave out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anecheck
from anecheck.knowledge.evidence import Confidence
from anecheck.lint.finding import Evidence, Finding, Rewrite, Severity, Source
from anecheck.lint.reports import FunctionReport, ModelReport, ReadError, Report, Summary, TargetReport, ToolReport
from anecheck.lint.run_report import Gone, Suppression
from anecheck.report.presentation import Presentation
from tests.conftest import FIXTURES, REPOSITORY

TARGET = TargetReport(chip="m4", family="H16", os=None, compute_units="cpu-and-ne")
HERE = Presentation(base="/repository")
OF_FIXTURES = Presentation(base=str(REPOSITORY))


def finding(**given: object) -> Finding:
    usual: dict[str, Any] = {
        "code": "ANE104",
        "name": "cumulative-sum",
        "severity": Severity.WARNING,
        "confidence": Confidence.MEASURED,
        "message": "cumulative sum over axis -1",
        "function": "main",
        "operation": "sum_1",
        "operation_type": "cumsum",
        "operation_index": 3,
        "families": ["H16"],
        "blocks": ["ane"],
        "evidence": [Evidence(source="study", url="https://example.com/study", confidence=Confidence.MEASURED)],
        "rewrite": Rewrite(title="multiply by a triangle", text="", pytorch_before="a()\n", pytorch_after="b()\n"),
        "fingerprint": "0011223344556677",
        "mil_line": 13,
        "mil_column": 38,
    }
    content: dict[str, Any] = {**usual, **given}
    return Finding(**content)


def model(*findings: Finding, **given: object) -> ModelReport:
    summary = Summary(operations=40, off_engine=len(findings), ane=30, cpu=10, weight_bytes=0)
    functions = [FunctionReport(name="main", opset="CoreML7", summary=summary)]
    usual: dict[str, Any] = {"path": "models/a.mlpackage", "kind": "mlprogram", "functions": functions}
    content: dict[str, Any] = {**usual, **given}
    return ModelReport(findings=list(findings), **content)


def report(*models: ModelReport, notices: tuple[Finding, ...] = ()) -> Report:
    tool = ToolReport(name="anecheck", version="0.1.0")
    return Report(tool=tool, target=TARGET, targets=[TARGET], models=list(models), notices=list(notices))


SUPPRESSED = finding(
    operation="quiet_1",
    suppressed=True,
    suppression=Suppression(kind="configuration", reason="known to be small", expires="2030-01-31"),
)
IN_BASELINE = finding(operation="old_1", suppressed=True, suppression=Suppression(kind="baseline"))
WRITTEN = finding(operation="written_1", source=Source(file="/repository/src/net.py", line=42))
INFERRED = finding(operation="inferred_1", source=Source(module="encoder.layers.0", inferred=True))
WHOLE = finding(
    code="ANE301", name="too-small-to-pay", severity=Severity.INFO, message="too small", operation=None, mil_line=None,
    mil_column=None, operation_index=None,
)  # fmt: skip
ERROR = finding(code="ANE805", name="does-not-compile", severity=Severity.ERROR, message="fails", operation="bad_1")
NOTICE = finding(
    code="ANE041", name="unused-suppression", message="nothing was suppressed by it", operation=None, function=None,
    source=Source(file="/repository/anecheck.toml", line=7), mil_line=None, mil_column=None, rewrite=None,
)  # fmt: skip
HOMELESS = finding(
    code="ANE042", name="outdated-baseline", message="it was made by another version", operation=None, function=None,
    mil_line=None, mil_column=None, severity=Severity.INFO,
)  # fmt: skip
GONE = Gone(code="ANE107", name="dynamic-gather", fingerprint="aa", count=3, message="gather with run-time indices")
UNREADABLE = ModelReport(path="models/b.mlpackage", error=ReadError(code="ANE002", message="it is empty"))


def full_report() -> Report:
    """Seven findings that count and two that do not, in three models of which one cannot be read."""
    first = model(
        finding(), finding(operation="sum_2"), WRITTEN, INFERRED, WHOLE, ERROR, SUPPRESSED, IN_BASELINE, gone=[GONE]
    )
    listed = model(finding(), path="models/listed.mlmodelc", listing="build/listed.mil")
    return report(first, UNREADABLE, listed, notices=(NOTICE, HOMELESS))


def real_report() -> Report:
    """What the rules say of committed models, readable and not."""
    folders = [FIXTURES / "flagged", FIXTURES / "broken", FIXTURES / "zoo" / "llama_stateful.mlpackage"]
    return anecheck.lint(*(Path(folder).relative_to(REPOSITORY) for folder in folders))
