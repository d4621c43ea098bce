"""`anecheck.toml`, or `[tool.anecheck]` in `pyproject.toml`: found upward from each model, the nearest one counts."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any, Final

import tomli
from pydantic import BaseModel, ValidationError

from anecheck.knowledge.tables import Knowledge, UnknownLimitError
from anecheck.knowledge.target import UnknownTargetError, parse_target
from anecheck.lint.asked.discovery import SHARED_FILE
from anecheck.lint.asked.globs import fits
from anecheck.lint.asked.options import NOTHING_ASKED, Options, RuleOptions, Selection
from anecheck.lint.asked.tables import BudgetTable, JudgedTable, ModelTable, RuleTable, SuppressTable, Tables
from anecheck.lint.asked.wanted import SettingError, Wanted
from anecheck.lint.registry import Registry, UnknownRuleError
from anecheck.lint.waivers import Waiver

SUPPRESS_HEADER: Final = re.compile(
    r"^\s*\[\[\s*(?:tool\s*\.\s*[\"']?anecheck[\"']?\s*\.\s*)?suppress\s*\]\]", re.MULTILINE
)


class ConfigurationError(SettingError):
    """A configuration that cannot be used: which file, where in it, and what to do."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What one part of a configuration asks of a model, and where it says so."""

    origin: str
    options: Options


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration, the file that it stands in, and the one that it extends."""

    file: Path
    tables: Tables
    prefix: str = ""
    """The table of the file that was read: empty for all of it, or "tool.anecheck"."""
    suppress_lines: tuple[int, ...] = ()
    parent: Configuration | None = None

    @property
    def folder(self) -> Path:
        """Where paths and globs are meant from."""
        return self.file.parent

    def layers(self, model: Path) -> list[Layer]:
        """What is asked of a model, by whom: what this file extends, then what it says of all, then each section that fits."""
        layers = self.parent.layers(model) if self.parent else []
        layers.append(Layer(str(self.file), _options(self.tables, self.folder, model)))
        for number, table in enumerate(self.tables.models, 1):
            if fits(model, table.path, self.folder):
                origin = f"{self.file}, section {number} of [[models]] ({', '.join(table.path)})"
                layers.append(Layer(origin, _options(table, self.folder, model)))
        return layers

    def options(self, model: Path) -> Options:
        """What is asked of a model: the last section that fits has the last word, then what is said of all."""
        return reduce(lambda under, layer: layer.options.over(under), self.layers(model), NOTHING_ASKED)

    def waivers(self, registry: Registry) -> list[tuple[Waiver, tuple[str, ...], Path]]:
        """What is excused, each with the globs of models that it fits and the folder that these are meant from."""
        inherited = self.parent.waivers(registry) if self.parent else []
        lines = (*self.suppress_lines, *(1 for _ in self.tables.suppress))
        own = [
            (_waiver(table, registry, self.file, line), table.model, self.folder)
            for table, line in zip(self.tables.suppress, lines, strict=False)
        ]
        return inherited + own

    def said(self, name: str) -> tuple[Any, Configuration] | None:
        """A setting of the run, with the configuration of this one and those it extends that says it first."""
        if name in self.tables.model_fields_set:
            return getattr(self.tables, name), self
        return self.parent.said(name) if self.parent else None

    @property
    def baseline(self) -> Path | None:
        """The baseline that is named; `None` where none is."""
        found = self.said("baseline")
        return found[1].folder / found[0] if found and found[0] else None

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats of the report."""
        found = self.said("format")
        return tuple(found[0]) if found else ()

    def includes(self, model: Path) -> bool:
        """Whether a model is one of those that are linted where nobody names any."""
        found = self.said("include")
        globs, folder = (found[0], found[1].folder) if found else (self.tables.include, self.folder)
        return fits(model, globs, folder) and not self.excludes(model)

    def excludes(self, model: Path) -> bool:
        """Whether a model is linted only where it is named itself."""
        found = self.said("exclude")
        return found is not None and fits(model, found[0], found[1].folder)

    def check(self, registry: Registry, knowledge: Knowledge) -> None:
        """See whether rules, targets and limits that are named exist.

        Raises:
            ConfigurationError: one does not; names what is near.

        """
        if self.parent:
            self.parent.check(registry, knowledge)
        for place, table in self._judged():
            try:
                _check(table, registry, knowledge)
            except _WrongError as error:
                raise self._error(place, error.key, error) from error.__cause__
        for number, suppressed in enumerate(self.tables.suppress, 1):
            try:
                registry.find(suppressed.rule)
            except UnknownRuleError as error:
                raise self._error(f"suppress.{number}", "rule", error) from error

    def _judged(self) -> Iterator[tuple[str, JudgedTable]]:
        yield "", self.tables
        for number, table in enumerate(self.tables.models, 1):
            yield f"models.{number}", table

    def _error(self, place: str, key: str, error: Exception) -> ConfigurationError:
        where = ".".join(filter(None, (self.prefix, place, key)))
        return ConfigurationError(f"{self.file}: {where}: {error}")


class _WrongError(Exception):
    """A table names something that does not exist, under `key`."""

    def __init__(self, key: str, cause: Exception) -> None:
        super().__init__(str(cause))
        self.key = key
        self.__cause__ = cause


