"""`anecheck placement`: where each operation is predicted to run, and what would change that."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from anecheck.cli.judgement import JudgementOptions, Session, judgement_options, usage_errors
from anecheck.cli.options import (
    EXIT_UNREADABLE,
    collect_garbage,
    complain,
    output_width,
    use_colour,
    write_report,
)
from anecheck.lint.reports import Report
from anecheck.lint.run import run
from anecheck.lint.settings import Detail


@click.command("placement", short_help="Predict where each operation runs.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@judgement_options
@click.option("--format", "format_", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True)
@click.option("--operations", is_flag=True, help="List every operation (text only: JSON and CSV always do).")
@click.option(
    "--output-file", "-o", type=click.Path(dir_okay=False), help="Write the report there instead of printing it."
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option("--quiet", "-q", is_flag=True, help="Only the totals of each function (text only).")
def command(
    paths: tuple[str, ...],
    judgement: JudgementOptions,
    format_: str,
    operations: bool,
    output_file: str | None,
    color: str,
    quiet: bool,
) -> None:
    """Predict where Core ML places each operation: the Neural Engine (ane), the GPU or the CPU.

    PATH is as for `lint`. The prediction is for one target, and it takes every rule into account: --select,
    --extend-select and --ignore choose only which findings the JSON report has. Exit code: 0, 2 wrong usage, 3 a model
    could not be read (the others are still shown).
    """
    if len(set(judgement.targets)) > 1:
        raise click.UsageError("a placement is predicted for one --target at a time")
    plan = Session(judgement, detail=Detail(operations=True)).plan(paths)
    with usage_errors():
        report = run(plan, collect_garbage if len(plan.tasks) > 1 else None)
    colour = use_colour(color) and output_file is None
    write_report(_renderer(format_, colour=colour, operations=operations, quiet=quiet)(report), output_file)
    if format_ == "csv":
        complain(report)
    sys.exit(EXIT_UNREADABLE if any(model.error for model in report.models) else 0)


def _renderer(format_: str, *, colour: bool, operations: bool, quiet: bool) -> Callable[[Report], str]:
    """What writes a format; only the one in use is imported."""
    if format_ == "json":
        from anecheck.report import json  # noqa: PLC0415

        return json.render
    if format_ == "csv":
        from anecheck.report import csv  # noqa: PLC0415

        return csv.render
    from anecheck.report import placement  # noqa: PLC0415

    return lambda report: placement.render(
        report, width=output_width(), colour=colour, operations=operations, quiet=quiet
    )
