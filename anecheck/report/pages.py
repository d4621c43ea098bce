"""What the page of a rule holds: what it flags, why, where it holds, how sure we are, and what to write instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from anecheck.knowledge.evidence import FAMILIES, Citation, Confidence
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
class LimitValue:
    """A limit that a rule compares with, on some families; whoever lints may set another for it."""

    name: str
    value: float
    unit: str
    meaning: str
    families: tuple[str, ...]
    confidence: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How sure a rule is on some families, best first; `chips` are their names."""

    confidence: str
    families: tuple[str, ...]
    chips: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that is known of a rule or diagnostic, ready to be written out."""

    code: str
    name: str
    severity: str
    title: str
    explanation: str
    rewrite: str
    blocks: tuple[str, ...] = ()
    releases: str = ""
    holds: tuple[Standing, ...] = ()
    limits: tuple[LimitValue, ...] = ()
    covers: tuple[str, ...] = ()
    evidence: tuple[CitedSource, ...] = ()
    examples: tuple[Example, ...] = ()


def page(entry: Rule | Diagnostic, knowledge: Knowledge) -> Page:
    """Collect the page of a rule, or of one of the tool's own diagnostics."""
    if isinstance(entry, Diagnostic):
        body = f"## What to do\n{entry.remedy}"
        return Page(entry.code, entry.name, entry.severity.value, entry.title, body, entry.remedy)
    return Page(
        code=entry.code,
        name=entry.name,
        severity=entry.severity.value,
        title=entry.title,
        explanation=entry.page.partition("\n")[2].strip(),
        rewrite=entry.rewrite,
        blocks=tuple(sorted(device.value for device in getattr(entry, "blocks", ()))),
        releases=entry.releases,
        holds=_standings(entry.evidence, knowledge),
        limits=tuple(limit for name in entry.limits for limit in _limits(name, knowledge)),
        covers=entry.covers,
        evidence=tuple(_cited(citation, knowledge) for citation in entry.evidence),
        examples=tuple(entry.EXAMPLES),
    )


def _cited(citation: Citation, knowledge: Knowledge) -> CitedSource:
    source = knowledge.sources[citation.source]
    return CitedSource(
        citation.source, source.title, source.url, citation.confidence.value, citation.families, source.note
    )


def _standings(evidence: Sequence[Citation], knowledge: Knowledge) -> tuple[Standing, ...]:
    """Each family under the best confidence that a source has for it."""
    best = {family: min((each.on(family) for each in evidence), key=lambda sure: sure.rank) for family in FAMILIES}
    found = []
    for confidence in Confidence:
        families = tuple(family for family in FAMILIES if best[family] is confidence)
        if families:
            found.append(Standing(confidence.value, families, _chips(families, knowledge)))
    return tuple(found)


def _chips(families: Sequence[str], knowledge: Knowledge) -> tuple[str, ...]:
    return tuple(knowledge.chips[slug].name for family in families for slug in knowledge.families[family].chips)


def _limits(name: str, knowledge: Knowledge) -> list[LimitValue]:
    rows = dict.fromkeys(knowledge.limits[name, family] for family in knowledge.families_of(name))
    return [
        LimitValue(row.name, row.value, row.unit, row.meaning, row.families, row.confidence.value, row.sources)
        for row in rows
    ]
