"""`anecheck lint`: the main job."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path

import click

from anecheck.artifact.proto import is_pure_python
from anecheck.cli.budgets import budget_options
from anecheck.cli.options import (
    EXIT_UNREADABLE,
    JudgementOptions,
    judgement_options,
    locate,
    make_settings,
    output_width,
    use_colour,
    write_report,
)
from anecheck.lint.finding import Severity
from anecheck.lint.reports import Report
from anecheck.lint.run import lint_paths
from anecheck.lint.wanted import SettingError, Wanted
from anecheck.report.escape import visible

EXIT_FINDINGS = 1
PROGRESS_FROM = 5
"""How many models it takes for a progress line."""


@click.command("lint", short_help="Lint models.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@judgement_options
@budget_options
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--output-file", "-o", type=click.Path(dir_okay=False), help="Write the report there instead of printing it."
)
@click.option(
    "--fail-on",
    type=click.Choice([*(severity.value for severity in Severity), "never"]),
    default=Severity.WARNING.value,
    show_default=True,
    help="The least severity that makes the exit code 1.",
)
@click.option("--statistics", is_flag=True, help="Count findings by rule instead of listing them (text only).")
@click.option(
    "--verbose", "-v", is_flag=True, help="Name every operation; in JSON, list every operation of the program."
)
@click.option("--quiet", "-q", is_flag=True, help="Only findings: no progress, no closing line.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(
    paths: tuple[str, ...],
    judgement: JudgementOptions,
    wanted: Wanted,
    format_: str,
    output_file: str | None,
    fail_on: str,
    statistics: bool,
    verbose: bool,
    quiet: bool,
    color: str,
) -> None:
    """Say what in each model is likely to leave the Neural Engine, why, and what to write instead.

    PATH is an .mlpackage, .mlmodel or .mlmodelc, a file inside one, a folder to search, or @FILE with a path on each
    line. Exit code: 0 nothing found at or above --fail-on, 1 something found, 2 wrong usage, 3 a model could not be read
    (the others are still linted).
    """
    if statistics and format_ != "text":
        raise click.UsageError("--statistics goes with --format text")
    settings = make_settings(judgement, wanted, operations=verbose)
    models = locate(paths)
    if is_pure_python():
        click.echo(
            "anecheck: warning: protobuf runs in pure Python, some hundred times slower than compiled; "
            "unset PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION or reinstall protobuf from a wheel",
            err=True,
        )
    try:
        report = lint_paths(models, settings, _before_each(len(models), _progress(len(models), quiet=quiet)))
    except SettingError as error:
        raise click.UsageError(str(error)) from error
    colour = use_colour(color) and output_file is None
    text = _render(report, format_, colour=colour, statistics=statistics, quiet=quiet, verbose=verbose)
    write_report(text, output_file)
    sys.exit(_exit_code(report, fail_on))


def _render(report: Report, format_: str, *, colour: bool, statistics: bool, quiet: bool, verbose: bool) -> str:
    if format_ == "json":
        from anecheck.report.json import render as render_json  # noqa: PLC0415  # only the format in use is imported

        return render_json(report)
    from anecheck.report import text  # noqa: PLC0415

    if statistics:
        return text.render_statistics(report, width=output_width(), colour=colour)
    return text.render(report, width=output_width(), colour=colour, quiet=quiet, every_name=verbose)


def _exit_code(report: Report, fail_on: str) -> int:
    if any(model.error for model in report.models):
        return EXIT_UNREADABLE
    if fail_on == "never":
        return 0
    limit = Severity(fail_on).rank
    found = any(finding.severity.rank <= limit for model in report.models for finding in model.findings)
    return EXIT_FINDINGS if found else 0


def _before_each(count: int, show: Callable[[Path], None] | None) -> Callable[[Path], None] | None:
    """What to do before each model: show progress, and drop the graphs of the last one, whose nodes form circles."""
    if count == 1:
        return show

    def prepare(path: Path) -> None:
        gc.collect()
        if show:
            show(path)

    return prepare


def _progress(count: int, *, quiet: bool) -> Callable[[Path], None] | None:
    """A line on the standard error that names the model being read, where somebody watches and there are many."""
    if quiet or count < PROGRESS_FROM or not sys.stderr.isatty():
        return None
    done = 0

    def show(path: Path) -> None:
        nonlocal done
        done += 1
        line = f"[{done}/{count}] {visible(path.name)}"[: DEFAULT_LINE - 1]
        click.echo(
            f"\r{line:<{DEFAULT_LINE - 1}}" if done < count else "\r" + " " * (DEFAULT_LINE - 1) + "\r",
            nl=False,
            err=True,
        )

    return show


DEFAULT_LINE = 80
