"""`anecheck lint`: the main job."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anecheck.artifact.proto import is_pure_python
from anecheck.cli.budgets import budget_options
from anecheck.cli.judgement import JudgementOptions, Session, judgement_options, usage_errors
from anecheck.cli.options import completed, output_width, use_colour, write_report
from anecheck.cli.output import OutputOptions, exit_code, output_options
from anecheck.cli.progress import before_each
from anecheck.lint.asked.settings import FAIL_ON, Detail
from anecheck.lint.asked.wanted import Wanted
from anecheck.lint.reports import Report
from anecheck.lint.run import Runner, run

if TYPE_CHECKING:
    from anecheck.lint.run_report import Shard


def _jobs(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """A number of processes, or `auto` for one a processor."""
    if value == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not re.fullmatch(r"[1-9]\d{0,3}", value):
        raise click.BadParameter(f"'{value}' is neither a number of processes nor 'auto'", ctx, param)
    return int(value)


def _shard(ctx: click.Context, param: click.Parameter, value: str | None) -> Shard | None:
    """Which shard of how many, as `2/4`."""
    if value is None:
        return None
    found = re.fullmatch(r"([1-9]\d{0,4})/([1-9]\d{0,4})", value)
    if not found or int(found[1]) > int(found[2]):
        raise click.BadParameter(f"'{value}' is no shard; the second of four is 2/4", ctx, param)
    from anecheck.lint.run_report import Shard  # noqa: PLC0415  # most runs are whole

    return Shard(index=int(found[1]), count=int(found[2]))


@click.command("lint", short_help="Lint models.")
@click.argument("paths", nargs=-1, metavar="[PATH]...", shell_complete=completed("path"))
@judgement_options
@budget_options
@output_options
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    help="The least severity that makes the exit code 1.  [default: warning]",
)
@click.option(
    "--baseline",
    metavar="FILE",
    shell_complete=completed("path"),
    help="Count only what is not in this file, which `anecheck baseline` wrote.",
)
@click.option("--no-baseline", is_flag=True, help="Count everything, whatever baseline the configuration names.")
@click.option(
    "--force-exclude", is_flag=True, help="Leave out what the configuration excludes even where it is named itself."
)
@click.option("--statistics", is_flag=True, help="Count findings by rule instead of listing them (text only).")
@click.option(
    "--listing",
    metavar="FOLDER",
    shell_complete=completed("path"),
    help="Write every program there as MIL text, and point at the lines of that.",
)
@click.option(
    "--jobs", "-j", callback=_jobs, default="1", metavar="N|auto", help="In how many processes.  [default: 1]"
)
@click.option("--shard", callback=_shard, metavar="I/N", help="Only every N-th model, from the I-th (see `merge`).")
def command(
    paths: tuple[str, ...],
    judgement: JudgementOptions,
    wanted: Wanted,
    output: OutputOptions,
    fail_on: str | None,
    baseline: str | None,
    no_baseline: bool,
    force_exclude: bool,
    statistics: bool,
    listing: str | None,
    jobs: int,
    shard: Shard | None,
) -> None:
    """Say what in each model is likely to leave the Neural Engine, why, and what to write instead.

    PATH is an .mlpackage, .mlmodel or .mlmodelc, a file inside one, a folder to search, or @FILE with a path on each
    line; without any, what the configuration includes. Exit code: 0 nothing found at or above --fail-on, 1 something
    found, 2 wrong usage or configuration, 3 a model could not be read (the others are still linted).
    """
    if baseline and no_baseline:
        raise click.UsageError("--baseline and --no-baseline contradict each other")
    detail = Detail(operations=output.verbose, listing=Path(listing) if listing else None)
    session = Session(
        judgement,
        wanted,
        fail_on=fail_on,
        detail=detail,
        baseline=baseline,
        baselines=not no_baseline,
        force_exclude=force_exclude,
    )
    outputs = output.outputs(() if output.formats else session.formats())
    if statistics and [each.format for each in outputs if each.file is None] not in (["text"], ["full"]):
        raise click.UsageError("--statistics goes with --format text")
    plan = session.plan(paths)
    if is_pure_python():
        click.echo(
            "anecheck: warning: protobuf runs in pure Python, some hundred times slower than compiled; "
            "unset PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION or reinstall protobuf from a wheel",
            err=True,
        )
    with usage_errors():
        report = run(
            plan, before_each(len(plan.tasks), quiet=output.quiet, jobs=jobs), shard=shard, runner=_runner(jobs)
        )
    output.write(report, [each for each in outputs if not (statistics and each.file is None)])
    if statistics:
        _write_statistics(report, output)
    sys.exit(exit_code(report))


def _runner(jobs: int) -> Runner | None:
    if jobs == 1:
        return None
    from anecheck.lint.pool import Processes  # noqa: PLC0415  # most runs are of one process

    return Processes(jobs)


def _write_statistics(report: Report, output: OutputOptions) -> None:
    from anecheck.report.text import render_statistics  # noqa: PLC0415

    write_report(render_statistics(report, width=output_width(), colour=use_colour(output.color)), None)
