"""What a model is judged for and by: the options that several commands share, and what they mean with the configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from anecheck.artifact.locate import ListFileError, find_models
from anecheck.cli.options import completed, with_options
from anecheck.knowledge.tables import UnknownLimitError
from anecheck.knowledge.target import DEFAULT_TARGET, ComputeUnits, UnknownTargetError
from anecheck.lint.asked.discovery import absolute
from anecheck.lint.asked.options import Options, Selection
from anecheck.lint.asked.settings import NO_DETAIL, Detail
from anecheck.lint.asked.wanted import NOTHING_WANTED, SettingError, Wanted
from anecheck.lint.plan import Asked, Configurations, Plan, make_plan
from anecheck.lint.registry import UnknownRuleError, load_registry

F = TypeVar("F", bound=Callable[..., Any])


class JudgementOptions(NamedTuple):
    """What the options of `judgement_options` were given."""

    targets: tuple[str, ...]
    compute_units: str | None
    select: tuple[str, ...]
    extend_select: tuple[str, ...]
    ignore: tuple[str, ...]
    limits: tuple[str, ...]
    configuration: str | None
    isolated: bool
    model_ignores: bool

    def options(self, wanted: Wanted = NOTHING_WANTED, fail_on: str | None = None) -> Options:
        """The same as a run takes it.

        Raises:
            UsageError: a limit is no number.

        """
        selection = Selection(_split(self.select), _split(self.extend_select), _split(self.ignore))
        return Options(
            self.targets,
            self.compute_units,
            (selection,) if selection else (),
            tuple(map(_limit, self.limits)),
            budgets=wanted,
            fail_on=fail_on,
        )


def judgement_options(command: F) -> F:
    """Add the options that say what a model is judged for, and by which rules; they arrive as one `judgement`."""

    def pack(given: dict[str, Any]) -> dict[str, Any]:
        own = {name: given.pop(name) for name in JudgementOptions._fields}
        return {"judgement": JudgementOptions(**own)}

    options = (
        click.option(
            "--target",
            "targets",
            multiple=True,
            metavar="NAME[/OS]",
            shell_complete=completed("target"),
            help=f"A chip (a17pro), device (iphone-15-pro) or family (h16), e.g. m4/macos26. Repeatable. "
            f"Default: {DEFAULT_TARGET}.",
        ),
        click.option(
            "--compute-units",
            type=click.Choice([units.value for units in ComputeUnits]),
            help="Which devices the app lets Core ML use.  [default: cpu-and-ne]",
        ),
        click.option(
            "--select",
            multiple=True,
            metavar="RULES",
            shell_complete=completed("rules"),
            help="Only these rules: codes, prefixes or names, by comma.",
        ),
        click.option(
            "--extend-select",
            multiple=True,
            metavar="RULES",
            shell_complete=completed("rules"),
            help="These rules as well.",
        ),
        click.option(
            "--ignore", multiple=True, metavar="RULES", shell_complete=completed("rules"), help="Not these rules."
        ),
        click.option(
            "--limit",
            "limits",
            multiple=True,
            metavar="NAME=VALUE",
            help="Judge by another limit than the known one (`anecheck rule CODE` names a rule's limits). Repeatable.",
        ),
        click.option(
            "--config",
            "configuration",
            metavar="FILE",
            shell_complete=completed("path"),
            help="The configuration of all models, in place of the nearest anecheck.toml or pyproject.toml above each.",
        ),
        click.option("--isolated", is_flag=True, help="Heed no configuration."),
        click.option(
            "--no-model-ignores",
            "model_ignores",
            flag_value=False,
            default=True,
            help="Heed nothing that models ask to ignore in their own metadata.",
        ),
    )
    return with_options(command, options, pack)


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turn what somebody set and is not understood into a usage error."""
    try:
        yield
    except (SettingError, UnknownRuleError, UnknownTargetError, UnknownLimitError, ListFileError) as error:
        raise click.UsageError(str(error)) from error


class Session:
    """What a command line means together with the configurations that it meets."""

    def __init__(
        self,
        judgement: JudgementOptions,
        wanted: Wanted = NOTHING_WANTED,
        *,
        fail_on: str | None = None,
        detail: Detail = NO_DETAIL,
        baseline: str | None = None,
        baselines: bool = True,
        force_exclude: bool = False,
    ) -> None:
        if judgement.configuration and judgement.isolated:
            raise click.UsageError("--config and --isolated contradict each other")
        self._registry = load_registry()
        self._force_exclude = force_exclude
        self.asked = Asked(
            judgement.options(wanted, fail_on),
            detail._replace(model_ignores=judgement.model_ignores),
            Path(judgement.configuration) if judgement.configuration else None,
            judgement.isolated,
            Path(baseline) if baseline else None,
            baselines,
        )
        self.configurations = Configurations(self.asked, self._registry)

    def plan(self, paths: Sequence[str]) -> Plan:
        """Plan the linting of what the arguments mean; without any, of what the configuration includes.

        Raises:
            UsageError: something set is not understood, or there is neither an argument nor a configuration.

        """
        with usage_errors():
            return make_plan(self._models(paths), self.asked, self._registry, self.configurations)

    def formats(self) -> tuple[str, ...]:
        """The formats that the configuration of the run asks for."""
        with usage_errors():
            configuration = self.configurations.of_run()
        return configuration.formats if configuration else ()

    def _models(self, paths: Sequence[str]) -> list[Path]:
        if paths:
            return self._without_excluded(find_models(paths), paths)
        configuration = self.configurations.of_run()
        if configuration is None:
            raise click.UsageError("name a PATH, or write an anecheck.toml (`anecheck init`) that says what to lint")
        folder = absolute(configuration.folder)
        models = [model for model in find_models([str(folder)]) if model != folder and configuration.includes(model)]
        return [Path(os.path.relpath(model)) for model in models]

    def _without_excluded(self, models: list[Path], paths: Sequence[str]) -> list[Path]:
        """Leave out what configurations exclude, unless it is named itself by somebody who means that."""
        named = set() if self._force_exclude else set(map(Path, paths))
        return [model for model in models if model in named or not self._is_excluded(model)]

    def _is_excluded(self, model: Path) -> bool:
        configuration = self.configurations.of(model)
        return configuration is not None and configuration.excludes(model)


def _limit(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    try:
        if equals:
            return name.strip(), float(value)
    except ValueError:
        pass
    raise click.UsageError(f"--limit takes NAME=VALUE with a number, such as conv-kernel-width=11, not '{text}'")


def _split(selectors: Sequence[str]) -> tuple[str, ...]:
    return tuple(part for selector in selectors for part in selector.split(",") if part.strip())
