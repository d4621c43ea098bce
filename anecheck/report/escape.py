"""Names from a model are untrusted text: nothing in them may reach a terminal as a control sequence."""

from __future__ import annotations

import re

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""C0 and C1 controls (escape among them), line and paragraph separators, and what reorders or hides text."""
CONTROL_IN_JSON = re.compile(CONTROL.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))
"""The same but for line breaks, which JSON has between values only."""
COMMAND_ANYWHERE = re.compile(r"#(?=#(?:vso)?\[)")
"""The beginning of what a build server takes for a command to it wherever it stands: `##[…]`, `##vso[…]`."""
COMMAND = re.compile(r"^\s*:(?=:)")
"""How a line begins that GitHub takes for a command to it."""
LONGEST_NAME = 80
LONGEST_TEXT = 1000
PLAIN = str.maketrans("▼┤│└─→–·…×µ−", "v||+->-,~xu-")
"""What stands for a character of ours that an output cannot carry; as wide as it is, so that nothing moves."""


def visible(text: str) -> str:
    r"""Write control characters, and commands to build servers, as escapes that do nothing, e.g. ESC as `\x1b`."""
    text = CONTROL.sub(lambda match: _escape(match[0]), text)
    return COMMAND_ANYWHERE.sub(lambda match: _escape(match[0]), text) if "##" in text else text


def short_name(name: str) -> str:
    """A name fit for a list: visible, and cut in the middle where it is very long."""
    return _shortened(visible(name), LONGEST_NAME)


def short_text(text: str) -> str:
    """A message fit for a list: visible, and cut in the middle where it is longer than anybody reads."""
    return _shortened(visible(text), LONGEST_TEXT)


def inert(line: str) -> str:
    r"""A line that no build server takes for a command to it: `::error::` at its beginning becomes `\x3a:error::`."""
    return COMMAND.sub(lambda match: f"{match[0][:-1]}\\x3a", line) if "::" in line else line


def inert_json(text: str) -> str:
    """JSON with the same content, in which nothing hides or commands: such characters become JSON's own escapes.

    Half a pair of surrogates, which no encoding of text can hold, is written out as `visible` does.
    """
    text = CONTROL_IN_JSON.sub(lambda match: _json_escape(match[0]), text)
    return COMMAND_ANYWHERE.sub(lambda match: _json_escape(match[0]), text) if "##" in text else text


def plain(text: str) -> str:
    """A text in ASCII, with escapes for what has no likeness."""
    return text.translate(PLAIN).encode("ascii", "backslashreplace").decode("ascii")


def _shortened(text: str, longest: int) -> str:
    half = longest // 2 - 1
    return text if len(text) <= longest else f"{text[:half]}…{text[-half:]}"


def _json_escape(character: str) -> str:
    code = ord(character)
    return f"\\\\u{code:04x}" if 0xD800 <= code < 0xE000 else f"\\u{code:04x}"


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
