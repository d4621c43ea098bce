"""Options and arguments that several commands share."""

from __future__ import annotations

import functools
import gc
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from anecheck.artifact.locate import ListFileError, find_models
from anecheck.knowledge.tables import Knowledge, UnknownLimitError
from anecheck.knowledge.target import DEFAULT_TARGET, ComputeUnits, Target, UnknownTargetError, parse_target
from anecheck.lint.registry import UnknownRuleError, load_registry
from anecheck.lint.reports import Report
from anecheck.lint.run import Settings
from anecheck.lint.wanted import NOTHING_WANTED, Wanted
from anecheck.report.escape import visible

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_WIDTH = 80
EXIT_UNREADABLE = 3
"""What a command exits with where some model could not be read."""


@dataclass(frozen=True, slots=True)
class JudgementOptions:
    """What the options of `judgement_options` were given."""

    targets: tuple[str, ...]
    compute_units: str
    select: tuple[str, ...]
    extend_select: tuple[str, ...]
    ignore: tuple[str, ...]
    limits: tuple[str, ...]


def judgement_options(command: F) -> F:
    """Add the options that say what a model is judged for, and by which rules; they arrive as one `judgement`."""

    def pack(given: dict[str, Any]) -> dict[str, Any]:
        own = {field.name: given.pop(field.name) for field in fields(JudgementOptions)}
        return {"judgement": JudgementOptions(**own)}

    options = (
        click.option(
            "--target",
            "targets",
            multiple=True,
            metavar="NAME[/OS]",
            help=f"A chip (a17pro), device (iphone-15-pro) or family (h16), e.g. m4/macos26. Repeatable. "
            f"Default: {DEFAULT_TARGET}.",
        ),
        click.option(
            "--compute-units",
            type=click.Choice([units.value for units in ComputeUnits]),
            default=ComputeUnits.CPU_AND_NE.value,
            show_default=True,
            help="Which devices the app lets Core ML use.",
        ),
        click.option(
            "--select", multiple=True, metavar="RULES", help="Only these rules: codes, prefixes or names, by comma."
        ),
        click.option("--extend-select", multiple=True, metavar="RULES", help="These rules as well."),
        click.option("--ignore", multiple=True, metavar="RULES", help="Not these rules."),
        click.option(
            "--limit",
            "limits",
            multiple=True,
            metavar="NAME=VALUE",
            help="Judge by another limit than the known one (`anecheck rule CODE` names a rule's limits). Repeatable.",
        ),
    )
    return with_options(command, options, pack)


def with_options(
    command: F, options: Sequence[Callable[[Any], Any]], pack: Callable[[dict[str, Any]], dict[str, Any]]
) -> F:
    """Add options to a command; `pack` takes what they were given out of its arguments, and returns what stands for them."""

    @functools.wraps(command)
    def packed(**given: Any) -> Any:  # noqa: ANN401  # click hands over whatever the options hold
        return command(**pack(given), **given)

    decorated: Any = packed
    for option in reversed(options):
        decorated = option(decorated)
    return cast("F", decorated)


def make_settings(
    judgement: JudgementOptions, wanted: Wanted = NOTHING_WANTED, *, operations: bool = False, footprint: bool = False
) -> Settings:
    """Turn what the options were given into settings; what is not understood is a usage error."""
    registry = load_registry()
    try:
        knowledge = Knowledge(dict(map(_limit, judgement.limits)))
        selected = registry.selected(
            _split(judgement.select), _split(judgement.ignore), _split(judgement.extend_select)
        )
        silenced = registry.silenced(_split(judgement.ignore))
        judged = tuple(parse_target(target, knowledge) for target in judgement.targets or [DEFAULT_TARGET])
    except (UnknownRuleError, UnknownTargetError, UnknownLimitError) as error:
        raise click.UsageError(str(error)) from error
    unique: tuple[Target, ...] = tuple(dict.fromkeys(judged))
    return Settings(
        registry.rules,
        unique,
        ComputeUnits(judgement.compute_units),
        knowledge,
        registry.errors,
        selected,
        silenced,
        operations,
        wanted,
        footprint,
    )


def _limit(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    try:
        if equals:
            return name.strip(), float(value)
    except ValueError:
        pass
    raise click.UsageError(f"--limit takes NAME=VALUE with a number, such as conv-kernel-width=11, not '{text}'")


def locate(paths: Sequence[str]) -> list[Path]:
    """Find the models that the arguments mean; an unreadable list is a usage error."""
    try:
        return find_models(paths)
    except ListFileError as error:
        raise click.UsageError(str(error)) from error


def use_colour(choice: str) -> bool:
    """Whether to colour the standard output: as asked, or where it is a terminal and NO_COLOR is not set."""
    if choice != "auto":
        return choice == "always"
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def output_width() -> int:
    """The width of the terminal in columns, or 80 where there is none."""
    try:
        return max(40, min(os.get_terminal_size(sys.stdout.fileno()).columns, 120))
    except (OSError, ValueError):
        return DEFAULT_WIDTH


def carries_blocks() -> bool:
    """Whether the standard output's encoding carries the block characters of a chart, and with them any other."""
    try:
        "▁▂▃▄▅▆▇█▼┤│└─→–…".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def write_report(text: str, output_file: str | None) -> None:
    """Print a report, or write it to a file; a file that cannot be written is a usage error."""
    if output_file is None:
        click.echo(text.rstrip("\n"), color=True)
        return
    try:
        Path(output_file).write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"cannot write '{output_file}': {error.strerror}") from error


def collect_garbage(_: Path) -> None:
    """Drop what the last model left: the garbage collector does not run by itself (see `anecheck.cli.main`)."""
    gc.collect()


def complain(report: Report) -> None:
    """Say on the standard error which models could not be read: a table has no place for it."""
    for model in report.models:
        if model.error:
            click.echo(f"{visible(model.path)}: {model.error.code} {visible(model.error.message)}", err=True)


def _split(selectors: Sequence[str]) -> list[str]:
    return [part for selector in selectors for part in selector.split(",") if part.strip()]
