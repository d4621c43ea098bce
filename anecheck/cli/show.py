"""`anecheck show`: a model's program as MIL text."""

from __future__ import annotations

import sys

import click

from anecheck.artifact.errors import ArtifactError
from anecheck.artifact.load import load
from anecheck.cli.options import EXIT_UNREADABLE, JudgementOptions, judgement_options, locate, make_settings
from anecheck.lint.run import lint_model
from anecheck.report.escape import visible
from anecheck.report.listing import render


@click.command("show", short_help="Print a program as MIL text.")
@click.argument("path", metavar="PATH")
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
    places = locate([path])
    if len(places) != 1:
        raise click.UsageError(f"'{path}' holds {len(places)} models; name one of them")
    try:
        model = load(places[0])
    except ArtifactError as error:
        click.echo(f"{visible(str(places[0]))}: error {error.fault.value}: {visible(error.message)}", err=True)
        sys.exit(EXIT_UNREADABLE)
    found = []
    if findings:
        found = lint_model(model, make_settings(judgement)).findings
    click.echo(render(model, found), nl=False)
