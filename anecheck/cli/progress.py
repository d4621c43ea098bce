"""What is shown, and cleaned up, while models are linted."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from anecheck.report.escape import visible

PROGRESS_FROM: Final = 5
"""How many models it takes for a progress line."""
LINE: Final = 79


def before_each(count: int, *, quiet: bool, jobs: int = 1) -> Callable[[Path], None] | None:
    """What to do before each model: show progress, and drop the graphs of the last one, whose nodes form circles.

    What is there before the first one stays, and is not looked through each time. Other processes see to themselves.
    """
    show = _progress(count, quiet=quiet)
    if count == 1 or jobs > 1:
        return show
    gc.freeze()

    def prepare(path: Path) -> None:
        gc.collect()
        if show:
            show(path)

    return prepare


def _progress(count: int, *, quiet: bool) -> Callable[[Path], None] | None:
    """A line on the standard error that names the model being read, where somebody watches and there are many."""
    if quiet or count < PROGRESS_FROM or not sys.stderr.isatty():
        return None
    done = 0

    def show(path: Path) -> None:
        nonlocal done
        done += 1
        line = f"[{done}/{count}] {visible(path.name)}"[:LINE]
        click.echo(f"\r{line:<{LINE}}" if done < count else "\r" + " " * LINE + "\r", nl=False, err=True)

    return show
