"""`anecheck footprint`: how much memory is live when, and how long a prediction takes."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from anecheck.cli.budgets import budget_options
from anecheck.cli.judgement import JudgementOptions, Session, judgement_options, usage_errors
from anecheck.cli.options import (
    EXIT_UNREADABLE,
    carries_blocks,
    complain,
    completed,
    output_width,
    use_colour,
    write_report,
)
from anecheck.cli.progress import before_each
from anecheck.lint.asked.settings import Detail
from anecheck.lint.asked.wanted import NOTHING_WANTED, Wanted
from anecheck.lint.reports import Report
from anecheck.lint.run import run


@click.command("footprint", short_help="Say how much memory and time a model takes.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=completed("path"))
@judgement_options
@budget_options
@click.option("--format", "format_", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True)
@click.option(
    "--output-file", "-o", type=click.Path(dir_okay=False), help="Write the report there instead of printing it."
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option("--quiet", "-q", is_flag=True, help="Only the totals of each function and model (text only).")
def command(
    paths: tuple[str, ...],
    judgement: JudgementOptions,
    wanted: Wanted,
    format_: str,
    output_file: str | None,
    color: str,
    quiet: bool,
) -> None:
    """Say what is live in memory when, who holds the peak, what is streamed, and how long a prediction takes.

    PATH is as for `lint`. Times are estimates for one target, as operations are predicted to be placed on it. MB are of
    a million bytes. Exit code: 0, 2 wrong usage, 3 a model could not be read (the others are still shown).
    """
    if len(set(judgement.targets)) > 1:
        raise click.UsageError("a footprint is worked out for one --target at a time")
    plan = Session(judgement, wanted, detail=Detail(footprint=True)).plan(paths)
    with usage_errors():
        report = run(plan, before_each(len(plan.tasks), quiet=False))
    colour = use_colour(color) and output_file is None
    ascii_only = output_file is None and not carries_blocks()
    asked = wanted != NOTHING_WANTED
    render = _renderer(format_, colour=colour, quiet=quiet, ascii_only=ascii_only, budgets=asked)
    write_report(render(report), output_file)
    if format_ == "csv":
        complain(report)
    sys.exit(EXIT_UNREADABLE if any(model.error for model in report.models) else 0)


def _renderer(format_: str, *, colour: bool, quiet: bool, ascii_only: bool, budgets: bool) -> Callable[[Report], str]:
    """What writes a format; only the one in use is imported."""
    if format_ == "json":
        from anecheck.report import json  # noqa: PLC0415

        return json.render
    if format_ == "csv":
        from anecheck.report import footprint_csv  # noqa: PLC0415

        return footprint_csv.render
    from anecheck.report import footprint  # noqa: PLC0415

    return lambda report: footprint.render(
        report, width=output_width(), colour=colour, quiet=quiet, ascii_only=ascii_only, budgets=budgets
    )
