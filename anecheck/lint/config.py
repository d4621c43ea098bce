"""`anecheck.toml`, or `[tool.anecheck]` in `pyproject.toml`: found upward from each model, the nearest one counts."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import tomli
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from anecheck.lint.discovery import SHARED_FILE, absolute
from anecheck.lint.wanted import SettingError, Wanted, positive, share, size

STRICT: Final = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True)


class ConfigurationError(SettingError):
    """A configuration that cannot be used: which file, where in it, and what to do."""


def _several(value: object) -> object:
    """One path stands for a list of one."""
    return [value] if isinstance(value, str) else value


class BudgetTable(BaseModel):
    """What the app can afford, as `lint`'s options of the same names."""

    model_config = STRICT

    fps: Annotated[float, BeforeValidator(positive)] | None = None
    """Frames a second."""
    headroom: Annotated[float, BeforeValidator(share)] | None = None
    """What of a frame is kept for the system, as "20%" or 0.2."""
    sustained: Annotated[float, BeforeValidator(positive)] | None = None
    """Minutes that the rate has to hold for."""
    residency: Literal["single", "always"] | None = None
    load: Literal["cold", "camera"] | None = None
    memory_limit: Annotated[float, BeforeValidator(size)] | None = Field(default=None, alias="memory-limit")
    """Bytes, or a text such as "150MB"."""
    beside: Annotated[tuple[str, ...], BeforeValidator(_several)] | None = Field(default=None, alias="with")
    """Models that run in the same frame, relative to this file; one that is linted itself is not beside itself."""

    def wanted(self, folder: Path) -> Wanted:
        """The same as options give it, paths taken from the file's `folder`."""
        values = {name: value for name, value in self if name != "beside"}
        beside = None if self.beside is None else tuple(folder / path for path in self.beside)
        return Wanted(**values, beside=beside)


class ModelTable(BaseModel):
    """What holds for some models: those whose path from the file's folder, or whose name, fits the glob `path`."""

    model_config = STRICT

    path: str
    budgets: BudgetTable = BudgetTable()


class Tables(BaseModel):
    """A configuration file."""

    model_config = STRICT

    budgets: BudgetTable = BudgetTable()
    models: tuple[ModelTable, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration, and the file that it stands in."""

    file: Path
    tables: Tables

    def wanted(self, model: Path) -> Wanted:
        """What is wanted of a model: the last section that fits it wins, then what is said of all."""
        folder = self.file.parent
        wanted = self.tables.budgets.wanted(folder)
        for table in self.tables.models:
            if _fits(model, table.path, folder):
                wanted = table.budgets.wanted(folder).over(wanted)
        itself = os.path.realpath(model)
        return replace(wanted, beside=tuple(path for path in wanted.beside or () if os.path.realpath(path) != itself))


def read_configuration(file: Path) -> Configuration:
    """Read a configuration file. A `pyproject.toml` without a table for anecheck says nothing.

    Raises:
        ConfigurationError: it cannot be read, or says something that is not understood.

    """
    content, prefix = _read(file), ""
    if file.name == SHARED_FILE:
        tool = content.get("tool", {})
        content, prefix = tool.get("anecheck", {}) if isinstance(tool, dict) else {}, "tool.anecheck"
    return Configuration(file, _tables(file, content, prefix))


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomli.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file}: it is no UTF-8 text") from error
    except tomli.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: {error}") from error


def _tables(file: Path, content: Mapping[str, Any], prefix: str) -> Tables:
    try:
        return Tables.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError(f"{file}: {_first(error, prefix)}") from error


def _first(error: ValidationError, prefix: str) -> str:
    """The first thing wrong, in the words of somebody who wrote the file; `prefix` is the table that was read."""
    first = error.errors()[0]
    place = ".".join(map(str, filter(None, (prefix, *(_place(part) for part in first["loc"])))))
    if first["type"] in {"model_type", "dict_type", "model_attributes_type"}:
        return f"{place}: write a table"
    if first["type"] in {"tuple_type", "list_type"}:
        return f"{place}: write a list"
    if first["type"] == "extra_forbidden":
        name = str(first["loc"][-1])
        near = difflib.get_close_matches(name, sorted(_names(Tables)), n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return f"there is no setting '{place}'{hint}"
    return f"{place}: {str(first['msg']).removeprefix('Value error, ')}"


def _place(part: str | int) -> str:
    """A key, or which of several tables, counted from 1."""
    return part if isinstance(part, str) else str(part + 1)


def _names(kind: type[BaseModel]) -> set[str]:
    names = set()
    for table in (kind, BudgetTable, ModelTable):
        names |= {field.alias or name for name, field in table.model_fields.items()}
    return names


def _fits(model: Path, glob: str, folder: Path) -> bool:
    place = absolute(model)
    try:
        inside = place.relative_to(folder).as_posix()
    except ValueError:
        inside = place.as_posix()
    return fnmatch(inside, glob) or fnmatch(place.name, glob)
