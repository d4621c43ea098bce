"""SARIF 2.1.0 (OASIS), as GitHub code scanning and other collectors of findings take it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import quote

from anecheck.lint.finding import Finding, Severity
from anecheck.lint.registry import Registry
from anecheck.lint.reports import ModelReport, Report
from anecheck.report.escape import short_text, visible
from anecheck.report.location import Location, in_repository, of_notice
from anecheck.report.presentation import Presentation
from anecheck.report.sarif_rules import LEVELS, descriptors
from anecheck.report.wording import BASELINE, has_baseline, sentence

Node: TypeAlias = "dict[str, Any]"
"""An object of the format."""

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST_RESULTS: Final = 25_000
"""GitHub refuses runs with more results, and shows 5,000 of them."""
FINGERPRINT: Final = "anecheck/v1"
LINE_HASH: Final = "primaryLocationLineHash"
"""The only fingerprint that GitHub tells alerts apart by: a hash of what is there, and which of those in the file it is."""


def render(report: Report, presentation: Presentation, registry: Registry | None = None) -> str:
    """Write one run, the results that count and matter most first, as GitHub shows only so many.

    Suppressed findings are among the results, with what suppresses them. What the rules say of themselves is taken from the
    registry, the installed packs' unless another is given.
    """
    found = list(_found(report, presentation))
    found.sort(key=lambda each: (each.finding.suppressed, each.finding.severity.rank))
    kept, left_out = found[:MOST_RESULTS], len(found) - MOST_RESULTS
    rules = descriptors([each.finding for each in kept], registry)
    indices = {rule["id"]: index for index, rule in enumerate(rules)}
    baseline = has_baseline(report.models)
    results = [_result(each, indices, presentation, baseline=baseline) for each in kept]
    version = report.tool.version
    driver = {"name": report.tool.name, "version": version, "semanticVersion": version, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "invocations": [_invocation(report, presentation, left_out)],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


class _Found(NamedTuple):
    """A finding, and which of those it is that look the same and are shown at the same file."""

    finding: Finding
    model: ModelReport
    where: Location
    number: int


def _found(report: Report, presentation: Presentation) -> Iterator[_Found]:
    """Number what looks the same in the order of the report: suppressing one does not make another of the rest."""
    seen: Counter[tuple[str, str]] = Counter()
    for model in report.models:
        for finding in model.findings:
            where = in_repository(finding, model, presentation)
            same = (where.path, finding.fingerprint)
            seen[same] += 1
            yield _Found(finding, model, where, seen[same])


def _result(found: _Found, indices: dict[str, int], presentation: Presentation, *, baseline: bool) -> Node:
    finding, model, where, number = found
    whole = in_repository(None, model, presentation)
    result = {
        "ruleId": finding.code,
        "ruleIndex": indices[finding.code],
        "level": LEVELS[finding.severity],
        "message": {"text": _text(sentence(finding))},
        "locations": [{"physicalLocation": _physical(where), **_logical(finding)}],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint, LINE_HASH: f"{finding.fingerprint}:{number}"},
        "properties": _properties(finding, model),
    }
    if where.path != whole.path:
        text = _text(f"in the model {short_text(model.path)}")
        result["relatedLocations"] = [{"id": 1, "physicalLocation": _physical(whole), "message": {"text": text}}]
    if finding.suppressed:
        result["suppressions"] = [_suppression(finding)]
    if baseline:
        result["baselineState"] = "unchanged" if _in_baseline(finding) else "new"
    return result


def _physical(where: Location) -> Node:
    region = {"startLine": max(where.line, 1), **({"startColumn": where.column} if where.column else {})}
    return {"artifactLocation": {"uri": _uri(where.path)}, "region": region}


def _uri(path: str) -> str:
    """A path as a reference that is relative where the path is. Without a colon, a beginning of it looks like no scheme."""
    written = quote(path, safe="/", errors="backslashreplace")
    return f"file://{written}" if written.startswith("/") else written


def _logical(finding: Finding) -> Node:
    """The operation, or the function where the finding is about all of it."""
    if finding.function is None:
        return {}
    function, operation = visible(finding.function), visible(finding.operation or "")
    if not operation:
        return {"logicalLocations": [{"name": function, "fullyQualifiedName": function, "kind": "function"}]}
    named = {"name": operation, "fullyQualifiedName": f"{function}/{operation}", "kind": "operation"}
    return {"logicalLocations": [named]}


def _suppression(finding: Finding) -> Node:
    given = finding.suppression
    reason = given.reason if given else ""
    if not reason and given:
        reason = "in the baseline" if given.kind == BASELINE else f"suppressed in the {given.kind}"
    until = f" (until {given.expires})" if given and given.expires else ""
    return {"kind": "external", "status": "accepted", "justification": _text(short_text(f"{reason}{until}"))}


def _in_baseline(finding: Finding) -> bool:
    return finding.suppression is not None and finding.suppression.kind == BASELINE


def _properties(finding: Finding, model: ModelReport) -> Node:
    evidence = [
        {"source": item.source, "url": item.url, "confidence": item.confidence.value} for item in finding.evidence
    ]
    return {
        "model": visible(model.path),
        "confidence": finding.confidence.value,
        "families": finding.families,
        "evidence": evidence,
    }


def _invocation(report: Report, presentation: Presentation, left_out: int) -> Node:
    """How the run went: what could not be read, what there is to say of the configuration, and what had no room."""
    unreadable = list(_unreadable(report.models, presentation))
    notes = [_notification(LEVELS[Severity.WARNING], _room(left_out))] if left_out > 0 else []
    notices = [
        _notification(LEVELS[notice.severity], sentence(notice), notice.code, of_notice(notice, presentation))
        for notice in report.notices
    ]
    return {
        "executionSuccessful": not unreadable,
        "toolExecutionNotifications": unreadable + notes,
        "toolConfigurationNotifications": notices,
    }


def _unreadable(models: Sequence[ModelReport], presentation: Presentation) -> Iterator[Node]:
    for model in models:
        if model.error:
            text = f"{visible(model.path)}: {short_text(model.error.message)}"
            where = in_repository(None, model, presentation)
            yield _notification(LEVELS[Severity.ERROR], text, model.error.code, where)


def _room(left_out: int) -> str:
    return f"{left_out} results are left out: a run has room for {MOST_RESULTS:,}"


def _notification(level: str, text: str, code: str | None = None, where: Location | None = None) -> Node:
    return {
        "level": level,
        "message": {"text": _text(text)},
        **({"descriptor": {"id": code}} if code else {}),
        **({"locations": [{"physicalLocation": _physical(where)}]} if where else {}),
    }


def _text(text: str) -> str:
    """A message in which nothing reads as a link: the format takes `[words](address)` for one even in plain text."""
    return text.replace("](", "] (")
