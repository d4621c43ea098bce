"""A comparison as Markdown, for a comment on a change: the verdict, what got worse, what got better, then the numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from anecheck.lint.comparison.reports import Comparison, FindingChange, FunctionComparison, ModelComparison
from anecheck.report import comparison_words as words
from anecheck.report.escape import visible
from anecheck.report.units import plural

SPECIAL: Final = re.compile(r"[\\`*\[\]<>#|~&$@]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\.", re.IGNORECASE)
"""What may begin markup, HTML, a table's cell, a mention, an address or a formula."""


def escape(text: str) -> str:
    """A text from a model on one line, in which nothing is markup: whatever could be is written as a character reference.

    A mention is one even so, and is broken up by a comment.
    """
    return SPECIAL.sub(lambda match: "@<!-- -->" if match[0] == "@" else f"&#{ord(match[0])};", visible(text))


def render(comparison: Comparison) -> str:
    """Write the comparison as Markdown."""
    lines: list[str] = []
    for model in comparison.models:
        lines += [*_model(model, comparison), ""]
    if comparison.added_models or comparison.removed_models:
        lines += ["#### Models in one folder only", ""]
        lines += [f"- {escape(name)}: only in the new folder" for name in comparison.added_models]
        lines += [f"- {escape(name)}: only in the old folder" for name in comparison.removed_models]
        lines.append("")
    if len(comparison.models) > 1 or comparison.added_models or comparison.removed_models:
        lines += [f"{words.closing(comparison)}.", ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _model(model: ModelComparison, comparison: Comparison) -> Iterator[str]:
    yield f"### anecheck: {words.verdict(model)}"
    yield ""
    yield f"From {escape(model.old_path)} to {escape(model.new_path)}, for {escape(words.target(comparison))}."
    yield ""
    for side, error in (("old", model.old_error), ("new", model.new_error)):
        if error:
            yield f"- **error {error.code}** {side}: {escape(error.message)}"
    if model.is_unreadable:
        return
    yield from _changes(model, comparison, worse=True)
    yield from _changes(model, comparison, worse=False)
    yield from _others(model, comparison)
    for function in model.functions:
        yield from _numbers(function, model)


def _changes(model: ModelComparison, comparison: Comparison, *, worse: bool) -> Iterator[str]:
    reasons = model.worse if worse else model.better
    if not reasons:
        return
    yield "#### What got worse" if worse else "#### What got better"
    yield ""
    found = model.gained if worse else model.lost
    yield from _findings((each for each in found if words.is_counted(each, comparison)), model, gained=worse)
    for function in model.functions:
        groups = words.devices(function, left=worse)
        if groups:
            count = plural(sum(map(len, groups)), "operation")
            where = words.of_function(function.new_name, model, escape)
            yield f"- {count}{where} {'left' if worse else 'came to'} the engine"
        yield from (f"  - {words.device_line(group, escape)}" for group in groups)
    yield from (f"- {text}" for text in words.numbers(reasons, model, escape))
    yield ""


def _findings(found: Iterable[FindingChange], model: ModelComparison, *, gained: bool) -> Iterator[str]:
    for each in found:
        sign = "+" if gained else "−"
        head = f"**{sign}{each.count} {each.severity.value} {escape(each.code)}** {escape(each.name)}"
        yield f"- {head}: {words.finding_line(each, model, escape)}"
        if gained and each.rewrite:
            yield f"  - instead: {escape(each.rewrite)}"


def _others(model: ModelComparison, comparison: Comparison) -> Iterator[str]:
    gained = [each for each in model.gained if not words.is_counted(each, comparison)]
    lost = [each for each in model.lost if not words.is_counted(each, comparison)]
    functions = [(name, "new") for name in model.added_functions] + [(name, "old") for name in model.removed_functions]
    if gained or lost or functions:
        yield "#### What else changed"
        yield ""
        yield from _findings(gained, model, gained=True)
        yield from _findings(lost, model, gained=False)
        yield from (f"- function {escape(name)}: only in the {side} export" for name, side in functions)
        yield ""


def _numbers(function: FunctionComparison, model: ModelComparison) -> Iterator[str]:
    where = f"Function {escape(function.new_name)}: " if len(model.functions) > 1 else ""
    yield f"{where}{words.operations_line(function, escape)}"
    if function.has_unknown_sizes:
        yield "Sizes are not fixed: time and live memory are lower bounds, and decide nothing."
    table = list(words.rows(function))
    if table:
        yield ""
        yield "| | old | new | change |"
        yield "| --- | ---: | ---: | ---: |"
        yield from (f"| {' | '.join(row)} |" for row in table)
    yield ""
