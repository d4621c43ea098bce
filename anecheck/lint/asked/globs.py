"""Globs of models' paths: `*` stays within a folder, `**` does not, and one without a slash fits names anywhere."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from wcmatch import glob

from anecheck.lint.asked.discovery import absolute

FLAGS = glob.GLOBSTAR | glob.DOTGLOB | glob.BRACE | glob.FORCEUNIX
MAGIC = frozenset("*?[{\\")


def fits(model: Path, globs: Iterable[str], folder: Path) -> bool:
    """Whether a model fits one of some globs that are meant from `folder`."""
    place = absolute(model)
    inside = Path(os.path.relpath(place, folder)).as_posix()
    return any(glob.globmatch(_subject(pattern, place, inside), pattern, flags=FLAGS) for pattern in map(_tidy, globs))


def is_literal(pattern: str) -> bool:
    """Whether a glob is simply a path."""
    return not MAGIC & set(pattern) and "/" in _tidy(pattern)


def _subject(pattern: str, place: Path, inside: str) -> str:
    if pattern.startswith("/"):
        return place.as_posix()
    return inside if "/" in pattern or "**" in pattern else place.name


def _tidy(pattern: str) -> str:
    return pattern.removeprefix("./")
