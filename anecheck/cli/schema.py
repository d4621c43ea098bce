"""`anecheck schema`: the JSON schemas of the JSON reports."""

from __future__ import annotations

import click


@click.command("schema", short_help="Print the JSON schema.")
@click.argument("of", type=click.Choice(["report", "comparison"]), default="report", metavar="[report|comparison]")
def command(of: str) -> None:
    """Print the JSON schema of what `anecheck lint --format json` writes, or of `anecheck compare --format json`."""
    if of == "comparison":
        from anecheck.report import comparison_json  # noqa: PLC0415  # only the one that is asked for is imported

        click.echo(comparison_json.schema())
        return
    from anecheck.report import json  # noqa: PLC0415

    click.echo(json.schema())
