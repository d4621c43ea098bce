"""The tokens of MIL text, with the position of each for error messages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NoReturn, TypeVar

SPACE = re.compile(r"(?:\s+|//[^\n]*)*")
"""What separates tokens: white space and comments. Apart from `TOKEN`, for there it would be tried in every division."""
TOKEN = re.compile(
    r"""
      (?P<name>[A-Za-z_][A-Za-z0-9_.@/$]*)
    | (?P<number>[+-]?(?:0[xX][0-9a-fA-F.]+(?:[pP][+-]?\d+)?|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|inf|nan))
    | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<quoted>`(?:[^`\\]|\\.)*`)
    | (?P<symbol>->|[()\[\]{}<>=,;?]|\.\.\.)
    | (?P<end>\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
MAXIMUM_DEPTH = 64
"""How deep types, values and blocks may nest; real programs stay below ten."""

T = TypeVar("T")


class MilSyntaxError(ValueError):
    """The text is no MIL. `line` and `column` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.line, self.column = line, column


def unescape(token: str) -> str:
    """Undo a string's quotes and JSON escapes.

    Raises:
        ValueError: it has other escapes, or half of a surrogate pair, which no text can hold.
    """
    text = str(json.loads(token, strict=False))
    text.encode()
    return text


class Scanner:
    """Walks over the tokens of a text; `kind` and `token` are the current one.

    Every method raises `MilSyntaxError` where the text is not what it is asked for.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._depth = 0
        self.advance()

    def advance(self) -> None:
        """Go on to the next token."""
        space = SPACE.match(self._text, self._position)
        self.start = space.end() if space else self._position
        match = TOKEN.match(self._text, self.start)
        if match is None:
            self.token = self._text[self.start : self.start + 20].split("\n")[0]
            self.fail("a token of MIL text")
        self.kind = match.lastgroup
        self.token = match[0]
        self._position = match.end()

    def fail(self, expected: str) -> NoReturn:
        """Say what was expected instead of the current token, and where."""
        before = self._text[: self.start]
        found = repr(self.token[:40]) if self.token else "the end of the text"
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise MilSyntaxError(f"expected {expected}, found {found}", line, column)

    def accept(self, token: str) -> bool:
        """Step over a symbol or word if it is the current token."""
        if self.token == token and self.kind in {"symbol", "name"}:
            self.advance()
            return True
        return False

    def expect(self, token: str) -> None:
        """Step over a symbol or word that must be there."""
        if not self.accept(token):
            self.fail(f"'{token}'")

    def name(self, what: str) -> str:
        """Read a name, plain or in backquotes; `what` says what it should have been."""
        token = self.token
        if self.kind == "quoted":
            token = self._unescape(f'"{token[1:-1]}"')
        elif self.kind != "name":
            self.fail(what)
        self.advance()
        return token

    def _unescape(self, token: str) -> str:
        try:
            return unescape(token)
        except ValueError:
            self.fail("a string with JSON escapes")

    def sequence(self, item: Callable[[], T], close: str) -> tuple[T, ...]:
        """Read `item, item, …` up to and including `close`."""
        items: list[T] = []
        if not self.accept(close):
            items.append(item())
            while self.accept(","):
                items.append(item())
            self.expect(close)
        return tuple(items)

    def nested(self, item: Callable[[], T]) -> T:
        """Read something that may contain its like, within bounds."""
        self._depth += 1
        if self._depth > MAXIMUM_DEPTH:
            self.fail(f"nesting of at most {MAXIMUM_DEPTH} levels")
        result = item()
        self._depth -= 1
        return result

    def following(self) -> str:
        """The character right behind the current token."""
        return self._text[self._position : self._position + 1]

    def text(self, start: int) -> str:
        """The text from `start` to the current token, without the space before it."""
        return self._text[start : self.start].rstrip()
