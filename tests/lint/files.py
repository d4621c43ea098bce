"""Configuration files for tests."""

from __future__ import annotations

from pathlib import Path


def write(file: Path, text: str) -> Path:
    """Write a file in a folder that may not exist yet."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file
