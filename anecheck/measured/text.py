"""Tokens of MIL text that may hold more than its grammar knows, and literals whatever their type."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final, NoReturn, TypeAlias

from anecheck.measured.plan import PlanError

TOKEN: Final = re.compile(
    r"""
    (?:\s+|//[^\n]*)*
    (?: (?P<name>[A-Za-z_][A-Za-z0-9_.@/$]*)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<number>[+-]?(?:0[xX][0-9a-fA-F.]+(?:[pP][+-]?\d+)?|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?))
      | (?P<quoted>`(?:[^`\\]|\\.)*`)
      | (?P<symbol>->|.)
      | (?P<end>\Z)
    )
    """,
    re.VERBOSE | re.DOTALL,
)
"""A token with the space and the comments before it; it fits anywhere, so that nothing is ever tried twice."""
BRACKETS: Final = {"(": ")", "[": "]", "{": "}", "<": ">"}
DEPTH: Final = 32
"""How deep literals and blocks may nest; real ones stay below ten."""
LONGEST_NUMBER: Final = 400

Literal: TypeAlias = "str | float | list[Literal]"


class Tokens:
    """Walks over a text; `kind` and `token` are the current one, "" at the end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._matches = TOKEN.finditer(text)
        self.kind = self.token = ""
        self._start = 0
        self.advance()

    def advance(self) -> None:
        """Go on to the next token."""
        match = next(self._matches, None)
        if match is None:
            return
        self.kind = kind = match.lastgroup or ""
        self.token = match[kind]
        self._start = match.start(kind)
        if kind == "symbol" and self.token in {'"', "`"}:
            self.fail("a string that ends")

    def fail(self, expected: str) -> NoReturn:
        """Say what was expected instead of the current token, and where."""
        line = self._text.count("\n", 0, self._start) + 1
        found = repr(self.token[:40]) if self.token else "the end of the text, as if it were truncated"
        raise PlanError(f"line {line}: expected {expected}, found {found}; copy or make the file again")

    def accept(self, token: str) -> bool:
        """Step over a symbol or word if it is the current token."""
        if self.token != token or self.kind in {"string", "quoted"}:
            return False
        self.advance()
        return True

    def expect(self, token: str) -> None:
        """Step over a symbol or word that must be there."""
        if not self.accept(token):
            self.fail(f"'{token}'")

    def name(self) -> str:
        """Read a name, plain or in backquotes."""
        token = self.token
        if self.kind == "quoted":
            token = unescape(f'"{token[1:-1]}"')
        elif self.kind != "name":
            self.fail("a name")
        self.advance()
        return token

    def skip(self) -> None:
        """Step over a token, or over all that the bracket here embraces."""
        closing = BRACKETS.get(self.token) if self.kind == "symbol" else None
        if closing is None:
            self.advance()
            return
        open_brackets = [closing]
        self.advance()
        while open_brackets:
            if self.kind == "end":
                self.fail(f"'{open_brackets[-1]}'")
            if self.kind == "symbol":
                if self.token in BRACKETS:
                    open_brackets.append(BRACKETS[self.token])
                elif self.token in BRACKETS.values():
                    if self.token != open_brackets[-1]:
                        self.fail(f"'{open_brackets[-1]}'")
                    open_brackets.pop()
            self.advance()

    def literal(self, depth: int = 0) -> Literal:
        """Read what stands in the brackets of a value: a string, a number, a word, or a list of them in any brackets."""
        if depth > DEPTH:
            self.fail(f"at most {DEPTH} brackets in each other")
        if self.kind == "symbol" and self.token in {"(", "[", "{"}:
            closing = BRACKETS[self.token]
            self.advance()
            items: list[Literal] = []
            while not self.accept(closing):
                items.append(self.literal(depth + 1))
                if not self.accept(",") and self.token != closing:
                    self.fail(f"',' or '{closing}'")
            return items
        return self._typed(depth) if self.kind == "name" else self._plain()

    def _typed(self, depth: int) -> Literal:
        """A value with its type, such as `string("ane")` or `tensor<string, [2]>(["ane", "bnns"])`; or a bare word."""
        word = self.name()
        if self.token == "<":
            self.skip()
        if self.token != "(":
            return word
        content = self.literal(depth + 1)
        return content[0] if isinstance(content, list) and len(content) == 1 else content

    def _plain(self) -> Literal:
        kind, token = self.kind, self.token
        if kind not in {"string", "number"} or (kind == "number" and len(token) > LONGEST_NUMBER):
            self.fail("a string or a number")
        self.advance()
        if kind == "string":
            return unescape(token)
        try:
            return float.fromhex(token) if "x" in token.lower() else float(token)
        except (ValueError, OverflowError) as error:
            raise PlanError(f"'{token[:40]}' is no number; copy or make the file again") from error


def unescape(token: str) -> str:
    """Undo a string's quotes and escapes; where they are none that JSON knows, only those of quotes and backslashes."""
    try:
        text = str(json.loads(token, strict=False))
    except ValueError:
        text = re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def by_key(literal: Literal | None) -> Mapping[str, Literal]:
    """A literal as a dictionary: `{{"ane", 1.0}, …}` is a list of pairs. What is no pair is left out."""
    if not isinstance(literal, list):
        return {}
    pairs = (item for item in literal if isinstance(item, list) and len(item) == 2)
    return {key: value for key, value in pairs if isinstance(key, str)}
