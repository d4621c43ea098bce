"""A baseline: the findings that a repository had when it began to be linted. Only what comes on top of them counts.

Findings are counted by fingerprint, which a re-export that renames and renumbers operations does not change; of twelve equal
layers with the same finding it knows twelve.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from anecheck.artifact.locate import shown
from anecheck.lint.asked.discovery import absolute
from anecheck.lint.asked.wanted import SettingError
from anecheck.lint.diagnostics import STALE_BASELINE, diagnose
from anecheck.lint.finding import Finding, Source
from anecheck.lint.run_report import Gone, Suppression

FILE_NAME: Final = "anecheck-baseline.json"
FORMAT: Final = 1
ACCEPTED: Final = Suppression(kind="baseline", reason="in the baseline")
FIELDS: Final[Mapping[str, type]] = {"code": str, "name": str, "count": int, "message": str}


class BaselineError(SettingError):
    """A baseline that cannot be used: which file, what is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Findings with the same fingerprint, and how many there were. `message` is what one of them said, for people."""

    code: str
    name: str
    count: int
    message: str


Entries = Mapping[str, Entry]
"""What a baseline has of a model, by fingerprint."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a baseline file says of models, by their path from its folder."""

    file: Path
    models: Mapping[str, Entries]

    def of(self, model: Path) -> Entries:
        """What it has of a model; nothing of one that is new."""
        return self.models.get(key_of(model, self.file), {})

    def vanished(self) -> list[Finding]:
        """What it says of models that are not there any more."""
        folder = absolute(self.file).parent
        return [
            replace(
                diagnose(STALE_BASELINE, f"the baseline lists '{model}', which is not there any more", model=model),
                source=Source(file=str(self.file), line=1),
            )
            for model in self.models
            if not os.path.lexists(folder / model)
        ]


def key_of(model: Path, file: Path) -> str:
    """How a baseline names a model: its path from the file's folder, with slashes on every system."""
    place = os.path.relpath(absolute(model), absolute(file).parent)
    return shown(Path(place).as_posix())


def accept(
    findings: Sequence[Finding], entries: Entries, speaks: Callable[[str], bool]
) -> tuple[list[Finding], list[Gone]]:
    """Mark the findings that a baseline has, as often as it has them, and say which of its own are gone.

    What a rule would have found that does not speak, by its code, is not gone.
    """
    left = Counter({fingerprint: entry.count for fingerprint, entry in entries.items()})
    result = []
    for finding in findings:
        if left[finding.fingerprint] > 0:
            left[finding.fingerprint] -= 1
            if not finding.suppressed:
                result.append(replace(finding, suppressed=True, suppression=ACCEPTED))
                continue
        result.append(finding)
    gone = [
        Gone(code=entry.code, name=entry.name, fingerprint=fingerprint, count=left[fingerprint], message=entry.message)
        for fingerprint, entry in entries.items()
        if left[fingerprint] > 0 and speaks(entry.code)
    ]
    return result, sorted(gone, key=lambda item: (item.code, item.fingerprint))


def entries_of(findings: Iterable[Finding]) -> dict[str, Entry]:
    """What a baseline is to know of a model: its findings that nobody has excused."""
    entries: dict[str, Entry] = {}
    for finding in findings:
        if not finding.suppressed:
            known = entries.get(finding.fingerprint)
            count = known.count + 1 if known else 1
            message = known.message if known else finding.message
            entries[finding.fingerprint] = Entry(finding.code, finding.name, count, message)
    return entries


def pruned(known: Entries, gone: Sequence[Gone]) -> dict[str, Entry]:
    """What is left of a model's entries without those that are gone."""
    lost = {item.fingerprint: item.count for item in gone}
    kept = {key: replace(entry, count=entry.count - lost.get(key, 0)) for key, entry in known.items()}
    return {key: entry for key, entry in kept.items() if entry.count > 0}


def read_baseline(file: Path) -> Baseline:
    """Read a baseline file.

    Raises:
        BaselineError: it cannot be read, or is none.

    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BaselineError(f"{file}: cannot be read: {error.strerror}; `anecheck baseline` writes one") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise BaselineError(f"{file}: it is no JSON text ({error}); delete it and run `anecheck baseline`") from error
    if not isinstance(content, dict) or content.get("anecheck-baseline") != FORMAT:
        raise BaselineError(f"{file}: it is no baseline of this version; delete it and run `anecheck baseline`")
    try:
        return Baseline(file, {model: _entries(rows) for model, rows in content["models"].items()})
    except (AttributeError, TypeError, KeyError) as error:
        raise BaselineError(f"{file}: it is damaged; delete it and run `anecheck baseline`") from error


def write_baseline(file: Path, models: Mapping[str, Entries]) -> None:
    """Write a baseline, sorted, so that what changes in it is what changed.

    Raises:
        BaselineError: the file cannot be written.

    """
    rows = {
        model: {
            key: {name: getattr(entries[key], name) for name in FIELDS} for key in sorted(entries, key=_by(entries))
        }
        for model, entries in sorted(models.items())
        if entries
    }
    text = json.dumps({"anecheck-baseline": FORMAT, "models": rows}, indent=1, ensure_ascii=False)
    try:
        file.write_text(shown(text) + "\n", encoding="utf-8")
    except OSError as error:
        raise BaselineError(f"{file}: cannot be written: {error.strerror}") from error


def _entries(rows: Mapping[str, Any]) -> dict[str, Entry]:
    return {fingerprint: _entry(row) for fingerprint, row in rows.items()}


def _entry(row: Mapping[str, Any]) -> Entry:
    values = {name: row[name] for name in FIELDS}
    if any(type(values[name]) is not kind for name, kind in FIELDS.items()):
        raise TypeError(row)
    return Entry(**values)


def _by(entries: Entries) -> Any:  # noqa: ANN401  # a sort key
    return lambda fingerprint: (entries[fingerprint].code, fingerprint)
