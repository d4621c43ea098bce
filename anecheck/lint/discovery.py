"""Where the configuration of a model is: the nearest `anecheck.toml`, or `pyproject.toml` with a table for anecheck, above it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

OWN_FILE: Final = "anecheck.toml"
SHARED_FILE: Final = "pyproject.toml"
TABLE: Final = b"tool.anecheck"


def configuration_file(model: Path) -> Path | None:
    """The file whose settings hold for a model; `None` where none does. Symbolic links are not followed."""
    return _above(model.absolute().parent)


@cache
def _above(folder: Path) -> Path | None:
    own, shared = folder / OWN_FILE, folder / SHARED_FILE
    if own.is_file():
        return own
    if shared.is_file() and _mentions(shared):
        return shared
    return None if folder.parent == folder else _above(folder.parent)


def _mentions(file: Path) -> bool:
    """Whether a `pyproject.toml` may have a table for anecheck; one that cannot be read has none that anybody could use."""
    try:
        return TABLE in file.read_bytes()
    except OSError:
        return False
