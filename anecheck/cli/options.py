"""Options and arguments that several commands share."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from anecheck.lint.reports import Report
from anecheck.report.escape import visible

if TYPE_CHECKING:  # only a shell that completes needs it
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_WIDTH = 80
EXIT_UNREADABLE = 3
"""What a command exits with where some model could not be read."""


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


def completed(kind: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """What a shell offers for an argument of some kind (see `anecheck.cli.completion`, imported when a shell asks)."""

    def offered(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from anecheck.cli.completion import KINDS  # noqa: PLC0415

        return KINDS[kind](incomplete)

    return offered


def use_colour(choice: str) -> bool:
    """Whether to colour the standard output: as asked, or where it is a terminal and NO_COLOR is not set."""
    if choice != "auto":
        return choice == "always"
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def output_width() -> int:
    """The width of the terminal in columns, or 80 where there is none, or one that does not say (as pre-commit's)."""
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return DEFAULT_WIDTH
    return max(40, min(columns, 120)) if columns else DEFAULT_WIDTH


def carries_blocks() -> bool:
    """Whether the standard output's encoding carries the block characters of a chart, and with them any other."""
    try:
        "▁▂▃▄▅▆▇█▼┤│└─→–…".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def write_report(text: str, output_file: str | None, *, append: bool = False) -> None:
    """Print a report, or write it to a file, or after what is there; a file that cannot be written is a usage error."""
    if output_file is None:
        click.echo(text.rstrip("\n"), color=True)
        return
    try:
        with Path(output_file).open("a" if append else "w", encoding="utf-8") as file:
            file.write(("\n" if append and file.tell() else "") + text.rstrip("\n") + "\n")
    except OSError as error:
        raise click.UsageError(f"cannot write '{output_file}': {error.strerror}") from error


def complain(report: Report) -> None:
    """Say on the standard error which models could not be read: a table has no place for it."""
    for model in report.models:
        if model.error:
            click.echo(f"{visible(model.path)}: {model.error.code} {visible(model.error.message)}", err=True)
