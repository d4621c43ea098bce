"""Which models the paths of a command line mean: packages, files inside them, folders, and `@list` files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGES = (".mlpackage", ".mlmodelc")
MODEL_FILE = ".mlmodel"
SIDECAR = ".anecheck.json"


class ListFileError(Exception):
    """An `@list` file could not be read."""


def find_models(paths: Iterable[str]) -> list[Path]:
    """Turn the paths of a command line into models, in the order given, each once.

    A package stays itself, a file inside a package means the package, a folder means every model below it (sorted; hidden
    folders and links to folders are not followed), and `@file` means the paths on that file's lines (`#` starts a
    comment), unless something is there under that very name. A path that is none of these, or that does not exist, stays
    in the list: reading it gives the diagnostic.

    Raises:
        ListFileError: an `@list` file is missing or unreadable.
    """
    found: dict[str, Path] = {}
    for path in _expand_lists(paths):
        for model in _models_of(Path(path)):
            found.setdefault(_identity(model), model)
    return list(found.values())


def sidecar_of(model: Path) -> Path:
    """Where the file is, or would be, that says where a model's operations come from (`sidecar.py`)."""
    is_known = model.suffix.lower() in {*PACKAGES, MODEL_FILE}
    return model.parent / ((model.stem if is_known else model.name) + SIDECAR)


def _expand_lists(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        if not path.startswith("@") or os.path.lexists(path):
            yield path
            continue
        try:
            lines = Path(path[1:]).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise ListFileError(f"cannot read the list of models '{path[1:]}': {reason}") from error
        yield from (line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _identity(path: Path) -> str:
    """The same for every spelling of a path, links followed."""
    try:
        return os.path.realpath(path)
    except ValueError:  # a NUL, from a list; reading the path says so
        return str(path)


def _models_of(path: Path) -> list[Path]:
    try:
        package = _package_around(path)
        if package is not None:
            return [package]
        if path.is_dir():
            return sorted(_search(path)) or [path]
    except OSError:
        pass  # too long a name, or a loop of links: reading the path says so
    return [path]


def _package_around(path: Path) -> Path | None:
    """The outermost package that `path` is or lies in (a package may hold folders that are named like one)."""
    candidates = [place for place in (path, *path.parents) if place.suffix.lower() in PACKAGES]
    if candidates:
        return candidates[-1]
    full = Path(os.path.normpath(path.absolute()))  # called from inside a package
    above = [place for place in (full, *full.parents) if place.suffix.lower() in PACKAGES]
    return above[-1] if above and path.exists() else None


def _search(folder: Path) -> Iterator[Path]:
    closed: list[Path] = []
    for root, folders, files in os.walk(folder, onerror=lambda error: closed.append(Path(error.filename))):
        for name in list(folders):
            if Path(name).suffix.lower() in PACKAGES:
                yield Path(root) / name
                folders.remove(name)
            elif name.startswith("."):
                folders.remove(name)
        yield from (Path(root) / name for name in files if Path(name).suffix.lower() in {MODEL_FILE, *PACKAGES})
    yield from closed  # reading them says why they are closed


def shown(text: str | Path) -> str:
    """A path or a name as text that can be written: bytes that are no UTF-8, which file names may hold, become escapes."""
    return str(text).encode("utf-8", "backslashreplace").decode("utf-8")
