"""`anecheck.toml`, or `[tool.anecheck]` in `pyproject.toml`: found upward from each model, the nearest one counts."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import tomli
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from anecheck.lint.discovery import SHARED_FILE, configuration_file
from anecheck.lint.wanted import SettingError, Wanted, positive, share, size

STRICT: Final = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True)


class ConfigurationError(SettingError):
    """A configuration that cannot be used: which file, where in it, and what to do."""


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
    beside: tuple[str, ...] = Field(default=(), alias="with")
    """Models that run in the same frame, relative to this file."""

    def wanted(self, folder: Path) -> Wanted:
        """The same as options give it, paths taken from the file's `folder`."""
        values = {name: value for name, value in self if name != "beside"}
        return Wanted(**values, beside=tuple(folder / path for path in self.beside))


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
        return wanted


def configuration_of(model: Path) -> Configuration | None:
    """The configuration that holds for a model, if there is one.

    Raises:
        ConfigurationError: it cannot be read, or says something that is not understood.

    """
    file = configuration_file(model)
    return read_configuration(file) if file is not None else None


@cache
def read_configuration(file: Path) -> Configuration:
    """Read a configuration file. A `pyproject.toml` without a table for anecheck says nothing.

    Raises:
        ConfigurationError: it cannot be read, or says something that is not understood.

    """
    content = _read(file)
    if file.name == SHARED_FILE:
        content = content.get("tool", {}).get("anecheck", {})
    return Configuration(file, _tables(file, content))


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomli.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from error


def _tables(file: Path, content: Mapping[str, Any]) -> Tables:
    try:
        return Tables.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError(f"{file}: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    """The first thing wrong, in the words of somebody who wrote the file."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        name = str(first["loc"][-1])
        near = difflib.get_close_matches(name, sorted(_names(Tables)), n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return f"there is no setting '{place}'{hint}"
    return f"{place}: {str(first['msg']).removeprefix('Value error, ')}"


def _names(kind: type[BaseModel]) -> set[str]:
    names = set()
    for table in (kind, BudgetTable, ModelTable):
        names |= {field.alias or name for name, field in table.model_fields.items()}
    return names


def _fits(model: Path, glob: str, folder: Path) -> bool:
    absolute = model.absolute()
    try:
        inside = absolute.relative_to(folder).as_posix()
    except ValueError:
        inside = absolute.as_posix()
    return fnmatch(inside, glob) or fnmatch(absolute.name, glob)
