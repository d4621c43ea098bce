"""`anecheck placement`: where each operation is predicted to run, and what would change that."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from anecheck.cli.judgement import JudgementOptions, Session, judgement_options, usage_errors
from anecheck.cli.options import (
    EXIT_UNREADABLE,
    complain,
    completed,
    output_width,
    use_colour,
    write_report,
)
from anecheck.cli.progress import before_each
from anecheck.lint.asked.settings import Detail
from anecheck.lint.reports import Report
from anecheck.lint.run import run

if TYPE_CHECKING:
    from anecheck.cli.measured import Comparison

EXIT_DIFFERENT = 1
"""What the command exits with where it was asked to, and a measured plan says something else."""


@click.command("placement", short_help="Predict where each operation runs.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=completed("path"))
@judgement_options
@click.option("--format", "format_", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True)
@click.option(
    "--measured",
    "measured_file",
    metavar="FILE",
    shell_complete=completed("path"),
    help="Compare with what a Mac said of the same model (one PATH only).",
)
@click.option("--fail-on-difference", is_flag=True, help="With --measured: exit with 1 where the two differ.")
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
    measured_file: str | None,
    fail_on_difference: bool,
    operations: bool,
    output_file: str | None,
    color: str,
    quiet: bool,
) -> None:
    """Predict where Core ML places each operation: the Neural Engine (ane), the GPU or the CPU.

    PATH is as for `lint`. The prediction is for one target, and it takes every rule into account: --select,
    --extend-select and --ignore choose only which findings the JSON report has. Exit code: 0, 2 wrong usage, 3 a model
    could not be read (the others are still shown).

    FILE is what `anecheck measure` writes, an .mlcomputeplan.json, a JSON file of coreml-compute-placement, or an
    analytics.mil from the cache of Core ML's compiler. Where it names the chip or the compute units it was measured on,
    they are the defaults of --target and --compute-units. A device that is one of a predicted tie is no difference.
    """
    comparison = _comparison(measured_file, fail_on_difference=fail_on_difference)
    if comparison:
        judgement = comparison.judgement(judgement)
    if len(set(judgement.targets)) > 1:
        raise click.UsageError("a placement is predicted for one --target at a time")
    plan = Session(judgement, detail=Detail(operations=True)).plan(paths)
    if comparison and len(plan.tasks) != 1:
        raise click.UsageError(f"--measured speaks of one model, and there are {len(plan.tasks)}; name one of them")
    with usage_errors():
        report = run(plan, before_each(len(plan.tasks), quiet=False))
    if comparison:
        report = comparison.compared(report)
    colour = use_colour(color) and output_file is None
    write_report(_renderer(format_, colour=colour, operations=operations, quiet=quiet)(report), output_file)
    if format_ == "csv":
        complain(report)
    if any(model.error for model in report.models):
        sys.exit(EXIT_UNREADABLE)
    sys.exit(EXIT_DIFFERENT if fail_on_difference and _differs(report) else 0)


def _comparison(file: str | None, *, fail_on_difference: bool) -> Comparison | None:
    """The measured plan to compare with, where one is named."""
    if file is None:
        if fail_on_difference:
            raise click.UsageError("--fail-on-difference compares with a measured plan: name it with --measured FILE")
        return None
    from anecheck.cli.measured import open_comparison  # noqa: PLC0415  # only a comparison needs it

    return open_comparison(file)


def _differs(report: Report) -> bool:
    measured = (function.measured for model in report.models for function in model.functions)
    return any(each.differences for each in measured if each)


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
