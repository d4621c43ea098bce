"""What the rules say of the committed packages, a line a finding; `python -m tests.rules.golden` writes it anew.

The expectation stands beside the packages, in `findings.txt` of each folder, so that a change of a rule shows up as a
change of what it says.
"""

from __future__ import annotations

from pathlib import Path

import anecheck
from anecheck.lint.finding import Finding
from anecheck.report.escape import short_name, visible

FIXTURES = Path(__file__).parents[2] / "fixtures"
FOLDERS = {"ok": ("m4", "m1"), "flagged": ("m4", "m1"), "zoo": ("m4", "m1"), "conversions": ("m4/macos15",)}
"""The folders, and what each is linted for: M4 and, where that differs by family, M1; for conversions a release, as they are
of several operation sets, and what newer ones would give is part of what is said."""
TOO_SMALL = ["ANE3"]
"""Conversions are single layers: that the engine does not pay for them says nothing."""
EXPECTED = "findings.txt"


def findings(folder: str) -> str:
    """Lint a folder of fixtures; one line a finding."""
    place = FIXTURES / folder
    ignored = ["ANE012", *(TOO_SMALL if folder == "conversions" else [])]
    report = anecheck.lint(place, target=FOLDERS[folder], ignore=ignored)
    lines = []
    for model in report.models:
        name = Path(model.path).relative_to(place).as_posix()
        lines += [f"{name}: error {model.error.code} {visible(model.error.message)}"] if model.error else []
        lines += [f"{name}: {_line(finding)}" for finding in model.findings]
        if not model.findings and not model.error:
            lines.append(f"{name}: nothing")
    return "".join(f"{line}\n" for line in lines)


def _line(finding: Finding) -> str:
    where = f" at {short_name(finding.operation)}" if finding.operation is not None else ""
    families = "" if len(finding.families) in {0, 8} else f" [{', '.join(finding.families)}]"
    with_others = f" (+{len(finding.related)} related)" if finding.related else ""
    return f"{finding.severity.value} {finding.code} {visible(finding.message)}{where}{with_others}{families}"


def main() -> None:
    """Write the expectations anew."""
    for folder in FOLDERS:
        (FIXTURES / folder / EXPECTED).write_text(findings(folder), encoding="utf-8")


if __name__ == "__main__":
    main()
