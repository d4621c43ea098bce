"""What all tests share: where the fixtures are, and how to call anecheck as a user does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[1]
FIXTURES = REPOSITORY / "fixtures"

RunAnecheck = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def fixtures() -> Path:
    """The folder with the committed packages."""
    return FIXTURES


@pytest.fixture
def anecheck() -> RunAnecheck:
    """Run the command line in a process of its own, from the repository's root."""

    def run(*arguments: str | Path, cwd: Path = REPOSITORY, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "anecheck", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture
def lint_json(anecheck: RunAnecheck) -> Callable[..., dict[str, Any]]:
    """Lint and give back the parsed JSON report."""

    def run(*arguments: str | Path) -> dict[str, Any]:
        result = anecheck("lint", "--format", "json", *arguments)
        assert "Traceback" not in result.stderr
        report: dict[str, Any] = json.loads(result.stdout)
        return report

    return run
