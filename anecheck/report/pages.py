"""The page of a rule: what it flags, why, how sure we are, and what to write instead."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from anecheck.knowledge.evidence import FAMILIES, Citation
from anecheck.knowledge.tables import Knowledge
from anecheck.lint.diagnostics import Diagnostic
from anecheck.lint.rule import Example, Rule


@dataclass(frozen=True, slots=True)
class CitedSource:
    """A source of a rule: what it is, where, how sure, and the families on which it saw what it says."""

    source: str
    title: str
    url: str
    confidence: str
    families: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that is known of a rule or diagnostic, ready to be written out."""

    code: str
    name: str
    severity: str
    title: str
    explanation: str
    rewrite: str
    evidence: tuple[CitedSource, ...] = ()
    examples: tuple[Example, ...] = ()


def page(entry: Rule | Diagnostic, knowledge: Knowledge) -> Page:
    """Collect the page of a rule, or of one of the tool's own diagnostics."""
    if isinstance(entry, Diagnostic):
        body = f"## What to do\n{entry.remedy}"
        return Page(entry.code, entry.name, entry.severity.value, entry.title, body, entry.remedy)
    evidence = tuple(_cited(citation, knowledge) for citation in entry.evidence)
    body = entry.page.partition("\n")[2].strip()
    return Page(
        entry.code, entry.name, entry.severity.value, entry.title, body, entry.rewrite, evidence, tuple(entry.EXAMPLES)
    )


def _cited(citation: Citation, knowledge: Knowledge) -> CitedSource:
    source = knowledge.sources[citation.source]
    return CitedSource(
        citation.source, source.title, source.url, citation.confidence.value, citation.families, source.note
    )


def render(pages: Sequence[Page], format_: str, *, brief: bool = False) -> str:
    """Write pages as "text", "json" or "markdown"; `brief` text gives one line a page."""
    if format_ == "json":
        return json.dumps([asdict(page) for page in pages], indent=2, ensure_ascii=False)
    if format_ == "markdown":
        return "\n".join(_markdown(page) for page in pages)
    if brief:
        return "\n".join(f"{page.code}  {page.severity:<7}  {page.name:<26}  {page.title}" for page in pages)
    return "\n\n".join(_plain(_markdown(page)) for page in pages)


def _markdown(page: Page) -> str:
    parts = [f"# {page.code} {page.name} ({page.severity})", page.title, page.explanation]
    if page.evidence:
        parts.append("## Evidence\n" + "\n".join(map(_source_line, page.evidence)))
    parts += [_example(example, number) for number, example in enumerate(page.examples, 1)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _source_line(source: CitedSource) -> str:
    families = "" if source.families == FAMILIES else f" on {', '.join(source.families)}"
    url = f" <{source.url}>" if source.url else ""
    note = f" ({source.note})" if source.note else ""
    return f"- {source.confidence}{families}: {source.title}{note}{url}"


def _example(example: Example, number: int) -> str:
    text = f"## Example {number}\n```\n{example.before}```\nFlagged: {', '.join(example.flags)}."
    if example.after is None:
        return f"{text} {example.reason.capitalize()}."
    same = "Write instead, for the same numbers:" if example.equal else f"Write instead ({example.reason}):"
    return f"{text}\n\n{same}\n```\n{example.after}```"


def _plain(markdown: str) -> str:
    """Markdown that reads well in a terminal: fences go, programs are indented, headings lose their marks."""
    lines, inside = [], False
    for line in markdown.splitlines():
        if line.startswith("```"):
            inside = not inside
            continue
        lines.append(f"    {line}" if inside else line.lstrip("#").lstrip() if line.startswith("#") else line)
    return "\n".join(lines) + "\n"
