"""What a shell offers where somebody presses the tabulator key; imported only then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from anecheck.lint.diagnostics import Diagnostic
    from anecheck.lint.rule import Rule


def _formats(incomplete: str) -> list[CompletionItem]:
    """Formats of reports. What follows a `=` is a file, which the shell knows best."""
    from anecheck.report.formats import FORMATS  # noqa: PLC0415

    return _beginning(incomplete, FORMATS)


def _rules(incomplete: str) -> list[CompletionItem]:
    """Codes; names where the beginning of one is there already, as nobody wants to read both of all."""
    from anecheck.lint.diagnostics import DIAGNOSTICS  # noqa: PLC0415
    from anecheck.lint.registry import load_registry  # noqa: PLC0415

    known: tuple[Diagnostic | Rule, ...] = (*DIAGNOSTICS.values(), *load_registry().rules)
    codes = _beginning(incomplete.upper(), {entry.code: entry.name for entry in known})
    names = _beginning(incomplete.lower(), {entry.name: entry.code for entry in known}) if incomplete else []
    return codes + names


def _selectors(incomplete: str) -> list[CompletionItem]:
    """The last of several rules that are parted by commas; the shell replaces all of the word."""
    before, comma, last = incomplete.rpartition(",")
    return [CompletionItem(before + comma + item.value, help=item.help) for item in _rules(last)]


def _targets(incomplete: str) -> list[CompletionItem]:
    """Chips and families, and devices where the beginning of one is there already: there are many."""
    from anecheck.knowledge.tables import Knowledge  # noqa: PLC0415

    knowledge = Knowledge()
    chips = [chip for chip in knowledge.chips.values() if chip.family in knowledge.families]
    names = {chip.slug: f"{chip.name}, {chip.family}" for chip in chips}
    names |= {family.lower(): "family" for family in knowledge.families}
    if incomplete:
        names |= {device: chip.name for chip in chips for device in chip.devices if device not in names}
    return _beginning(incomplete.lower(), names)


def _paths(incomplete: str) -> list[CompletionItem]:
    """Files and folders, of which the shell knows by itself."""
    return [CompletionItem(incomplete, type="file")]


def _beginning(incomplete: str, known: Mapping[str, str]) -> list[CompletionItem]:
    return [CompletionItem(value, help=meaning) for value, meaning in known.items() if value.startswith(incomplete)]


KINDS: Final[dict[str, Callable[[str], list[CompletionItem]]]] = {
    "format": _formats,
    "rule": _rules,
    "rules": _selectors,
    "target": _targets,
    "path": _paths,
}
