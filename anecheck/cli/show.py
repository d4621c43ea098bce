"""`anecheck show`: a model's program as MIL text."""

from __future__ import annotations

import sys

import click

from anecheck.artifact.errors import ArtifactError
from anecheck.artifact.load import load
from anecheck.cli.judgement import JudgementOptions, Session, judgement_options
from anecheck.cli.options import EXIT_UNREADABLE, completed
from anecheck.lint.company import Company
from anecheck.lint.run import lint_task
from anecheck.report.escape import visible
from anecheck.report.listing import render


@click.command("show", short_help="Print a program as MIL text.")
@click.argument("path", metavar="PATH", shell_complete=completed("path"))
@click.option("--findings", is_flag=True, help="Write what the rules find above the operations, as comments.")
@judgement_options
def command(
    path: str,
    findings: bool,
    judgement: JudgementOptions,
) -> None:
    """Print the program of the model at PATH in the notation of Core ML's own model.mil.

    A model of another kind is listed by its layers or parts.
    """
    tasks = Session(judgement, baselines=False).plan([path]).tasks
    if len(tasks) != 1:
        raise click.UsageError(f"'{path}' holds {len(tasks)} models; name one of them")
    (task,) = tasks
    try:
        model = load(task.path)
    except ArtifactError as error:
        click.echo(f"{visible(str(task.path))}: error {error.fault.value}: {visible(error.message)}", err=True)
        sys.exit(EXIT_UNREADABLE)
    found = lint_task(task._replace(model=model), Company(task.settings)).report.findings if findings else []
    click.echo(render(model, found), nl=False)
