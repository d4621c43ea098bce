"""What the tests of `anecheck.capture` share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a network's file and a folder for models."""
    folder = tmp_path / "project"
    for name in ("src", "models"):
        (folder / name).mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    (folder / "src/net.py").write_text("# a network\n", encoding="utf-8")
    return folder
