"""Writing text that others chose into Markdown, where it can be nothing but text.

What means something to Markdown is written as a character reference, which is never syntax. GitHub looks for mentions, issues
and addresses of mail in the text that comes out, so an empty comment stands behind the characters that it looks for.
"""

from __future__ import annotations

import re

from anecheck.report.escape import visible

LINKING = r"[@#]|(?<=[Gg][Hh])-"
SPECIAL = re.compile(
    rf"(?P<linking>{LINKING})"
    r"|[!-&(-+:-?\[-^`{-~]"
    r"|(?<![A-Za-z0-9])['._-]|['._-](?![A-Za-z0-9])"
    r"|(?<=[wW])\.|(?<=[0-9])\."
)
"""ASCII punctuation but commas, slashes, and what stands between letters as it does in names and file names."""


def prose(text: str) -> str:
    """A text as it stands, on one line."""
    return SPECIAL.sub(_reference, visible(text).strip())


def code(text: str) -> str:
    """A name as code. Inside this element Markdown would still be read, unlike HTML, so it is written as prose is."""
    return f"<code>{prose(text)}</code>"


def block(text: str, language: str = "") -> str:
    """A program as a fenced block, with a fence longer than any that it could hold."""
    lines = [visible(line) for line in text.splitlines()]
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall("`+", line)), default=0))
    return "\n".join([f"{fence}{language}", *lines, fence])


def _reference(match: re.Match[str]) -> str:
    written = f"&#{ord(match[0])};"
    return f"{written}<!-- -->" if match["linking"] else written
