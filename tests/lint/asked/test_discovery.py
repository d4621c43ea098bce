"""Which configuration file counts for a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from anecheck.lint.asked.config import read_configuration
from anecheck.lint.asked.discovery import Discovery
from tests.lint.files import write

TABLE = "[tool.anecheck.budgets]\nfps = 60\n"
OTHER_TABLE = '[project]\nname = "x"\n[tool.ruff]\nline-length = 99\n'


def found(model: Path) -> Path | None:
    return Discovery().file_for(model)


def test_the_nearest_file_above_a_model_counts(tmp_path: Path) -> None:
    outer = write(tmp_path / "anecheck.toml", "")
    inner = write(tmp_path / "app/anecheck.toml", "")
    assert found(tmp_path / "M.mlpackage") == outer
    assert found(tmp_path / "other/deep/M.mlpackage") == outer
    assert found(tmp_path / "app/M.mlpackage") == inner
    assert found(tmp_path / "app/models/v2/M.mlpackage") == inner


def test_one_discovery_gives_each_of_many_models_its_own(tmp_path: Path) -> None:
    discovery = Discovery()
    outer = write(tmp_path / "anecheck.toml", "")
    inner = write(tmp_path / "a/b/anecheck.toml", "")
    for _ in range(2):
        assert discovery.file_for(tmp_path / "a/x.mlpackage") == outer
        assert discovery.file_for(tmp_path / "a/b/c/x.mlpackage") == inner
        assert discovery.file_for(tmp_path / "a/b/x.mlpackage") == inner
        assert discovery.file_for(tmp_path / "a/d/x.mlpackage") == outer


def test_what_lies_in_a_package_configures_nothing(tmp_path: Path) -> None:
    write(tmp_path / "M.mlpackage/anecheck.toml", "")
    outer = write(tmp_path / "anecheck.toml", "")
    assert found(tmp_path / "M.mlpackage") == outer


@pytest.mark.parametrize(
    "text",
    [
        TABLE,
        "[tool]\nanecheck = { budgets = { fps = 60 } }\n",
        "[tool]\nanecheck.budgets.fps = 60\n",
        "tool.anecheck.budgets.fps = 60\n",
        '[tool."anecheck".budgets]\nfps = 60\n',
        "[ tool . anecheck . budgets ]\nfps = 60\n",
        f"{OTHER_TABLE}{TABLE}",
    ],
)
def test_a_table_in_a_pyproject_counts_however_it_is_written(tmp_path: Path, text: str) -> None:
    write(tmp_path / "anecheck.toml", "")
    file = write(tmp_path / "app/pyproject.toml", text)
    assert found(tmp_path / "app/M.mlpackage") == file
    assert read_configuration(file).options(tmp_path / "app/M.mlpackage").budgets.fps == 60


@pytest.mark.parametrize(
    "text",
    [
        OTHER_TABLE,
        "",
        f"# {TABLE}",
        "[tool.anecheck-pack]\nx = 1\n[tool]\ny = 1\n",
        'x = "tool.anecheck"\n',
        "not TOML [",
    ],
)
def test_a_pyproject_without_the_table_is_passed(tmp_path: Path, text: str) -> None:
    outer = write(tmp_path / "anecheck.toml", "")
    write(tmp_path / "app/pyproject.toml", text)
    assert found(tmp_path / "app/M.mlpackage") == outer


def test_the_tools_own_file_counts_before_a_pyproject_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", TABLE)
    own = write(tmp_path / "anecheck.toml", "")
    assert found(tmp_path / "M.mlpackage") == own


def test_links_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "store/anecheck.toml", "")
    (tmp_path / "store/M.mlpackage").mkdir()
    here = write(tmp_path / "app/anecheck.toml", "")
    (tmp_path / "app/M.mlpackage").symlink_to(tmp_path / "store/M.mlpackage")
    (tmp_path / "app/models").symlink_to(tmp_path / "store")
    assert found(tmp_path / "app/M.mlpackage") == here
    assert found(tmp_path / "app/models/M.mlpackage") == tmp_path / "app/models/anecheck.toml"
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/anecheck.toml").symlink_to(here)
    assert found(tmp_path / "linked/M.mlpackage") == tmp_path / "linked/anecheck.toml", "a linked file is a file"


def test_a_path_is_taken_as_it_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = write(tmp_path / "app/anecheck.toml", ""), write(tmp_path / "models/anecheck.toml", "")
    monkeypatch.chdir(tmp_path / "app")
    assert found(Path("M.mlpackage")) == mine
    assert found(Path("../models/M.mlpackage")) == theirs
    theirs.unlink()
    assert found(Path("../models/M.mlpackage")) != mine, "the folder of the caller is not above the model"


@pytest.mark.parametrize("name", ["a" * 300, "nul\0", "/".join(["a"] * 1500)])
def test_folders_that_cannot_be_looked_into_have_no_file(tmp_path: Path, name: str) -> None:
    outer = write(tmp_path / "anecheck.toml", "")
    assert found(tmp_path / name / "M.mlpackage") == outer
