"""Git LFS pointers: the small text that stands in for a file which was not fetched."""

from __future__ import annotations

POINTER_PREFIX = b"version https://git-lfs.github.com/spec/"
POINTER_LIMIT = 1024
"""Git LFS pointers are shorter than this many bytes."""


def pointer_size(head: bytes) -> int | None:
    """The size in bytes that a Git LFS pointer promises, 0 where it names none; `None` if `head` is no pointer."""
    if not head.startswith(POINTER_PREFIX):
        return None
    for line in head[:POINTER_LIMIT].splitlines():
        key, _, value = line.partition(b" ")
        if key == b"size" and value.isdigit():
            return int(value)
    return 0
