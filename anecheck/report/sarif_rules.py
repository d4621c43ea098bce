"""What a SARIF report says of the rules that its results name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from anecheck.knowledge.evidence import Confidence
from anecheck.knowledge.tables import Knowledge
from anecheck.lint.diagnostics import DIAGNOSTICS, Diagnostic
from anecheck.lint.finding import Finding, Severity
from anecheck.lint.registry import Registry, load_registry
from anecheck.lint.rule import REASONS, Rule
from anecheck.report.escape import visible
from anecheck.report.pages import page
from anecheck.report.pages_text import render

LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
PROBLEMS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
PRECISIONS: Final = {
    Confidence.DOCUMENTED: "very-high",
    Confidence.MEASURED: "very-high",
    Confidence.REVERSE_ENGINEERED: "high",
    Confidence.COMMUNITY: "medium",
    Confidence.ESTIMATED: "medium",
    Confidence.EXTRAPOLATED: "medium",
    Confidence.FOLKLORE: "low",
}
TAGS: Final = {
    "ANE0": "tool",
    "ANE1": "operations",
    "ANE2": "patterns",
    "ANE3": "placement",
    "ANE4": "memory",
    "ANE5": "numerics",
    "ANE6": "compression",
    "ANE7": "shapes",
    "ANE8": "deployment",
}
LONGEST_DESCRIPTION: Final = 1024
"""GitHub takes no longer ones."""


def descriptors(findings: Sequence[Finding], registry: Registry | None) -> list[dict[str, Any]]:
    """Describe the rules that findings come from, by code. Of one that is not installed no more is known than they say."""
    spoken: dict[str, list[Finding]] = {}
    for finding in findings:
        spoken.setdefault(finding.code, []).append(finding)
    if not spoken:
        return []
    rules = (registry or load_registry()).rules
    known: dict[str, Rule | Diagnostic] = {**DIAGNOSTICS, **{rule.code: rule for rule in rules}}
    knowledge = Knowledge()
    return [_descriptor(spoken[code], known.get(code), knowledge) for code in sorted(spoken)]


def _descriptor(findings: list[Finding], entry: Rule | Diagnostic | None, knowledge: Knowledge) -> dict[str, Any]:
    first = findings[0]
    severity = entry.severity if entry else min((f.severity for f in findings), key=lambda severity: severity.rank)
    confidence = min((finding.confidence for finding in findings), key=lambda sure: sure.rank)
    return {
        "id": first.code,
        "name": visible(first.name),
        **(_described(entry, knowledge) if entry else _unknown(first)),
        "defaultConfiguration": {"level": LEVELS[severity]},
        "properties": {
            "tags": ["core-ml", "neural-engine", *filter(None, [TAGS.get(first.code[:4])])],
            "precision": PRECISIONS[confidence],
            "problem.severity": PROBLEMS[severity],
        },
    }


def _described(entry: Rule | Diagnostic, knowledge: Knowledge) -> dict[str, Any]:
    own = [page(entry, knowledge)]
    return {
        "shortDescription": {"text": _cut(entry.title)},
        "fullDescription": {"text": _cut(_reason(entry))},
        "help": {"text": render(own, "text"), "markdown": render(own, "markdown")},
    }


def _unknown(finding: Finding) -> dict[str, Any]:
    name = visible(finding.name)
    advice = visible(finding.rewrite.title) if finding.rewrite else name
    return {"shortDescription": {"text": name}, "fullDescription": {"text": name}, "help": {"text": advice}}


def _reason(entry: Rule | Diagnostic) -> str:
    if isinstance(entry, Diagnostic):
        return f"{entry.title} {entry.remedy}"
    return next(filter(None, map(entry.section, REASONS)), entry.title)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_DESCRIPTION else f"{text[: LONGEST_DESCRIPTION - 2]} …"
