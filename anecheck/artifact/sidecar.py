"""The sidecar of a model, which says where each of its operations comes from in the code that made it.

`Model.mlpackage` has `Model.anecheck.json` beside it, written by `anecheck.capture` at conversion:

    {"format": "anecheck source map", "version": 1,
     "types": ["linear", …], "modules": ["layers.0.fc1", …], "files": ["../net.py", …],
     "functions": {"main": [["linear_0_cast_fp16", 0, 0, 0, 12], …]}}

A row is an operation: the name of its first output, then the places of its type, module and file in those lists, and the line
from 1. What is not known is null. Relative files are meant from the sidecar's folder. In a pipeline a function's name has its
part's before it (`encoder/main`), as in reports.

It is a file like any other, so nothing in it is trusted: it is read whole or refused, and no file that it names is opened.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final, NamedTuple, TypeAlias

from anecheck.artifact.pointer import POINTER_LIMIT, pointer_size

FORMAT: Final = "anecheck source map"
VERSION: Final = 1
LARGEST: Final = 64 << 20
"""Sidecars larger than this many bytes are not read; an operation takes about 50."""
LONGEST: Final = 4096
"""No name, path of a module or path of a file in it is longer than so many characters."""


class Origin(NamedTuple):
    """Where an operation of a `type` comes from: a PyTorch module's path, or a file as the sidecar has it and a line from 1."""

    type: str
    module: str | None = None
    file: str | None = None
    line: int | None = None


Origins: TypeAlias = Mapping[str, Mapping[str, Origin]]
"""By function, then by the name of an operation's first output."""


class SidecarError(ValueError):
    """A sidecar cannot be used; the message says why."""


def write_sidecar(path: Path, functions: Origins) -> None:
    """Write a sidecar, an operation a line, so that a repository shows what changed.

    Raises:
        OSError: it cannot be written there.
    """
    types, modules, files = _Table(), _Table(), _Table()
    rows = {
        label: [
            [name, types.place(origin.type), modules.place(origin.module), files.place(origin.file), origin.line]
            for name, origin in operations.items()
        ]
        for label, operations in functions.items()
    }
    head = {"format": FORMAT, "version": VERSION, "types": [*types], "modules": [*modules], "files": [*files]}
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    listed = (
        f"{json.dumps(label)}: [\n" + ",\n".join(map(json.dumps, operations)) + "\n]"
        for label, operations in rows.items()
    )
    text = "{\n" + ",\n".join([*lines, '"functions": {\n' + ",\n".join(listed) + "\n}"]) + "\n}\n"
    path.write_text(text, encoding="utf-8")


def read_sidecar(path: Path) -> Origins:
    """Read a sidecar.

    Raises:
        SidecarError: it cannot be read, or is no sidecar of a version that is known.
    """
    try:
        content: Any = json.loads(_bytes(path))
    except (ValueError, RecursionError) as error:
        if isinstance(error, SidecarError):
            raise
        raise SidecarError(f"it is not valid JSON ({error})") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SidecarError(f'it is no source map (its "format" is not "{FORMAT}")')
    version = content.get("version")
    if version != VERSION or isinstance(version, bool):
        raise SidecarError(f"its version is not {VERSION}, the one that this anecheck reads")
    tables = (_strings(content, "types"), _strings(content, "modules"), _strings(content, "files"))
    functions = content.get("functions")
    if not isinstance(functions, dict):
        raise SidecarError('its "functions" are no object')
    return {label: _operations(label, rows, tables) for label, rows in functions.items()}


def _bytes(path: Path) -> bytes:
    """The content of a file that is one, and not too large."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise SidecarError("it is no file")
        if found.st_size > LARGEST:
            raise SidecarError(f"it is larger than {LARGEST:,} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise SidecarError(f"it cannot be read: {error.strerror}") from error
    if pointer_size(data[:POINTER_LIMIT]) is not None:
        raise SidecarError("it is a Git LFS pointer; fetch it with `git lfs pull`")
    return data


def _strings(content: dict[str, Any], key: str) -> list[str]:
    found = content.get(key)
    if not isinstance(found, list) or not all(map(_is_name, found)):
        raise SidecarError(f'its "{key}" are no list of names')
    return found


def _operations(label: str, rows: object, tables: tuple[list[str], list[str], list[str]]) -> dict[str, Origin]:
    if not isinstance(rows, list):
        raise SidecarError(f"what it says of the function {label[:80]!a} is no list")
    operations = {}
    for number, row in enumerate(rows, start=1):
        origin = _origin(row, tables)
        if origin is None:
            raise SidecarError(f"row {number} of the function {label[:80]!a} is no operation")
        operations[row[0]] = origin
    return operations


def _origin(row: object, tables: tuple[list[str], list[str], list[str]]) -> Origin | None:
    """What a row says; nothing if it is none."""
    if not isinstance(row, list) or len(row) != 5 or not _is_name(row[0]):
        return None
    *places, line = row[1:]
    if places[0] is None or not all(
        place is None or _is_below(place, len(t)) for place, t in zip(places, tables, strict=True)
    ):
        return None
    if line is not None and not (_is_below(line, 1 << 31) and line > 0):
        return None
    kind, module, file = (None if place is None else table[place] for place, table in zip(places, tables, strict=True))
    return Origin(kind or "", module, file, line if file is not None else None)


def _is_below(value: object, limit: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < limit


def _is_name(value: object) -> bool:
    """Whether a value is text that a report can hold: not empty, no half of a character, and not without end."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST:
        return False
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


class _Table:
    """Strings, each once, by the order of their first use."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, text: str | None) -> int | None:
        return None if text is None else self._places.setdefault(text, len(self._places))

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)


def from_folder(folder: str, file: str) -> str:
    """A file as a sidecar in `folder` has it, as seen from where the folder is named; an absolute one stays as it is."""
    if PurePosixPath(file).is_absolute() or PureWindowsPath(file).is_absolute():
        return file
    return Path(os.path.normpath(os.path.join(folder, file))).as_posix()  # noqa: PTH118  # `pathlib` keeps `..`
