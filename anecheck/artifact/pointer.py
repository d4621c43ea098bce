"""Git LFS pointers: the small text that stands in for a file which was not fetched."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

POINTER_PREFIX = b"version https://git-lfs.github.com/spec/"
POINTER_LIMIT = 1024
"""Git LFS pointers are shorter than this many bytes."""
READ: Final = ("*.mlmodel", "*.mil", "Manifest.json")
"""The files of models that are read, as Git LFS takes patterns: each fits at any depth of the repository."""


def pointer_size(head: bytes) -> int | None:
    """The size in bytes that a Git LFS pointer promises, 0 where it names none; `None` if `head` is no pointer."""
    if not head.startswith(POINTER_PREFIX):
        return None
    for line in head[:POINTER_LIMIT].splitlines():
        key, _, value = line.partition(b" ")
        if key == b"size" and value.isdigit():
            return int(value)
    return 0


def fetch_command(file: PurePath) -> str:
    """What brings a file that is read of a model, and all others like it, but no weights, which nobody needs for a lint."""
    is_one = any(file.match(pattern) for pattern in READ)
    return f"git lfs pull --include='{','.join(READ)}'" if is_one else "git lfs pull"
