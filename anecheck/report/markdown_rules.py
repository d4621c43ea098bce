"""What the Markdown report tells of each rule: where it spoke, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from anecheck.lint.finding import Finding, Rewrite
from anecheck.lint.reports import ModelReport, Report
from anecheck.report.escape import short_name, short_text
from anecheck.report.location import shown
from anecheck.report.markdown_text import block, code, prose
from anecheck.report.presentation import Presentation
from anecheck.report.standing import STANDING
from anecheck.report.wording import by_message, by_rule, operations, plural, told

LINES_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class RulePart:
    """What is told of a rule, in full and without the example; `findings` are as many as it is about."""

    text: str
    brief: str
    findings: int


def rule_parts(report: Report, presentation: Presentation) -> Iterator[RulePart]:
    """Tell of each rule that spoke, the most harmful first."""
    models = {id(finding): model for model in report.models for finding in told(model)}
    for group in by_rule(finding for model in report.models for finding in told(model)):
        lines = [
            f"- {line}"
            for model in report.models
            if (own := [finding for finding in group if models[id(finding)] is model])
            for line in _lines(own, model if len(report.models) > 1 else None, presentation)
        ]
        if len(lines) > LINES_SHOWN and not presentation.verbose:
            lines[LINES_SHOWN:] = [f"- and {len(lines) - LINES_SHOWN} more like these"]
        yield _part(group, lines)


def _part(group: list[Finding], lines: list[str]) -> RulePart:
    first = group[0]
    sure = STANDING[min((finding.confidence for finding in group), key=lambda each: each.rank)]
    name = f"<b>{first.severity.value} {prose(f'{first.code} {first.name}')}</b>"
    what = f"{name}, {plural(len(group), 'finding')}" + (f", {sure}" if first.evidence else "")
    head = "\n".join([f"\n<details><summary>{what}</summary>\n", *lines, ""])
    advice = f"\nInstead: {prose(first.rewrite.title)}\n" if first.rewrite else ""
    end = "\n</details>\n"
    example = _example(first.rewrite) if first.rewrite else ""
    return RulePart(head + advice + example + end, head + advice + end, len(group))


def _lines(findings: list[Finding], model: ModelReport | None, presentation: Presentation) -> Iterator[str]:
    """What findings of a rule say, with the operations of which they say it, and of which model if there are several."""
    where = f" in {code(short_name(shown(model.path, presentation)))}" if model else ""
    for message, group in by_message(findings):
        names, rest = operations(group, every_name=presentation.verbose)
        named = f": {', '.join(map(code, names))}" if names else ""
        yield f"{prose(short_text(message))}{where}{named}{f' and {rest} more' if rest else ''}"


def _example(rewrite: Rewrite) -> str:
    """A rewrite before and after: in PyTorch if it is known how one writes it there, or else as MIL text."""
    if rewrite.pytorch_before and rewrite.pytorch_after:
        before, after, language = rewrite.pytorch_before, rewrite.pytorch_after, "python"
    elif rewrite.before and rewrite.after:
        before, after, language = rewrite.before, rewrite.after, ""
    else:
        return ""
    return f"\nFor example, in place of\n\n{block(before, language)}\n\nwrite\n\n{block(after, language)}\n"
