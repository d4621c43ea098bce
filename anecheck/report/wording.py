"""What the formats for people have in common: which findings are told, and how operations and counts are worded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from anecheck.lint.finding import Finding, Severity, Source
from anecheck.lint.reports import ModelReport
from anecheck.report.escape import short_name, short_text, visible

NAMES_SHOWN = 4
BASELINE = "baseline"
"""The kind of a suppression that says that a baseline has the finding."""


def told(model: ModelReport) -> list[Finding]:
    """The findings that count."""
    return [finding for finding in model.findings if not finding.suppressed]


def fails(finding: Finding, model: ModelReport) -> bool:
    """Whether a finding is at or above the severity that fails its model."""
    return reaches(finding, model.fail_on)


def reaches(finding: Finding, fail_on: str) -> bool:
    """Whether a finding is at or above a severity; nothing reaches "never"."""
    return fail_on != "never" and finding.severity.rank <= Severity(fail_on).rank


def by_rule(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings of one rule and severity together: the worst first, then those that concern the most operations."""
    kinds = [list(group) for _, group in groupby(sorted(findings, key=_kind), key=_kind)]
    return sorted(kinds, key=lambda group: (group[0].severity.rank, -weight(group), group[0].code))


def by_message(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """Findings that say the same together, by what they say."""
    ordered = sorted(findings, key=_message)
    return [(message, list(group)) for message, group in groupby(ordered, key=_message)]


def weight(group: Sequence[Finding]) -> int:
    """How many operations findings concern, those that share their fate among them."""
    return len({name for finding in group for name in (finding.operation, *finding.related) if name})


def operations(findings: Iterable[Finding], *, every_name: bool) -> tuple[list[str], int]:
    """The operations of findings, each with where it comes from: of many the first ones, and how many more there are."""
    named = [finding for finding in findings if finding.operation]
    shown = named if every_name else named[:NAMES_SHOWN]
    return [_operation(finding) for finding in shown], len(named) - len(shown)


def listed(names: Sequence[str], rest: int) -> str:
    """Names after one another, and how many more there are."""
    return ", ".join(names) + (f" and {rest} more" if rest else "")


def sentence(finding: Finding) -> str:
    """What a finding says, with its operation in brackets."""
    name = f" [{short_name(finding.operation)}]" if finding.operation else ""
    return f"{short_text(finding.message)}{name}"


def origin(source: Source) -> str:
    """Where an operation comes from: a file and its line, or else a module of PyTorch and whether that was only inferred."""
    if source.file:
        return visible(source.file) + (f":{source.line}" if source.line else "")
    return short_name(source.module or "") + (", by its weights' names" if source.inferred else "")


def left_out(findings: Iterable[Finding]) -> str:
    """How many findings do not count, e.g. "2 suppressed, 14 in the baseline"; empty where all do."""
    hidden = Counter(_in_baseline(finding) for finding in findings if finding.suppressed)
    parts = ((hidden[False], "suppressed"), (hidden[True], "in the baseline"))
    return ", ".join(f"{count} {why}" for count, why in parts if count)


def gone(model: ModelReport) -> list[str]:
    """What a baseline has and the model no longer, a sentence for each rule."""
    counts: Counter[tuple[str, str]] = Counter()
    for entry in model.gone:
        counts[entry.code, entry.name] += entry.count
    return [
        f"{visible(code)} {visible(name)}: {count} gone from the baseline" for (code, name), count in counts.items()
    ]


def has_baseline(models: Iterable[ModelReport]) -> bool:
    """Whether a baseline is in play."""
    return any(model.gone or any(_in_baseline(finding) for finding in model.findings) for model in models)


def plural(count: int, noun: str) -> str:
    """A count with its noun."""
    if noun == Severity.INFO.value:
        return f"{count} info"
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def totals(findings: Iterable[Finding]) -> str:
    """How many findings there are of each severity, the worst first; empty where there are none."""
    counts = Counter(finding.severity for finding in findings)
    return ", ".join(plural(counts[severity], severity.value) for severity in Severity if counts[severity])


def _operation(finding: Finding) -> str:
    name = short_name(finding.operation or "")
    where = origin(finding.source) if finding.source else ""
    return f"{name} ({where})" if where else name


def _in_baseline(finding: Finding) -> bool:
    return finding.suppression is not None and finding.suppression.kind == BASELINE


def _kind(finding: Finding) -> tuple[str, int]:
    return finding.code, finding.severity.rank


def _message(finding: Finding) -> str:
    return finding.message