def _check(table: JudgedTable, registry: Registry, knowledge: Knowledge) -> None:
    for key, selectors in (("select", table.select), ("extend-select", table.extend_select), ("ignore", table.ignore)):
        for selector in selectors:
            _find(key, selector, registry)
    for target in table.target:
        try:
            parse_target(target, knowledge)
        except UnknownTargetError as error:
            raise _WrongError("target", error) from error
    _check_limits("limits", table.limits)
    for selector, rule in table.rules.items():
        known = {name for entry in _find("rules", selector, registry) for name in getattr(entry, "limits", ())}
        _check_limits(f"rules.{selector}.limits", {name: rule.limits[name] for name in rule.limits if name in known})
        for name in rule.limits:
            if name not in known:
                near = difflib.get_close_matches(name, sorted(known), n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(sorted(known)) or 'none'}"
                raise _WrongError(f"rules.{selector}.limits", ValueError(f"the rule has no limit '{name}'; {hint}"))


def _find(key: str, selector: str, registry: Registry) -> tuple[object, ...]:
    try:
        return registry.find(selector)
    except UnknownRuleError as error:
        raise _WrongError(key, error) from error


def _check_limits(key: str, limits: Mapping[str, float]) -> None:
    try:
        Knowledge(limits)
    except UnknownLimitError as error:
        raise _WrongError(key, error) from error


def _options(table: JudgedTable, folder: Path, model: Path) -> Options:
    selection = Selection(table.select, table.extend_select, table.ignore)
    return Options(
        table.target,
        table.compute_units,
        (selection,) if selection else (),
        tuple(table.limits.items()),
        tuple(_rule(selector, rule) for selector, rule in table.rules.items()),
        _wanted(table.budgets, folder, model),
        table.fail_on,
    )


def _rule(selector: str, table: RuleTable) -> RuleOptions:
    return RuleOptions(selector, table.severity, tuple(table.limits.items()))


def _wanted(table: BudgetTable, folder: Path, model: Path) -> Wanted:
    """Budgets as options give them: paths taken from the file's folder, and a model is not beside itself."""
    wanted = Wanted(**{name: value for name, value in table if name != "beside"})
    if table.beside is None:
        return wanted
    itself = os.path.realpath(model)
    beside = (folder / path for path in table.beside)
    return replace(wanted, beside=tuple(path for path in beside if os.path.realpath(path) != itself))


def _waiver(table: SuppressTable, registry: Registry, file: Path, line: int) -> Waiver:
    codes = frozenset(entry.code for entry in registry.find(table.rule))
    globs = ", ".join(table.model)
    return Waiver(table.rule, codes, table.reason.strip(), table.operation, globs, table.expires, file, line)


def read_configuration(file: Path, extended_by: tuple[Path, ...] = ()) -> Configuration:
    """Read a configuration file, and those that it extends. A `pyproject.toml` without a table for anecheck says nothing.

    Raises:
        ConfigurationError: one cannot be read, or says something that is not understood.

    """
    text = _text(file)
    try:
        content = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: {error}") from error
    prefix = ""
    if file.name == SHARED_FILE:
        tool = content.get("tool", {})
        content, prefix = tool.get("anecheck", {}) if isinstance(tool, dict) else {}, "tool.anecheck"
    tables = _tables(file, content, prefix)
    lines = tuple(text.count("\n", 0, found.end()) + 1 for found in SUPPRESS_HEADER.finditer(text))
    parent = _parent(file, tables.extend, (*extended_by, file)) if tables.extend else None
    return Configuration(file, tables, prefix, lines, parent)


def _parent(file: Path, extended: str, chain: tuple[Path, ...]) -> Configuration:
    other = Path(os.path.normpath(file.parent / extended))
    if other in chain:
        raise ConfigurationError(f"{file}: extend: '{extended}' extends this file itself")
    return read_configuration(other, chain)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file}: it is no UTF-8 text") from error


def _tables(file: Path, content: Mapping[str, Any], prefix: str) -> Tables:
    try:
        return Tables.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError(f"{file}: {_first(error, prefix)}") from error


def _first(error: ValidationError, prefix: str) -> str:
    """The first thing wrong, in the words of somebody who wrote the file; `prefix` is the table that was read."""
    errors = error.errors()
    first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
    place = ".".join(map(str, filter(None, (prefix, *(_place(part) for part in first["loc"])))))
    if first["type"] in {"model_type", "dict_type", "model_attributes_type"}:
        return f"{place}: write a table"
    if first["type"] in {"tuple_type", "list_type"}:
        return f"{place}: write a list"
    if first["type"] == "extra_forbidden":
        name = str(first["loc"][-1])
        near = difflib.get_close_matches(name, sorted(_names()), n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return f"there is no setting '{place}'{hint}"
    return f"{place}: {str(first['msg']).removeprefix('Value error, ')}"


def _place(part: str | int) -> str:
    """A key, or which of several tables, counted from 1."""
    return part if isinstance(part, str) else str(part + 1)


def _names() -> set[str]:
    tables: tuple[type[BaseModel], ...] = (Tables, BudgetTable, ModelTable, RuleTable, SuppressTable)
    return {field.alias or name for table in tables for name, field in table.model_fields.items()}
