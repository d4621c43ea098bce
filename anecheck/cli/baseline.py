"""`anecheck baseline`: accept what is found today, so that only what comes on top of it counts."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from anecheck.cli.budgets import budget_options
from anecheck.cli.judgement import JudgementOptions, Session, judgement_options, usage_errors
from anecheck.cli.options import EXIT_UNREADABLE, complain, completed
from anecheck.cli.progress import before_each
from anecheck.lint.asked.wanted import Wanted
from anecheck.lint.baseline import FILE_NAME, Entries, accept, entries_of, key_of, pruned, read_baseline, write_baseline
from anecheck.lint.plan import Task
from anecheck.lint.reports import ModelReport
from anecheck.lint.run import run
from anecheck.report.escape import visible


@click.command("baseline", short_help="Accept today's findings.")
@click.argument("paths", nargs=-1, metavar="[PATH]...", shell_complete=completed("path"))
@judgement_options
@budget_options
@click.option(
    "--output-file",
    "-o",
    type=click.Path(dir_okay=False),
    help=f"The baseline.  [default: what the configuration names, or {FILE_NAME}]",
)
@click.option("--prune", is_flag=True, help="Only take out what is gone; accept nothing new.")
def command(
    paths: tuple[str, ...], judgement: JudgementOptions, wanted: Wanted, output_file: str | None, prune: bool
) -> None:
    """Write what is found today into a baseline, by fingerprint and counted.

    `anecheck lint --baseline FILE`, or `baseline = "FILE"` in the configuration, then counts only what is new, and says
    what is gone. PATH is as for `lint`. What the baseline has of models that are not linted now, and of rules that are not
    selected, stays, as long as the model exists. Exit code: 0, 2 wrong usage, 3 a model could not be read (the others are
    written).
    """
    plan = Session(judgement, wanted, baselines=False).plan(paths)
    with usage_errors():
        report = run(plan, before_each(len(plan.tasks), quiet=False))
        files: dict[Path, list[tuple[Task, ModelReport]]] = {}
        for task, model in zip(plan.tasks, report.models, strict=True):
            files.setdefault(Path(output_file) if output_file else task.baseline or Path(FILE_NAME), []).append(
                (task, model)
            )
        for file, models in files.items():
            click.echo(_update(file, models, prune=prune))
    if not output_file and any(task.baseline is None for task in plan.tasks):
        click.echo(f'Lint with `--baseline {FILE_NAME}`, or put `baseline = "{FILE_NAME}"` into anecheck.toml.')
    complain(report)
    sys.exit(EXIT_UNREADABLE if any(model.error for model in report.models) else 0)


def _update(file: Path, models: list[tuple[Task, ModelReport]], *, prune: bool) -> str:
    """Write what is found in models into a file; says what has changed."""
    known = read_baseline(file) if file.exists() or prune else None
    old = dict(known.models) if known else {}
    vanished = {notice.data["model"] for notice in known.vanished()} if known else set()
    new: dict[str, Entries] = {model: entries for model, entries in old.items() if model not in vanished}
    for task, model in models:
        if model.error is None:
            key = key_of(task.path, file)
            entries, speaks = old.get(key, {}), task.settings.speaks
            if prune:
                new[key] = pruned(entries, accept(model.findings, entries, speaks)[1])
            else:
                silent = {known: entry for known, entry in entries.items() if not speaks(entry.code)}
                new[key] = {**silent, **entries_of(model.findings)}
    write_baseline(file, new)
    before, after = _count(old), _count(new)
    was = f" (was {before})" if known else ""
    return f"{visible(str(file))}: {after} {'finding' if after == 1 else 'findings'}{was}"


def _count(models: dict[str, Entries]) -> int:
    return sum(entry.count for entries in models.values() for entry in entries.values())
