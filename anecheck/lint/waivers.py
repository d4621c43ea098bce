"""Suppressions: who excuses which findings, why, and until when. They stand in a configuration or in the model itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from anecheck.lint.asked.settings import IGNORE_KEY
from anecheck.lint.diagnostics import BAD_SUPPRESSION, EXPIRED_SUPPRESSION, UNUSED_SUPPRESSION, diagnose
from anecheck.lint.finding import Finding
from anecheck.lint.registry import Registry
from anecheck.lint.run_report import Suppression

ENTRY: Final = re.compile(
    r"(?P<rule>[\w-]+)\s*(?:\[(?P<operation>[^\]]*)\])?\s*(?:until\s+(?P<until>\S+?))?\s*:\s*(?P<reason>.*\S)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Waiver:
    """Excuses the findings of a rule, in models and at operations that fit globs.

    `codes` are those that `rule` means. `operation` is a glob of names, or of `function/name`; "*" excuses what is found for
    whole models too. `file` and `line` say where it stands; a model's own has none.
    """

    rule: str
    codes: frozenset[str]
    reason: str
    operation: str = "*"
    model: str = "**"
    expires: date | None = None
    file: Path | None = None
    line: int = 1

    def covers(self, finding: Finding) -> bool:
        """Whether it excuses a finding of a model that it fits."""
        if finding.code not in self.codes:
            return False
        if self.operation == "*":
            return True
        names = (finding.operation, f"{finding.function}/{finding.operation}") if finding.operation else ()
        return any(fnmatchcase(name, self.operation) for name in names)

    def is_expired(self, today: date) -> bool:
        """Whether its last day is past."""
        return self.expires is not None and self.expires < today


def excuse(
    findings: Sequence[Finding], waivers: Sequence[Waiver], kind: str, today: date
) -> tuple[list[Finding], Counter[Waiver]]:
    """Mark the findings that waivers excuse, and count what each has excused. What is excused already stays as it is."""
    alive = [waiver for waiver in waivers if not waiver.is_expired(today)]
    used: Counter[Waiver] = Counter()
    result = []
    for finding in findings:
        covering = [waiver for waiver in alive if waiver.covers(finding)]
        used.update(covering)
        if covering and not finding.suppressed:
            first = covering[0]
            expires = first.expires.isoformat() if first.expires else None
            why = Suppression(kind=kind, reason=first.reason, expires=expires)
            result.append(replace(finding, suppressed=True, suppression=why))
        else:
            result.append(finding)
    return result, used


def own_waivers(metadata: Mapping[str, str], registry: Registry) -> tuple[list[Waiver], list[Finding]]:
    """What a model asks to ignore of itself, and what of that cannot be understood."""
    waivers, findings = [], []
    for text in _entries(metadata.get(IGNORE_KEY, "")):
        try:
            waivers.append(_own_waiver(text, registry))
        except ValueError as error:
            findings.append(diagnose(BAD_SUPPRESSION, f"{IGNORE_KEY} has '{text}': {error}", entry=text))
    return waivers, findings


def excuse_itself(
    findings: Sequence[Finding], metadata: Mapping[str, str], registry: Registry, reported: frozenset[str], today: date
) -> list[Finding]:
    """Mark what the model itself asks to ignore; add what of that is unused, expired or not understood.

    `reported` are the codes of the rules that were to speak: a waiver of others cannot be known to be unused.
    """
    waivers, wrong = own_waivers(metadata, registry)
    marked, used = excuse(findings, waivers, "model", today)
    return [*marked, *wrong, *_idle(waivers, used, reported, today)]


def _idle(waivers: Sequence[Waiver], used: Counter[Waiver], reported: frozenset[str], today: date) -> Iterator[Finding]:
    for waiver in waivers:
        what = f"{IGNORE_KEY} ignores {waiver.rule}" + (f" at '{waiver.operation}'" if waiver.operation != "*" else "")
        if waiver.is_expired(today):
            message = f"{what} until {waiver.expires}, which is past ({waiver.reason})"
            yield diagnose(EXPIRED_SUPPRESSION, message, rule=waiver.rule, at=waiver.operation)
        elif not used[waiver] and waiver.codes & reported:
            message = f"{what}, which finds nothing there ({waiver.reason})"
            yield diagnose(UNUSED_SUPPRESSION, message, rule=waiver.rule, at=waiver.operation)


def _entries(text: str) -> list[str]:
    """The entries of a text that parts them by `;` or by lines; a glob in brackets may hold a `;` of its own."""
    return [part.strip() for part in re.split(r"[;\n](?![^\[\n]*\])", text) if part.strip()]


def _own_waiver(text: str, registry: Registry) -> Waiver:
    found = ENTRY.fullmatch(text)
    if not found:
        raise ValueError("write `CODE: reason`, or `CODE[operation glob] until YYYY-MM-DD: reason`")
    try:
        expires = date.fromisoformat(found["until"]) if found["until"] else None
    except ValueError as error:
        raise ValueError(f"'{found['until']}' is no day; write YYYY-MM-DD") from error
    codes = frozenset(entry.code for entry in registry.find(found["rule"]))
    return Waiver(found["rule"], codes, found["reason"], found["operation"] or "*", expires=expires)
