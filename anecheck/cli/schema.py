"""`anecheck schema`: the JSON schema of the JSON report."""

from __future__ import annotations

import click

from anecheck.report.json import schema


@click.command("schema", short_help="Print the JSON schema.")
def command() -> None:
    """Print the JSON schema of what `anecheck lint --format json` writes."""
    click.echo(schema())
