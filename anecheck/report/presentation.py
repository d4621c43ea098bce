"""What whoever asks for a report wants of it, the same for every format."""

from __future__ import annotations

from typing import NamedTuple


class Presentation(NamedTuple):
    """How a report is to be written; a format takes from it what means something to it.

    Relative paths of the report are from the folder `base`, and paths that lie inside of `root` are written from there; the
    `root` is the `base` where it is empty. A service that shows findings beside files wants the repository's folder as `root`.
    Both are absolute, or empty: then relative paths stay as they are.
    """

    width: int = 80
    colour: bool = False
    quiet: bool = False
    """Only findings: nothing of models that have none, and no closing line."""
    verbose: bool = False
    """Every operation's name, however many there are."""
    base: str = ""
    root: str = ""
    room: int | None = None
    """How many bytes the place holds that the report goes to, where that is known; only Markdown cuts itself to fit."""
