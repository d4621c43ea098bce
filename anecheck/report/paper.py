"""What a terminal is to show, on paper: lines, paragraphs wrapped to a width, and colours where they are wanted."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypedDict

import click

from anecheck.report.escape import inert, plain

QUOTED: Final = re.compile(r"`[^`]+`\S*")
"""A command to run, with what follows it at once: whoever copies it wants it on one line."""
JOINT: Final = "\ue000"
"""Stands for a space at which no line is broken; no text has it, being for private use."""


class Style(TypedDict, total=False):
    """How `click.style` is to write something."""

    fg: str
    bold: bool
    dim: bool


Part: TypeAlias = "str | tuple[str, Style]"
"""A piece of a line, with the style it has, if it has any."""


@dataclass(slots=True)
class Paper:
    """Collects lines of at most `width` columns; nothing of the environment decides how they come out.

    With `ascii_only` they are for an output that carries nothing else.
    """

    width: int
    colour: bool
    lines: list[str] = field(default_factory=list)
    ascii_only: bool = False

    def line(self, *parts: Part) -> None:
        """Add a line as it is, however long."""
        line = "".join(
            self._carried(part) if isinstance(part, str) else self._styled(part[0], part[1]) for part in parts
        )
        self.lines.append(inert(line.rstrip()))

    def paragraph(
        self,
        text: str,
        indent: int = 0,
        style: Style | None = None,
        lead: tuple[str, Style] | None = None,
        hang: int = 0,
    ) -> None:
        """Add a text, wrapped and indented; `style` is for all of it, `lead` the beginning with a style of its own.

        Lines after the first are indented by `hang` more.
        """
        room = max(self.width - indent, 1)
        hang = min(hang, room - 1)
        joined = QUOTED.sub(lambda found: _joined(found[0], room - hang), self._carried(text))
        wrapped = textwrap.wrap(joined, room, break_on_hyphens=False, subsequent_indent=" " * hang)
        for number, line in enumerate(each.replace(JOINT, " ") for each in wrapped or [""]):
            if number == 0 and lead and line.startswith(lead[0]):
                self.line(" " * indent, lead, line.removeprefix(lead[0]))
            else:
                self.line(" " * indent, (line, style or Style()))

    def written(self) -> str:
        """Everything so far, a line break after each line."""
        return "".join(f"{line}\n" for line in self.lines)

    def _styled(self, text: str, style: Style) -> str:
        return click.style(self._carried(text), **style) if self.colour and style and text else self._carried(text)

    def _carried(self, text: str) -> str:
        return plain(text) if self.ascii_only else text


def _joined(quoted: str, room: int) -> str:
    """A command in one piece, if it fits on a line."""
    return quoted.replace(" ", JOINT) if len(quoted) <= room else quoted
