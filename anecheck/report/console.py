"""A terminal on paper: what is printed becomes text, with the same wrapping and colours on every machine."""

from __future__ import annotations

import io

from rich.console import Console


def make_console(width: int, *, colour: bool) -> Console:
    """A console that writes into memory; nothing of the environment decides how."""
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        _environ={},
    )


def printed(console: Console) -> str:
    """What was printed so far, without the spaces at the ends of lines."""
    content = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""
    return "\n".join(line.rstrip() for line in content.split("\n"))
