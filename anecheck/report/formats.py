"""The formats of a report, and where the renderer of each is; only the module of the one in use is imported."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final, TypeAlias

from anecheck.lint.reports import Report
from anecheck.report.presentation import Presentation

Renderer: TypeAlias = Callable[[Report, Presentation], str]

FORMATS: Final = {
    "text": "for people: findings by rule, the most harmful first, with what to write instead",
    "concise": "a line for each finding, with its place",
    "json": "everything that is known, in one object; `anecheck schema` prints its schema",
    "jsonl": "JSON Lines: an object for each finding",
    "sarif": "SARIF 2.1.0, for GitHub code scanning and other collectors",
    "github": "annotations of a GitHub workflow run",
    "gitlab": "GitLab Code Quality",
    "junit": "JUnit XML, for test reports of build servers",
    "markdown": "for a comment on a pull request or the summary of a job",
    "xcode": "compiler diagnostics as Xcode and other editors read them",
}
"""The name of each format with what it is for."""
ALIASES: Final = {"full": "text"}
"""Other names of formats."""


def renderer(name: str) -> Renderer:
    """What writes reports in a format, given by its name or another name for it.

    Raises:
        ValueError: no format has this name.

    """
    name = ALIASES.get(name, name)
    if name not in FORMATS:
        raise ValueError(f"there is no format '{name}'; the formats are {', '.join(FORMATS)}")
    if name in _OWN:
        return _OWN[name]
    render: Renderer = import_module(f"anecheck.report.{name}").render
    return render


def _text(report: Report, presentation: Presentation) -> str:
    from anecheck.report.text import render  # noqa: PLC0415  # only the format in use is imported

    return render(
        report,
        width=presentation.width,
        colour=presentation.colour,
        quiet=presentation.quiet,
        every_name=presentation.verbose,
    )


def _json(report: Report, _presentation: Presentation) -> str:
    from anecheck.report.json import render  # noqa: PLC0415

    return render(report)


_OWN: Final[dict[str, Renderer]] = {"text": _text, "json": _json}
"""Renderers that other commands call too, with arguments of their own."""
