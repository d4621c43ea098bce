"""The settings that count for a model, each with where it is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anecheck.knowledge.target import DEFAULT_TARGET
from anecheck.lint.asked.options import Options
from anecheck.lint.asked.settings import DEFAULT_COMPUTE_UNITS, DEFAULT_FAIL_ON
from anecheck.lint.asked.wanted import Wanted
from anecheck.lint.plan import Asked
from anecheck.predict.budget import HEADROOM

if TYPE_CHECKING:
    from anecheck.lint.asked.config import Configuration

COMMAND_LINE: Final = "the command line"
NOBODY: Final = "default"
OF_RUN: Final = ("baseline", "format", "include", "exclude")
"""Settings that no section has."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting by the name that a configuration has for it, its value, and who said so."""

    name: str
    value: Any
    origin: str


def effective(asked: Asked, configuration: Configuration | None, model: Path) -> list[Setting]:
    """The settings of a model. Of those that only one can set, the last word; what adds up stands there once for each."""
    layers = [(NOBODY, _defaults())]
    if configuration:
        layers += [(layer.origin, layer.options) for layer in configuration.layers(model)]
    layers.append((COMMAND_LINE, asked.options))
    settled: dict[str, Setting] = {}
    added: list[Setting] = []
    for origin, options in layers:
        for name, value in _single(options):
            settled[name] = Setting(name, value, origin)
        added += [Setting(name, value, origin) for name, value in _adding(options)]
    run = [*_of_run(configuration)] if configuration else []
    return [*settled.values(), *added, *run]


def _defaults() -> Options:
    budgets = Wanted(headroom=HEADROOM)
    return Options((DEFAULT_TARGET,), DEFAULT_COMPUTE_UNITS, budgets=budgets, fail_on=DEFAULT_FAIL_ON)


def _single(options: Options) -> Iterator[tuple[str, Any]]:
    if options.targets:
        yield "target", list(options.targets)
    if options.compute_units:
        yield "compute-units", options.compute_units
    if options.fail_on:
        yield "fail-on", options.fail_on
    for field in fields(options.budgets):
        value = getattr(options.budgets, field.name)
        if value is not None:
            name = "with" if field.name == "beside" else field.name.replace("_", "-")
            yield f"budgets.{name}", [str(path) for path in value] if isinstance(value, tuple) else value
    for name, limit in options.limits:
        yield f"limits.{name}", limit
    for rule in options.rules:
        if rule.severity is not None:
            yield f"rules.{rule.selector}.severity", rule.severity.value
        for name, limit in rule.limits:
            yield f"rules.{rule.selector}.limits.{name}", limit


def _adding(options: Options) -> Iterator[tuple[str, Any]]:
    for selection in options.selections:
        for name, selectors in (
            ("select", selection.select),
            ("extend-select", selection.extend),
            ("ignore", selection.ignore),
        ):
            if selectors:
                yield name, list(selectors)


def _of_run(configuration: Configuration) -> Iterator[Setting]:
    for name in OF_RUN:
        found = configuration.said(name)
        if found:
            value = list(found[0]) if isinstance(found[0], tuple) else found[0]
            yield Setting(name, value, str(found[1].file))
    number = len(configuration.tables.suppress)
    if number:
        yield Setting("suppress", number, str(configuration.file))
