"""Where a finding points at: a file, a line and a column that an editor can open, or that a repository has.

A model is no text. The best place is the line of the user's own code that an operation comes from, then that of a listing of
the program, and where there is neither, a file that stands for the model.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from anecheck.lint.finding import Finding
from anecheck.lint.reports import ModelReport
from anecheck.report.presentation import Presentation

STAND_IN = {".mlpackage": "Manifest.json", ".mlmodelc": "model.mil"}
"""The file in a package that a service can show in its place: folders have no lines."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file; lines and columns count from 1. Without a column the whole line is meant."""

    path: str
    line: int = 1
    column: int | None = None


def absolute(path: str, presentation: Presentation) -> str:
    """A path from the root of the file system, if `base` is known. Symbolic links are not followed."""
    return posixpath.normpath(posixpath.join(presentation.base, path))


def inside(path: str, presentation: Presentation) -> str | None:
    """A path from the presentation's root; `None` where it does not lie in there."""
    full, root = absolute(path, presentation), presentation.root or presentation.base
    if not root:
        return None if full.startswith(("/", "../")) or full == ".." else full
    root = posixpath.normpath(root).rstrip("/")
    if full == root:
        return "."
    return full[len(root) + 1 :] if full.startswith(f"{root}/") else None


def shown(path: str, presentation: Presentation) -> str:
    """A path from the presentation's root where it lies inside, from that of the file system where it does not."""
    return inside(path, presentation) or absolute(path, presentation)


def in_editor(finding: Finding | None, model: ModelReport, presentation: Presentation) -> Location:
    """Where an editor is to go: the user's code, the listing, or the model with the line that a listing would have.

    What is about a whole model is at the beginning of the listing, as no editor opens a folder. Without a finding it is the
    model itself.
    """
    source = finding.source if finding else None
    if source and source.file:
        return Location(shown(source.file, presentation), source.line or 1)
    line, column = (finding.mil_line, finding.mil_column) if finding else (None, None)
    path = model.listing if model.listing and finding else model.path
    return Location(shown(path, presentation), line or 1, column if line else None)


def in_repository(finding: Finding | None, model: ModelReport, presentation: Presentation) -> Location:
    """Where a service is to show a finding: as `in_editor`, but in files only that the repository has.

    The program text inside of a compiled model is not ours, so our line numbers mean nothing there.
    """
    source = finding.source if finding else None
    path = inside(source.file, presentation) if source and source.file else None
    if source and path:
        return Location(path, source.line or 1)
    path = inside(model.listing, presentation) if model.listing else None
    if finding and finding.mil_line and path:
        return Location(path, finding.mil_line, finding.mil_column)
    return Location(shown(_stand_in(model.path), presentation))


def of_notice(notice: Finding, presentation: Presentation) -> Location | None:
    """The line of the configuration that a notice speaks of; `None` where it speaks of none."""
    if notice.source is None or notice.source.file is None:
        return None
    return Location(shown(notice.source.file, presentation), notice.source.line or 1)


def _stand_in(path: str) -> str:
    kind = posixpath.splitext(path.rstrip("/"))[1].lower()
    return posixpath.join(path, STAND_IN[kind]) if kind in STAND_IN else path
