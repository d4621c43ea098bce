"""Pages of rules as text for a terminal, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from anecheck.knowledge.evidence import FAMILIES, Confidence
from anecheck.lint.rule import Example
from anecheck.report.pages import CitedSource, LimitValue, Page, Standing
from anecheck.report.standing import STANDING

GROUPS = {
    "ANE0": "The tool itself",
    "ANE1": "Operations",
    "ANE2": "Patterns that do not fuse or waste work",
    "ANE3": "Placement",
    "ANE4": "Memory and bandwidth",
    "ANE5": "Numerics",
    "ANE6": "Compression",
    "ANE7": "Shapes and states",
    "ANE8": "Deployment, load and budgets",
}
"""What the hundreds of the codes stand for; rules of other packs stand under "Others"."""


def render(pages: Sequence[Page], format_: str, *, brief: bool = False) -> str:
    """Write pages as "text", "json" or "markdown"; `brief` text gives a line a page, brief Markdown begins with a table."""
    if format_ == "json":
        return json.dumps([asdict(page) for page in pages], indent=2, ensure_ascii=False)
    if format_ == "markdown":
        return (_contents(pages) if brief else "") + "\n".join(map(markdown, pages))
    if brief:
        width = max((len(page.name) for page in pages), default=0)
        return "\n".join(f"{page.code}  {page.severity:<7}  {page.name:<{width}}  {page.title}" for page in pages)
    return "\n\n".join(_plain(markdown(page)) for page in pages)


def markdown(page: Page) -> str:
    """One page as Markdown."""
    parts = [f'<a name="{page.code.lower()}"></a>\n\n# {page.code} {page.name} ({page.severity})']
    parts += [page.title, page.explanation]
    if page.holds:
        parts.append("## Where it holds\n" + "\n".join([*map(_standing, page.holds), *_releases(page)]))
    if page.limits:
        head = f"## Options\nOther limits can be set, for instance with `--limit {page.limits[0].name}=…`:\n\n"
        parts.append(head + "\n".join(map(_limit, page.limits)))
    if page.evidence:
        parts.append("## Evidence\n" + "\n".join(map(_source, page.evidence)))
    parts += [_example(example, number) for number, example in enumerate(page.examples, 1)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _contents(pages: Sequence[Page]) -> str:
    """A heading and a table of all pages, group by group."""
    lines = ["# Rules", "", "What each rule and diagnostic says; `anecheck rule CODE` prints one of these pages.", ""]
    titles = [*GROUPS.values(), "Others"]
    grouped = {title: [page for page in pages if GROUPS.get(page.code[:4], "Others") == title] for title in titles}
    for title, members in grouped.items():
        if members:
            lines += [f"**{title}**", "", "| code | name | severity | flags |", "| --- | --- | --- | --- |"]
            lines += [
                f"| [{page.code}](#{page.code.lower()}) | {page.name} | {page.severity} | {page.title} |"
                for page in members
            ]
            lines.append("")
    return "\n".join(lines) + "\n"


def _standing(standing: Standing) -> str:
    if standing.families == FAMILIES:
        return f"- {_sure(standing.confidence)}: every engine, from A12 and M1 on"
    chips = f" ({', '.join(standing.chips)})" if standing.chips else ""
    return f"- {_sure(standing.confidence)}: {', '.join(standing.families)}{chips}"


def _sure(confidence: str) -> str:
    return STANDING[Confidence(confidence)]


def _releases(page: Page) -> list[str]:
    return [f"- releases: {page.releases}"] if page.releases else []


def _limit(limit: LimitValue) -> str:
    families = "all families" if limit.families == FAMILIES else ", ".join(limit.families)
    standing = f"{_sure(limit.confidence)}, {', '.join(limit.sources)}"
    return f"- `{limit.name}`: {limit.value:,.10g} {limit.unit} on {families} ({standing}). {limit.meaning}"


def _source(source: CitedSource) -> str:
    families = "" if source.families == FAMILIES else f" on {', '.join(source.families)}"
    url = f" <{source.url}>" if source.url else ""
    note = f" ({source.note})" if source.note else ""
    return f"- {_sure(source.confidence)}{families}: {source.title}{note}{url}"


def _example(example: Example, number: int) -> str:
    flagged = ", ".join(f"`{name}`" for name in example.flags if name) or "the whole model"
    target = "" if example.target == "m4" else f" for {example.target}"
    parts = [f"## Example {number}\n{_code(example.before)}\nFlagged{target}: {flagged}."]
    if example.pytorch_before:
        parts.append(f"It comes from PyTorch such as:\n{_code(example.pytorch_before, 'python')}")
    if example.after is None:
        parts.append(f"{example.reason[:1].upper()}{example.reason[1:]}.")
    else:
        same = "Write instead, for the same numbers:" if example.equal else f"Write instead ({example.reason}):"
        parts.append(f"{same}\n{_code(example.after)}")
    if example.pytorch_after:
        parts.append(f"In PyTorch:\n{_code(example.pytorch_after, 'python')}")
    return "\n\n".join(parts)


def _code(text: str, language: str = "") -> str:
    return f"```{language}\n{text}```"


def _plain(text: str) -> str:
    """Markdown that reads well in a terminal: fences and anchors go, programs are indented, headings lose their marks."""
    lines, inside = [], False
    for line in text.splitlines()[2:] if text.startswith("<a ") else text.splitlines():
        if line.startswith("```"):
            inside = not inside
            continue
        heading = not inside and line.startswith("#")
        lines.append(f"    {line}" if inside else line.lstrip("#").lstrip() if heading else line)
    return "\n".join(lines) + "\n"
