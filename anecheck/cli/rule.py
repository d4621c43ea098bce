"""`anecheck rule`: explain a rule or a diagnostic."""

from __future__ import annotations

import click

from anecheck.cli.options import completed
from anecheck.knowledge.tables import Knowledge
from anecheck.lint.registry import UnknownRuleError, load_registry
from anecheck.report import pages, pages_text


@click.command("rule", short_help="Explain a rule.")
@click.argument("code", required=False, metavar="[CODE]", shell_complete=completed("rule"))
@click.option("--all", "all_", is_flag=True, help="Every rule and diagnostic, by code.")
@click.option("--format", "format_", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
def command(code: str | None, all_: bool, format_: str) -> None:
    """Explain the rule or diagnostic CODE (a code, a name, or the beginning of a code).

    What it flags, why, on which chips, how sure that is and who says so, with an example and its rewrite.
    """
    if (code is None) == (not all_):
        raise click.UsageError("give either a CODE or --all")
    registry = load_registry()
    try:
        entries = registry.find(code or "ALL")
    except UnknownRuleError as error:
        raise click.UsageError(str(error)) from error
    knowledge = Knowledge()
    written = [pages.page(entry, knowledge) for entry in entries]
    click.echo(pages_text.render(sorted(written, key=lambda page: page.code), format_, brief=all_).rstrip("\n"))
