"""How those who read a report take it apart: the runner of GitHub, editors, and browsers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt

CONCISE = re.compile(r"([^:]+):(\d+):(\d+): (error|warning|info) (\S+)(?: (\S+))?: (.*)")
CLANG = re.compile(r"(/[^:]+):(\d+):(\d+): (error|warning|note): (.*) \[(\w+)\]")
"""The same as in the problem matchers of editors: nothing but the last group may hold a colon."""


@dataclass(frozen=True)
class Command:
    """A workflow command as the runner understands it."""

    name: str
    properties: dict[str, str]
    message: str


def workflow_commands(output: str) -> list[Command]:
    """Read a job's output as GitHub's runner does: a command is a line that begins with `::`, blanks aside.

    https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts has the escapes; the runner undoes them.
    """
    commands = []
    for line in re.split("\r\n|\r|\n", output):
        text = line.lstrip()
        end = text.find("::", 2)
        if not text.startswith("::") or end < 0:
            continue
        name, _, given = text[2:end].partition(" ")
        pairs = (pair.split("=", 1) for pair in given.split(",") if "=" in pair)
        properties = {key.strip(): _undo(value, {"%3A": ":", "%2C": ","}) for key, value in pairs}
        commands.append(Command(name, properties, _undo(text[end + 2 :], {})))
    return commands


def _undo(text: str, more: dict[str, str]) -> str:
    for escape, character in {"%0D": "\r", "%0A": "\n", **more, "%25": "%"}.items():
        text = text.replace(escape, character)
    return text


@dataclass
class Page(HTMLParser):
    """What a browser makes of Markdown: elements in their order, and the pieces of text with the elements around them."""

    tags: list[str] = field(default_factory=list)
    texts: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((data, tuple(self.open)))

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.texts)

    def inside(self, tag: str) -> list[str]:
        """The text of each element of a kind, however many pieces it is in."""
        found: list[str] = []
        previous = False
        for text, around in self.texts:
            if tag in around:
                found.append(text) if not previous else found.__setitem__(-1, found[-1] + text)
            previous = tag in around
        return found


def page(markdown: str) -> Page:
    """Render Markdown with tables and HTML, as services do, and read the result."""
    read = Page()
    read.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))
    read.close()
    assert not read.open
    return read
