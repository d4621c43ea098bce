"""Places in which snippets are tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.uses.snippets import installed


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """A folder for what is no part of the repository, with a blank in its name."""
    folder = tmp_path / "runner temp"
    folder.mkdir()
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder for the PATH, with `anecheck` in it."""
    return installed(tmp_path / "bin")
