"""The report as a person reads it first: a line on each model, then findings by rule, the most harmful first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from anecheck.lint.finding import Finding, Severity
from anecheck.lint.reports import ModelReport, Report, Summary
from anecheck.mil.printer import opset_text
from anecheck.report.escape import visible
from anecheck.report.paper import Paper, Style
from anecheck.report.standing import STANDING
from anecheck.report.units import estimate
from anecheck.report.wording import (
    by_message,
    by_rule,
    gone,
    left_out,
    listed,
    operations,
    origin,
    plural,
    told,
    totals,
)

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
        if quiet and not model.error and not told(model):
            continue
        _model(paper, model, report, every_name=every_name)
    for notice in report.notices:
        _notice(paper, notice)
    if report.notices:
        paper.line()
    if not quiet:
        _closing(paper, report)
    return paper.written()


def render_statistics(report: Report, *, width: int = 80, colour: bool = False) -> str:
    """Count the findings that count by rule, the most frequent first."""
    paper = Paper(width, colour)
    findings = [told(model) for model in report.models]
    counts = Counter((finding.code, finding.name, finding.severity) for each in findings for finding in each)
    models = Counter(code for each in findings for code in {finding.code for finding in each})
    for (code, name, severity), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        paper.line(f"{count:>6}  ", (code, STYLES[severity]), f"  {name}  ({plural(models[code], 'model')})")
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
    for findings in by_rule(told(model)):
        _group(paper, findings, every_name=every_name)
    for line in filter(None, (left_out(model.findings), *gone(model))):
        paper.paragraph(line, 2, DIM)
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
    text += f" and {plural(others, 'other target')}" if others else ""
    if not model.functions:
        return text
    functions = f" in {len(model.functions)} functions" if len(model.functions) > 1 else ""
    total = sum(function.summary.operations for function in model.functions)
    return f"{text}: {plural(total, 'operation')}{functions}, {_predicted(model)}{_off_engine(model, report)}"


def _predicted(model: ModelReport) -> str:
    """Where the operations are predicted to go, in how many segments, and what that is estimated to take."""
    summaries = [function.summary for function in model.functions]
    counts = {name: sum(getattr(summary, name) or 0 for summary in summaries) for name in ("ane", "gpu", "cpu")}
    if any(summary.segments is None for summary in summaries):
        return ""
    where = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "0"
    segments = sum(summary.segments or 0 for summary in summaries)
    return f"predicted {where} in {plural(segments, 'segment')}, {_cost(summaries)}"


def _cost(summaries: Sequence[Summary]) -> str:
    """What a call is estimated to take of time and memory: of several functions, the most that one takes."""
    times = [summary.latency for summary in summaries if summary.latency]
    peaks = [summary.peak_working_set_bytes or 0 for summary in summaries]
    slowest = max(times, key=lambda time: time.ms)
    least = "at least " if any(summary.has_unknown_sizes for summary in summaries) else ""
    span = (
        f" ({estimate(slowest.low_ms)} to {estimate(slowest.high_ms)})" if not least else ", its sizes not being fixed"
    )
    weights = max(summary.resident_weight_bytes or 0 for summary in summaries)
    time = f"estimated {least}{estimate(slowest.low_ms if least else slowest.ms)} ms a call{span}"
    return f"{time}, {least}{_size(max(peaks))} live beside {_size(weights)} of weights, "


def _size(count: int) -> str:
    """Bytes in words."""
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


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
    more = f" and {plural(rest, 'more rule')}" if rest > 0 else ""
    return f"{off} likely off the engine" + (f" ({named}{more})" if named else "")


def _group(paper: Paper, findings: list[Finding], *, every_name: bool) -> None:
    first = findings[0]
    sure = f"  {STANDING[min((f.confidence for f in findings), key=lambda c: c.rank)]}" if first.evidence else ""
    paper.line("  ", (first.severity.value, STYLES[first.severity]), (f" {first.code} {first.name}", BOLD), (sure, DIM))
    for message, group in by_message(findings):
        text = visible(message)
        names, rest = operations(group, every_name=every_name)
        if names:
            text += f": {listed(names, rest)}"
        paper.paragraph(text, 4)
    for reject in sorted({finding.reject for finding in findings if finding.reject}):
        paper.paragraph(f"Core ML: {reject}", 4, DIM)
    if first.rewrite and first.evidence:
        paper.paragraph(f"→ {first.rewrite.title} (anecheck rule {first.code})", 4, lead=("→", Style(fg="green")))


def _notice(paper: Paper, notice: Finding) -> None:
    """What is said of the run: a line on what it is and where it is set, and what there is to say."""
    where = f"  {origin(notice.source)}" if notice.source else ""
    paper.line((notice.severity.value, STYLES[notice.severity]), (f" {notice.code} {notice.name}", BOLD), (where, DIM))
    paper.paragraph(visible(notice.message), 2)


def _closing(paper: Paper, report: Report) -> None:
    unreadable = sum(model.error is not None for model in report.models)
    parts = (
        totals(finding for model in report.models for finding in told(model)),
        f"{plural(unreadable, 'model')} that cannot be read" if unreadable else "",
        plural(len(report.notices), "notice") if report.notices else "",
    )
    found = ", ".join(part for part in parts if part) or "nothing found"
    hidden = left_out(finding for model in report.models for finding in model.findings)
    paper.paragraph(f"{plural(len(report.models), 'model')} checked: {found}{f'; {hidden}' if hidden else ''}.")
