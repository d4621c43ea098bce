"""`anecheck config`: what counts for a model, and who says so."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from anecheck.artifact.locate import PACKAGES, find_models
from anecheck.cli.judgement import JudgementOptions, Session, judgement_options, usage_errors
from anecheck.cli.options import completed
from anecheck.lint.asked.effective import Setting, effective
from anecheck.report.escape import visible


@click.command("config", short_help="Show the settings that count.")
@click.argument("path", default=".", metavar="[PATH]", shell_complete=completed("path"))
@judgement_options
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(path: str, judgement: JudgementOptions, format_: str) -> None:
    """Show the settings that count for the model at PATH, or for a folder, and where each comes from.

    The options are those of `lint`, so that it can be seen what they change.
    """
    session = Session(judgement)
    with usage_errors():
        model = _model(Path(path))
        settings = effective(session.asked, session.configurations.of(model), model)
    if format_ == "json":
        click.echo(json.dumps([asdict(setting) for setting in settings], indent=2))
        return
    width = max(len(setting.name) for setting in settings)
    for setting in settings:
        click.echo(visible(_line(setting, width)))


def _model(path: Path) -> Path:
    """The model that a path means; of a folder, any that might lie in it."""
    found = find_models([str(path)])[0]
    is_inside = found == path or found in path.parents
    return path / "any" if path.is_dir() and not (is_inside and found.suffix.lower() in PACKAGES) else found


def _line(setting: Setting, width: int) -> str:
    value = json.dumps(setting.value, ensure_ascii=False)
    return f"{setting.name:<{width}} = {value}  # {setting.origin}"
