"""`anecheck schema`: the JSON schemas of what is written and of what is read."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

SCHEMAS: Final = {
    "report": "anecheck.report.json",
    "comparison": "anecheck.report.comparison_json",
    "configuration": "anecheck.lint.asked.tables",
}
"""Where the schema of each kind of file is made; only the one that is asked for is imported."""


@click.command("schema", short_help="Print the JSON schema.")
@click.argument("of", type=click.Choice(list(SCHEMAS)), default="report", metavar=f"[{'|'.join(SCHEMAS)}]")
def command(of: str) -> None:
    """Print the JSON schema of what `anecheck lint --format json` writes, of `anecheck compare --format json`, or of an
    anecheck.toml (for editors that check and complete TOML by a schema).
    """
    click.echo(import_module(SCHEMAS[of]).schema())
