"""`anecheck rule`: explain a rule or a diagnostic."""

from __future__ import annotations

import click

from anecheck.knowledge.tables import Knowledge
from anecheck.lint.diagnostics import DIAGNOSTICS
from anecheck.lint.registry import UnknownRuleError, load_registry
from anecheck.report import pages


@click.command("rule", short_help="Explain a rule.")
@click.argument("code", required=False, metavar="[CODE]")
@click.option("--all", "all_", is_flag=True, help="Every rule and diagnostic, by code.")
@click.option("--format", "format_", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
def command(code: str | None, all_: bool, format_: str) -> None:
    """Explain the rule or diagnostic CODE (a code, a name, or the beginning of a code).

    What it flags, why, on which chips, how sure that is and who says so, with an example and its rewrite.
    """
    if (code is None) == (not all_):
        raise click.UsageError("give either a CODE or --all")
    registry = load_registry()
    wanted = "ALL" if all_ or code is None else code
    diagnostics = [
        diagnostic
        for diagnostic in DIAGNOSTICS.values()
        if wanted == "ALL" or diagnostic.code.startswith(wanted.upper()) or diagnostic.name == wanted.lower()
    ]
    try:
        rules = list(registry.find(wanted))
    except UnknownRuleError as error:
        if not diagnostics:
            raise click.UsageError(str(error)) from error
        rules = []
    knowledge = Knowledge()
    entries = [pages.diagnostic_page(diagnostic) for diagnostic in diagnostics]
    entries += [pages.rule_page(rule, knowledge) for rule in rules]
    click.echo(pages.render(sorted(entries, key=lambda page: page.code), format_, brief=all_).rstrip("\n"))
