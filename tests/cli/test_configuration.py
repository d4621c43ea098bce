"""Configuration files as a user meets them: what they change, and what a wrong one does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FIXTURES, RunAnecheck
from tests.lint.files import write

LintJson = Callable[..., dict[str, Any]]

TINY = FIXTURES / "ok/spec08_ios17_conv.mlpackage"
RESNET = FIXTURES / "zoo/resnet50.mlpackage"


def copy(model: Path, folder: Path, name: str = "") -> Path:
    """A copy of a fixture in a folder of its own."""
    target = folder / (name or model.name)
    shutil.copytree(model, target, symlinks=True)
    return target


def frames(report: dict[str, Any]) -> dict[str, float]:
    """The frames that models miss, or may, by their names."""
    return {
        Path(model["path"]).name: finding["data"]["budget_ms"]
        for model in report["models"]
        for finding in model["findings"]
        if finding["code"] == "ANE809"
    }


def test_two_models_in_one_run_have_each_their_own(lint_json: LintJson, tmp_path: Path) -> None:
    copy(TINY, tmp_path / "a", "A.mlpackage")
    copy(TINY, tmp_path / "b", "B.mlpackage")
    copy(TINY, tmp_path / "c", "C.mlpackage")
    write(tmp_path / "a/anecheck.toml", "[budgets]\nfps = 1e6\nheadroom = 0")
    write(tmp_path / "b/pyproject.toml", '[tool.anecheck.budgets]\nfps = 2e6\nheadroom = "50%"')
    assert frames(lint_json(tmp_path)) == pytest.approx({"A.mlpackage": 1e-3, "B.mlpackage": 0.25e-3})
    assert frames(lint_json(tmp_path / "b", tmp_path / "c")) == pytest.approx({"B.mlpackage": 0.25e-3})


def test_options_win_over_the_file(lint_json: LintJson, tmp_path: Path) -> None:
    model = copy(TINY, tmp_path)
    write(tmp_path / "anecheck.toml", "[budgets]\nfps = 1e6\nheadroom = 0.5")
    assert frames(lint_json(model)) == pytest.approx({TINY.name: 0.5e-3})
    assert frames(lint_json(model, "--fps", "2e6")) == pytest.approx({TINY.name: 0.25e-3})
    assert frames(lint_json(model, "--headroom", "0")) == pytest.approx({TINY.name: 1e-3})
    assert frames(lint_json(model, "--fps", "1")) == {}


def test_models_of_a_file_share_the_frame(lint_json: LintJson, tmp_path: Path) -> None:
    copy(RESNET, tmp_path, "A.mlpackage")
    copy(RESNET, tmp_path, "B.mlpackage")
    write(tmp_path / "anecheck.toml", 'budgets = { fps = 500, with = ["A.mlpackage", "B.mlpackage"] }')
    report = lint_json(tmp_path, "--target", "a16")
    findings = [finding for model in report["models"] for finding in model["findings"] if finding["code"] == "ANE809"]
    own = report["models"][0]["functions"][0]["summary"]["latency"]["ms"]
    assert [finding["data"]["estimated_ms"] for finding in findings] == pytest.approx([2 * own, 2 * own])
    assert "B.mlpackage (1.42 ms) beside it" in findings[0]["message"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[budgets]\nfsp = 60", "anecheck.toml: there is no setting 'budgets.fsp'; did you mean 'fps'?"),
        ("[budgets]\nfps = 'x'", "anecheck.toml: budgets.fps: 'x' is no number above 0"),
        ("[budgets", "anecheck.toml: "),
        ("[budgets]\nwith = ['Gone.mlpackage']", "Gone.mlpackage', to run beside others, cannot be read"),
    ],
)
def test_a_wrong_file_is_a_usage_error_before_anything_is_linted(
    anecheck: RunAnecheck, tmp_path: Path, text: str, message: str
) -> None:
    fine, wrong = copy(TINY, tmp_path / "1"), copy(TINY, tmp_path / "2")
    file = write(tmp_path / "2/anecheck.toml", text)
    result = anecheck("lint", fine, wrong, "-o", tmp_path / "report.txt")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("Error:") == 1
    assert message in " ".join(result.stderr.split())
    assert str(file.parent) in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "report.txt").exists()


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_a_closed_file_is_a_usage_error(anecheck: RunAnecheck, tmp_path: Path) -> None:
    model = copy(TINY, tmp_path)
    write(tmp_path / "anecheck.toml", "").chmod(0)
    result = anecheck("lint", model)
    assert result.returncode == 2
    assert "anecheck.toml: cannot be read: Permission denied" in result.stderr


@pytest.mark.skipif(not Path("/proc/self/mem").is_file(), reason="Linux has a file whose beginning nobody can read")
def test_a_file_that_fails_while_it_is_read_is_a_usage_error(anecheck: RunAnecheck, tmp_path: Path) -> None:
    model = copy(TINY, tmp_path)
    (tmp_path / "anecheck.toml").symlink_to("/proc/self/mem")
    result = anecheck("lint", model)
    assert result.returncode == 2
    assert "anecheck.toml: cannot be read: " in result.stderr
    assert "Traceback" not in result.stderr


def test_names_that_are_too_long_are_models_that_cannot_be_read(anecheck: RunAnecheck, tmp_path: Path) -> None:
    result = anecheck("lint", tmp_path / ("a" * 300) / "M.mlpackage")
    assert result.returncode == 3
    assert "Traceback" not in result.stderr


def test_what_is_excluded_is_linted_where_it_is_named_unless_that_is_forced(
    lint_json: LintJson, tmp_path: Path
) -> None:
    package, file = copy(TINY, tmp_path), tmp_path / "Old.mlmodel"
    shutil.copy(FIXTURES / "ok/bare_program.mlmodel", file)
    write(tmp_path / "anecheck.toml", 'exclude = ["*.mlmodel", "*.mlpackage"]')

    def models(*arguments: str | Path) -> list[str]:
        return [Path(model["path"]).name for model in lint_json(*arguments)["models"]]

    assert models(package, file) == [TINY.name, "Old.mlmodel"]
    assert models(tmp_path, package / "Manifest.json") == []
    assert models("--force-exclude", package, file) == []
    write(tmp_path / "anecheck.toml", 'exclude = ["*.mlmodel"]')
    assert models("--force-exclude", package, file) == [TINY.name]
