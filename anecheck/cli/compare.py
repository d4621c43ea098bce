"""`anecheck compare`: did a new export of a model get worse?"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import click

from anecheck.cli.judgement import JudgementOptions, Session, judgement_options, usage_errors
from anecheck.cli.options import EXIT_UNREADABLE, carries_blocks, completed, output_width, use_colour, write_report
from anecheck.lint.asked.settings import FAIL_ON, Detail
from anecheck.lint.comparison.compare import TOLERANCE, ComparisonError, Criteria, compare_planned, find_pairs
from anecheck.lint.comparison.reports import Comparison
from anecheck.report.escape import plain

EXIT_WORSE = 1


def _percent(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    """Percent, as a share."""
    try:
        number = float(value.strip().removesuffix("%"))
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise click.BadParameter(f"'{value}' is no percentage; write for example 1 or 2.5%")
    return number / 100


@click.command("compare", short_help="Say whether a new export got worse.")
@click.argument("old", metavar="OLD", shell_complete=completed("path"))
@click.argument("new", metavar="NEW", shell_complete=completed("path"))
@judgement_options
@click.option("--format", "format_", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option(
    "--output-file", "-o", type=click.Path(dir_okay=False), help="Write the report there instead of printing it."
)
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    help="The least severity of a gained finding that counts as worse; never: none does.  [default: warning]",
)
@click.option(
    "--tolerance",
    callback=_percent,
    default=f"{TOLERANCE:.0%}",
    show_default=True,
    metavar="PERCENT",
    help="By how much time, live memory and weights in memory may grow. The default is a choice, not a measurement.",
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(
    old: str,
    new: str,
    judgement: JudgementOptions,
    format_: str,
    output_file: str | None,
    fail_on: str | None,
    tolerance: float,
    color: str,
) -> None:
    """Say whether the export NEW of a model got worse than OLD, and what got better.

    OLD and NEW are paths of a model each, or two folders that hold models under the same paths. Operations are matched by
    their place in the graph: an export may rename and renumber them. NEW is worse where it has findings that OLD has not,
    where operations of both left the engine, where it has more segments, or where time, live memory or weights in memory
    grew by more than --tolerance. Exit code: 0 not worse, 1 worse, 2 wrong usage, 3 a model could not be read.
    """
    try:
        pairs = find_pairs(old, new)
    except ComparisonError as error:
        raise click.UsageError(str(error)) from error
    session = Session(judgement, fail_on=fail_on, detail=Detail(operations=True), baselines=False)
    with usage_errors():
        plan = session.plan([str(after) for _, after in pairs.both])
        comparison = compare_planned(plan, [before for before, _ in pairs.both], Criteria(fail_on, tolerance), pairs)
    colour = use_colour(color) and output_file is None
    ascii_only = output_file is None and not carries_blocks()
    write_report(_renderer(format_, colour=colour, ascii_only=ascii_only)(comparison), output_file)
    sys.exit(_exit_code(comparison))


def _renderer(format_: str, *, colour: bool, ascii_only: bool) -> Callable[[Comparison], str]:
    """What writes a format; only the one in use is imported."""
    if format_ == "json":
        from anecheck.report import comparison_json  # noqa: PLC0415

        return comparison_json.render
    if format_ == "markdown":
        from anecheck.report import comparison_markdown  # noqa: PLC0415

        if ascii_only:
            return lambda comparison: plain(comparison_markdown.render(comparison))
        return comparison_markdown.render
    from anecheck.report import comparison as text  # noqa: PLC0415

    return lambda comparison: text.render(comparison, width=output_width(), colour=colour, ascii_only=ascii_only)


def _exit_code(comparison: Comparison) -> int:
    if any(model.is_unreadable for model in comparison.models):
        return EXIT_UNREADABLE
    return EXIT_WORSE if comparison.is_worse else 0
