"""A model's program as MIL text, with findings as comments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from anecheck.lint.finding import Finding
from anecheck.mil.model import Model
from anecheck.mil.printer import model_lines
from anecheck.report.escape import visible


def render(model: Model, findings: Sequence[Finding] = ()) -> str:
    """Write every program of `model`, a pipeline's under a comment with the part's name.

    A finding becomes a comment above the line that it stands on; those of the whole model come first. What is suppressed is
    left out.
    """
    counting = [finding for finding in findings if not finding.suppressed]
    return "".join(f"{line}\n" for line in _lines(model, counting))


def _lines(model: Model, findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        if finding.mil_line is None:
            yield _comment(finding, "")
    notes: dict[int, list[Finding]] = {}
    for finding in findings:
        if finding.mil_line is not None:
            notes.setdefault(finding.mil_line, []).append(finding)
    for number, line in enumerate(model_lines(model), 1):
        indent = line[: len(line) - len(line.lstrip())]
        for finding in notes.get(number, ()):
            yield _comment(finding, indent)
        yield line


def _comment(finding: Finding, indent: str) -> str:
    advice = f" -> {finding.rewrite.title}" if finding.rewrite else ""
    return f"{indent}// {finding.severity.value} {finding.code} {finding.name}: {visible(finding.message)}{visible(advice)}"
