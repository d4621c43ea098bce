"""A comparison as a person reads it: the verdict, what got worse, what got better, then the numbers."""

from __future__ import annotations

from collections.abc import Iterable

from anecheck.lint.comparison.reports import Comparison, FindingChange, FunctionComparison, ModelComparison
from anecheck.lint.finding import Severity
from anecheck.report import comparison_words as words
from anecheck.report.escape import short_name, visible
from anecheck.report.paper import Paper, Style
from anecheck.report.units import plural

STYLES = {
    Severity.ERROR: Style(fg="red", bold=True),
    Severity.WARNING: Style(fg="yellow", bold=True),
    Severity.INFO: Style(fg="blue", bold=True),
}
BOLD, DIM, RED, GREEN = Style(bold=True), Style(dim=True), Style(fg="red", bold=True), Style(fg="green", bold=True)


def render(comparison: Comparison, *, width: int = 80, colour: bool = False, ascii_only: bool = False) -> str:
    """Write the comparison as text."""
    paper = Paper(width, colour, ascii_only=ascii_only)
    for model in comparison.models:
        _model(paper, model, comparison)
    for name in comparison.added_models:
        paper.line(f"{visible(name)}: only in the new folder")
    for name in comparison.removed_models:
        paper.line(f"{visible(name)}: only in the old folder")
    if len(comparison.models) > 1 or comparison.added_models or comparison.removed_models:
        paper.line()
        paper.line(words.closing(comparison))
    return paper.written().rstrip("\n") + "\n"


def _model(paper: Paper, model: ModelComparison, comparison: Comparison) -> None:
    verdict = words.verdict(model)
    style = RED if model.worse or model.is_unreadable else GREEN
    paper.paragraph(verdict, 0, lead=(verdict.partition(":")[0], style), hang=2)
    paper.line((f"  {visible(model.old_path)} → {visible(model.new_path)}", BOLD))
    for side, error in (("old", model.old_error), ("new", model.new_error)):
        if error:
            text = f"error {error.code} {side}: {visible(error.message)}"
            paper.paragraph(text, 2, lead=("error", RED), hang=2)
    if not model.is_unreadable:
        _changes(paper, model, comparison, worse=True)
        _changes(paper, model, comparison, worse=False)
        _others(paper, model, comparison)
        for function in model.functions:
            _numbers(paper, function, model, comparison)
    paper.line()


def _changes(paper: Paper, model: ModelComparison, comparison: Comparison, *, worse: bool) -> None:
    reasons = model.worse if worse else model.better
    if not reasons:
        return
    paper.line(("  what got worse" if worse else "  what got better", RED if worse else GREEN))
    found = model.gained if worse else model.lost
    _findings(paper, [each for each in found if words.is_counted(each, comparison)], model, gained=worse)
    for function in model.functions:
        groups = words.devices(function, left=worse)
        if groups:
            count = plural(sum(map(len, groups)), "operation")
            where = words.of_function(function.new_name, model, visible)
            paper.line(f"    {count}{where} {'left' if worse else 'came to'} the engine")
        for group in groups:
            paper.paragraph(words.device_line(group, visible), 6, hang=2)
    for text in words.numbers(reasons, model, visible):
        paper.paragraph(text, 4, hang=2)


def _findings(paper: Paper, found: Iterable[FindingChange], model: ModelComparison, *, gained: bool) -> None:
    for each in found:
        sign, severity = ("+" if gained else "−"), each.severity.value
        paper.line(f"    {sign}{each.count} ", (severity, STYLES[each.severity]), f" {each.code} {visible(each.name)}")
        paper.paragraph(words.finding_line(each, model, visible), 6, hang=2)
        if gained and each.rewrite:
            paper.paragraph(f"→ {visible(each.rewrite)} (anecheck rule {each.code})", 6, lead=("→", Style(fg="green")))


def _others(paper: Paper, model: ModelComparison, comparison: Comparison) -> None:
    """What changed and decides nothing."""
    gained = [each for each in model.gained if not words.is_counted(each, comparison)]
    lost = [each for each in model.lost if not words.is_counted(each, comparison)]
    if gained or lost:
        paper.line(("  other findings", BOLD))
        _findings(paper, gained, model, gained=True)
        _findings(paper, lost, model, gained=False)
    for name in model.added_functions:
        paper.line(f"  function {short_name(name)}: only in the new export")
    for name in model.removed_functions:
        paper.line(f"  function {short_name(name)}: only in the old export")


def _numbers(paper: Paper, function: FunctionComparison, model: ModelComparison, comparison: Comparison) -> None:
    table = list(words.rows(function))
    where = f"function {short_name(function.new_name)} " if len(model.functions) > 1 else ""
    paper.paragraph(f"{where}for {words.target(comparison)}: {words.operations_line(function, visible)}", 2, hang=2)
    if function.has_unknown_sizes:
        paper.paragraph("sizes are not fixed: time and live memory are lower bounds, and decide nothing", 2, hang=2)
    if not table:
        return
    widths = [max(len(row[column]) for row in table) for column in range(3)]
    for label, old, new, change in table:
        cells = f"    {label:<{widths[0]}}  {old:>{widths[1]}} → {new:>{widths[2]}}"
        paper.line(cells, (f"  {change}" if change else "", DIM))
