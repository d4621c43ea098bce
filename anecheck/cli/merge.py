"""`anecheck merge`: one report of many, as if one run had made it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from anecheck.cli.options import completed
from anecheck.cli.output import OutputOptions, exit_code, output_options
from anecheck.lint.asked.settings import FAIL_ON
from anecheck.lint.examine import today
from anecheck.lint.merge import MergeError, merge
from anecheck.lint.reports import Report
from anecheck.report.escape import visible
from anecheck.report.json import UnreadableReportError, read


@click.command("merge", short_help="Put reports together.")
@click.argument("reports", nargs=-1, required=True, metavar="REPORT...", shell_complete=completed("path"))
@output_options
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    help="The least severity that makes the exit code 1.  [default: as each model was linted]",
)
def command(reports: tuple[str, ...], output: OutputOptions, fail_on: str | None) -> None:
    """Put JSON reports together: all shards of a run (`lint --shard 1/4 --format json`), or runs over different models.

    The report is the one that a single run would have made, and so is the exit code.
    """
    outputs = output.outputs()
    try:
        merged = merge([_read(path) for path in reports], today())
    except MergeError as error:
        raise click.UsageError(str(error)) from error
    if fail_on:
        models = [replace(model, fail_on=fail_on) for model in merged.models]
        merged = replace(merged, models=models, fail_on=fail_on)
    output.write(merged, outputs)
    sys.exit(exit_code(merged))


def _read(path: str) -> Report:
    try:
        return read(Path(path).read_bytes())
    except OSError as error:
        raise click.UsageError(f"cannot read the report '{visible(path)}': {error.strerror}") from error
    except UnreadableReportError as error:
        raise click.UsageError(f"'{visible(path)}' is no report: {visible(str(error))}") from error
