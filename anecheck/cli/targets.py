"""`anecheck targets`: what `--target` understands."""

from __future__ import annotations

import json

import click

from anecheck.cli.options import completed
from anecheck.knowledge.rows import Chip
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import UnknownTargetError, parse_target
from anecheck.report.targets import details, everything
from anecheck.report.targets_text import listing, text


@click.command("targets", short_help="List chips, families and releases.")
@click.argument("name", required=False, shell_complete=completed("target"))
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(name: str | None, format_: str) -> None:
    """List the chips, engine families and OS releases known, or everything known of the target NAME.

    Rules speak of engine families; a family measured directly gives the surest findings.
    """
    knowledge = Knowledge()
    if name is None:
        click.echo(json.dumps(everything(knowledge), indent=2) if format_ == "json" else listing(knowledge))
        return
    family, chip = _named(name, knowledge)
    content = details(family, chip, knowledge)
    click.echo(json.dumps(content, indent=2) if format_ == "json" else text(content))


def _named(name: str, knowledge: Knowledge) -> tuple[str, Chip | None]:
    """The family and chip of a target; a chip that is none, because Core ML cannot reach its engine, can be asked for too."""
    for chip in knowledge.chips.values():
        if chip.family not in knowledge.families and name.strip().lower() in {chip.slug, *chip.devices}:
            return chip.family, chip
    try:
        target = parse_target(name, knowledge)
    except UnknownTargetError as error:
        raise click.UsageError(str(error)) from error
    return target.family, knowledge.chips[target.chip] if target.chip else None
