"""Where the configuration of a model is: the nearest `anecheck.toml`, or `pyproject.toml` with a table for anecheck, above it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

OWN_FILE: Final = "anecheck.toml"
SHARED_FILE: Final = "pyproject.toml"
MENTION: Final = re.compile(rb"""^\s*(?:\[+\s*tool\s*\.\s*["']?anecheck\b|\[\s*tool\s*\]|tool\s*[.=])""", re.MULTILINE)
"""What a `pyproject.toml` with a table for anecheck has somewhere; most others lack it, and are spared being read as TOML."""


def absolute(path: Path) -> Path:
    """A path from the root, without `..`. Symbolic links are not followed: a model is configured where it is named."""
    return Path(os.path.normpath(path.absolute()))


def near(path: Path) -> Path:
    """A path as it is written from the working directory, where it lies below that."""
    place = absolute(path)
    return place.relative_to(Path.cwd()) if place.is_relative_to(Path.cwd()) else path


class Discovery:
    """Finds configuration files, and looks into each folder once."""

    def __init__(self) -> None:
        self._known: dict[Path, Path | None] = {}

    def file_for(self, model: Path) -> Path | None:
        """The file whose settings hold for a model; `None` where none does."""
        found, passed = None, []
        for folder in absolute(model).parents:
            if folder in self._known:
                found = self._known[folder]
                break
            passed.append(folder)
            found = _inside(folder)
            if found is not None:
                break
        self._known.update(dict.fromkeys(passed, found))
        return found


def _inside(folder: Path) -> Path | None:
    """The file of a folder. `os.path` finds no file where a folder is closed or a name too long; `pathlib` would raise."""
    own, shared = folder / OWN_FILE, folder / SHARED_FILE
    if os.path.isfile(own):  # noqa: PTH113
        return own
    if os.path.isfile(shared) and _has_table(shared):  # noqa: PTH113
        return shared
    return None


def _has_table(file: Path) -> bool:
    """Whether a `pyproject.toml` has a table for anecheck; one that cannot be read has none that anybody could use."""
    try:
        content = file.read_bytes()
    except OSError:
        return False
    if not MENTION.search(content):
        return False
    import tomli  # noqa: PLC0415  # most models have no such file above them

    try:
        tool = tomli.loads(content.decode("utf-8")).get("tool")
    except (UnicodeDecodeError, tomli.TOMLDecodeError):
        return b"anecheck" in content  # reading it says what is wrong
    return isinstance(tool, dict) and "anecheck" in tool
