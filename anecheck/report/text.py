"""The report as a person reads it first: a line on each model, then findings by rule, the most harmful first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from anecheck.lint.finding import Finding, Severity
from anecheck.lint.reports import ModelReport, Report, Summary
from anecheck.mil.printer import opset_text
from anecheck.report.escape import short_name, visible
from anecheck.report.paper import Paper, Style
from anecheck.report.standing import STANDING

NAMES_SHOWN = 4
STYLES = {
    Severity.ERROR: Style(fg="red", bold=True),
    Severity.WARNING: Style(fg="yellow", bold=True),
    Severity.INFO: Style(fg="blue", bold=True),
}
BOLD, DIM = Style(bold=True), Style(dim=True)
KINDS = {"mlprogram": "ML Program", "neuralnetwork": "neural network", "pipeline": "pipeline"}


def render(
    report: Report, *, width: int = 80, colour: bool = False, quiet: bool = False, every_name: bool = False
) -> str:
    """Write the report as text.

    `quiet` leaves out models without findings and the closing line; `every_name` names every operation.
    """
    paper = Paper(width, colour)
    for model in report.models:
        if quiet and not model.findings and not model.error:
            continue
        _model(paper, model, report, every_name=every_name)
    if not quiet:
        _closing(paper, report)
    return paper.written()


def render_statistics(report: Report, *, width: int = 80, colour: bool = False) -> str:
    """Count findings by rule, the most frequent first."""
    paper = Paper(width, colour)
    findings = [finding for model in report.models for finding in model.findings]
    counts = Counter((finding.code, finding.name, finding.severity) for finding in findings)
    models = Counter(code for model in report.models for code in {finding.code for finding in model.findings})
    for (code, name, severity), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        paper.line(f"{count:>6}  ", (code, STYLES[severity]), f"  {name}  ({_plural(models[code], 'model')})")
    errors = [model for model in report.models if model.error]
    if errors:
        paper.line((f"{len(errors):>6}  unreadable", STYLES[Severity.ERROR]))
    return paper.written()


def _model(paper: Paper, model: ModelReport, report: Report, *, every_name: bool) -> None:
    paper.line((visible(model.path), BOLD))
    if model.error:
        paper.paragraph(
            f"error {model.error.code} {visible(model.error.message)}", 2, lead=("error", STYLES[Severity.ERROR])
        )
        paper.line()
        return
    paper.paragraph(_headline(model, report), 2)
    for findings in _by_rule(model.findings):
        _group(paper, findings, every_name=every_name)
    paper.line()


def _headline(model: ModelReport, report: Report) -> str:
    target = report.target
    release = [f"specification {model.specification_version}"] if model.specification_version else []
    release += sorted({f"opset {opset_text(function.opset)}" for function in model.functions})
    kind = KINDS.get(model.kind or "", "Core ML model") + (f" ({', '.join(release)})" if release else "")
    where = f"{target.chip} ({target.family})" if target.chip else target.family
    if target.os:
        where += f"/{target.os}"
    text = f"{kind} for {where}"
    others = len(report.targets) - 1
    text += f" and {_plural(others, 'other target')}" if others else ""
    if not model.functions:
        return text
    functions = f" in {len(model.functions)} functions" if len(model.functions) > 1 else ""
    total = sum(function.summary.operations for function in model.functions)
    return f"{text}: {_plural(total, 'operation')}{functions}, {_predicted(model)}{_off_engine(model, report)}"


def _predicted(model: ModelReport) -> str:
    """Where the operations are predicted to go, in how many segments, and what that is estimated to take."""
    summaries = [function.summary for function in model.functions]
    counts = {name: sum(getattr(summary, name) or 0 for summary in summaries) for name in ("ane", "gpu", "cpu")}
    if any(summary.segments is None for summary in summaries):
        return ""
    where = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "0"
    segments = sum(summary.segments or 0 for summary in summaries)
    return f"predicted {where} in {_plural(segments, 'segment')}, {_cost(summaries)}"


def _cost(summaries: Sequence[Summary]) -> str:
    """What a call is estimated to take of time and memory: of several functions, the most that one takes."""
    times = [summary.latency for summary in summaries if summary.latency]
    peaks = [summary.peak_working_set_bytes or 0 for summary in summaries]
    slowest = max(times, key=lambda time: time.ms)
    least = "at least " if any(summary.has_unknown_sizes for summary in summaries) else ""
    span = f" ({_ms(slowest.low_ms)} to {_ms(slowest.high_ms)})" if not least else ", its sizes not being fixed"
    weights = max(summary.resident_weight_bytes or 0 for summary in summaries)
    time = f"estimated {least}{_ms(slowest.low_ms if least else slowest.ms)} ms a call{span}"
    return f"{time}, {least}{_size(max(peaks))} live beside {_size(weights)} of weights, "


def _size(count: int) -> str:
    """Bytes in words."""
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def _ms(value: float) -> str:
    """Two digits: no estimate of time is good for more."""
    return f"{float(f'{value:.2g}'):g}"


def _off_engine(model: ModelReport, report: Report) -> str:
    off = sum(function.summary.off_engine for function in model.functions)
    if report.target.compute_units in {"cpu-and-gpu", "cpu-only"}:
        return f"and the engine is not used ({report.target.compute_units})"
    if not off:
        return "none that a rule keeps from the engine"
    hit: dict[str, set[tuple[str | None, str]]] = {}
    for finding in model.findings:
        own = [finding.operation] if finding.operation and "ane" in finding.blocks else []
        related = finding.related if "ane" in finding.related_blocks else []
        hit.setdefault(finding.name, set()).update((finding.function, name) for name in (*own, *related))
    causes = Counter({name: len(operations) for name, operations in hit.items() if operations})
    named = ", ".join(f"{name} {count}" for name, count in causes.most_common(3))
    rest = len(causes) - 3
    more = f" and {_plural(rest, 'more rule')}" if rest > 0 else ""
    return f"{off} likely off the engine" + (f" ({named}{more})" if named else "")


def _by_rule(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    kinds = [list(group) for _, group in groupby(sorted(findings, key=_kind), key=_kind)]
    yield from sorted(kinds, key=lambda group: (group[0].severity.rank, -_weight(group), group[0].code))


def _kind(finding: Finding) -> tuple[str, int]:
    return finding.code, finding.severity.rank


def _weight(group: list[Finding]) -> int:
    """How many operations a rule's findings concern, those that share their fate among them."""
    return len({name for finding in group for name in (finding.operation, *finding.related) if name})


