"""The options that say what an app can afford."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click

from anecheck.cli.options import completed, with_options
from anecheck.lint.asked.wanted import Wanted, positive, share, size
from anecheck.predict.budget import LOAD, RESIDENCY

F = TypeVar("F", bound=Callable[..., Any])


def _reader(read: Callable[[object], float]) -> Callable[[click.Context, click.Parameter, str | None], float | None]:
    """What reads an option's value; what it refuses is a usage error."""

    def convert(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
        try:
            return None if value is None else read(value)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from error

    return convert


def budget_options(command: F) -> F:
    """Add the options that say what an app can afford; they arrive as one `wanted`. All are off unless given."""

    def pack(given: dict[str, Any]) -> dict[str, Any]:
        own = {field.name: given.pop(field.name) for field in fields(Wanted)}
        own["beside"] = tuple(map(Path, own["beside"])) or None
        return {"wanted": Wanted(**own)}

    options = (
        click.option(
            "--fps", callback=_reader(positive), metavar="RATE", help="Frames a second, the model running in each."
        ),
        click.option(
            "--headroom",
            callback=_reader(share),
            metavar="SHARE",
            help="What of a frame is kept for the system.  [default: 20%]",
        ),
        click.option(
            "--sustained",
            callback=_reader(positive),
            metavar="MINUTES",
            help="How many minutes the rate has to hold for, in the heat that this makes.",
        ),
        click.option(
            "--residency", type=click.Choice(list(RESIDENCY)), help="Memory of a model resident alone, or always."
        ),
        click.option("--load", type=click.Choice(list(LOAD)), help="Loading where a person waits, or a camera."),
        click.option(
            "--memory-limit",
            callback=_reader(size),
            metavar="SIZE",
            help="Memory for weights and working set together.",
        ),
        click.option(
            "--with",
            "beside",
            multiple=True,
            metavar="PATH",
            shell_complete=completed("path"),
            help="Another model that runs in the same frame: they share the engine, so their times add. Repeatable.",
        ),
    )
    return with_options(command, options, pack)
