"""Names from a model are untrusted text: nothing in them may reach a terminal as a control sequence."""

from __future__ import annotations

import re

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""C0 and C1 controls (escape among them), line and paragraph separators, and what reorders or hides text."""
LONGEST_NAME = 80
PLAIN = str.maketrans("▼┤│└─→–·…×µ−", "v||+->-,~xu-")
"""What stands for a character of ours that an output cannot carry; as wide as it is, so that nothing moves."""


def visible(text: str) -> str:
    r"""Write control characters as escapes that do nothing, e.g. ESC as `\x1b`."""
    return CONTROL.sub(lambda match: _escape(match[0]), text)


def short_name(name: str) -> str:
    """A name fit for a list: visible, and cut in the middle where it is very long."""
    name = visible(name)
    half = LONGEST_NAME // 2 - 1
    return name if len(name) <= LONGEST_NAME else f"{name[:half]}…{name[-half:]}"


def plain(text: str) -> str:
    """A text in ASCII, with escapes for what has no likeness."""
    return text.translate(PLAIN).encode("ascii", "backslashreplace").decode("ascii")


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