def _group(paper: Paper, findings: list[Finding], *, every_name: bool) -> None:
    first = findings[0]
    sure = f"  {STANDING[min((f.confidence for f in findings), key=lambda c: c.rank)]}" if first.evidence else ""
    paper.line("  ", (first.severity.value, STYLES[first.severity]), (f" {first.code} {first.name}", BOLD), (sure, DIM))
    for message, group in groupby(
        sorted(findings, key=lambda finding: finding.message), lambda finding: finding.message
    ):
        text = visible(message)
        names = [short_name(finding.operation) for finding in group if finding.operation]
        if names:
            text += f": {_names(names, every_name=every_name)}"
        paper.paragraph(text, 4)
    for reject in sorted({finding.reject for finding in findings if finding.reject}):
        paper.paragraph(f"Core ML: {reject}", 4, DIM)
    if first.rewrite and first.evidence:
        paper.paragraph(f"→ {first.rewrite.title} (anecheck rule {first.code})", 4, lead=("→", Style(fg="green")))


def _names(names: list[str], *, every_name: bool) -> str:
    shown = names if every_name else names[:NAMES_SHOWN]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def _closing(paper: Paper, report: Report) -> None:
    counts = Counter(finding.severity for model in report.models for finding in model.findings)
    parts = [_plural(counts[severity], severity.value) for severity in Severity if counts[severity]]
    unreadable = sum(model.error is not None for model in report.models)
    if unreadable:
        parts.append(f"{_plural(unreadable, 'model')} that cannot be read")
    models = _plural(len(report.models), "model")
    paper.paragraph(f"{models} checked: {', '.join(parts) if parts else 'nothing found'}.")


def _plural(count: int, noun: str) -> str:
    if noun == "info":
        return f"{count} info"
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
