"""Configuration files: what they may say, of which models, and how it is told what is wrong with them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from anecheck.lint.config import Configuration, ConfigurationError, read_configuration
from anecheck.lint.discovery import Discovery
from anecheck.lint.wanted import NOTHING_WANTED, Wanted
from tests.lint.files import write


def configured(folder: Path, text: str, name: str = "anecheck.toml") -> Configuration:
    """What a file says."""
    return read_configuration(write(folder / name, text))


MODELS = """
[budgets]
fps = 30
headroom = "10%"

[[models]]
path = "camera/*"
budgets = { fps = 60, load = "camera" }

[[models]]
path = "Matting*.mlpackage"
budgets = { headroom = 0.25, residency = "always" }

[[models]]
path = "camera/MattingFast.mlpackage"
budgets = { fps = 120 }
"""


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        ("Other.mlpackage", Wanted(fps=30, headroom=0.1)),
        ("deep/Other.mlpackage", Wanted(fps=30, headroom=0.1)),
        ("camera/Other.mlpackage", Wanted(fps=60, headroom=0.1, load="camera")),
        ("any/where/Matting2.mlpackage", Wanted(fps=30, headroom=0.25, residency="always")),
        ("camera/Matting.mlpackage", Wanted(fps=60, headroom=0.25, load="camera", residency="always")),
        ("camera/MattingFast.mlpackage", Wanted(fps=120, headroom=0.25, load="camera", residency="always")),
        ("camera/../Other.mlpackage", Wanted(fps=30, headroom=0.1)),
    ],
)
def test_the_last_section_that_fits_wins_then_the_general_one(tmp_path: Path, model: str, wanted: Wanted) -> None:
    given = configured(tmp_path, MODELS).options(tmp_path / model).budgets
    assert given.over(Wanted(beside=())) == wanted.over(Wanted(beside=()))


def test_sizes_and_shares_as_texts(tmp_path: Path) -> None:
    text = '[budgets]\nheadroom = "15%"\nmemory-limit = "1.5GiB"\nfps = "60"\nsustained = 10\n'
    wanted = configured(tmp_path, text).options(tmp_path / "M.mlpackage").budgets
    assert wanted.headroom == pytest.approx(0.15)
    assert (wanted.memory_limit, wanted.fps, wanted.sustained) == (1.5 * 2**30, 60, 10)
    assert (
        configured(tmp_path, "[budgets]\nmemory-limit = 150_000_000").options(tmp_path / "M").budgets.memory_limit
        == 150e6
    )


def test_models_beside_are_relative_to_the_file(tmp_path: Path) -> None:
    file = configured(tmp_path / "app", '[budgets]\nwith = ["../B.mlpackage", "/opt/C.mlpackage"]\n')
    beside = file.options(tmp_path / "app/deep/A.mlpackage").budgets.beside
    assert beside == (tmp_path / "app/../B.mlpackage", Path("/opt/C.mlpackage"))
    one = configured(tmp_path / "app", '[budgets]\nwith = "B.mlpackage"\n')
    assert one.options(tmp_path / "app/A.mlpackage").budgets.beside == (tmp_path / "app/B.mlpackage",)


def test_a_model_is_not_beside_itself_and_a_section_may_be_alone(tmp_path: Path) -> None:
    text = """
        budgets.with = ["A.mlpackage", "B.mlpackage"]
        [[models]]
        path = "Alone.mlpackage"
        budgets.with = []
    """
    file = configured(tmp_path, text)
    assert file.options(tmp_path / "A.mlpackage").budgets.beside == (tmp_path / "B.mlpackage",)
    assert file.options(tmp_path / "x/../B.mlpackage").budgets.beside == (tmp_path / "A.mlpackage",)
    assert len(file.options(tmp_path / "C.mlpackage").budgets.beside or ()) == 2
    assert file.options(tmp_path / "Alone.mlpackage").budgets.beside == ()


def test_an_empty_file_wants_nothing(tmp_path: Path) -> None:
    assert configured(tmp_path, "").options(tmp_path / "M").budgets.over(NOTHING_WANTED) == Wanted(beside=())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[budgets]\nfsp = 60", "there is no setting 'budgets.fsp'; did you mean 'fps'?"),
        ("[budget]\nfps = 60", "there is no setting 'budget'; did you mean 'budgets'?"),
        ("[budgets]\nmemory_limits = 1", "there is no setting 'budgets.memory_limits'; did you mean 'memory-limit'?"),
        ("[budgets]\nzzz = 1", "there is no setting 'budgets.zzz'$"),
        ("[[models]]\npath = 'a'\n[[models]]\npath = 'b'\nbudgets.lod = 'cold'", "'models.2.budgets.lod'; did you mean 'load'"),
        ("[budgets]\nfps = 0", "budgets.fps: '0' is no number above 0"),
        ("[budgets]\nfps = nan", "budgets.fps: 'nan' is no number above 0"),
        ("[budgets]\nfps = true", "budgets.fps: 'True' is no number above 0"),
        ("[budgets]\nheadroom = '100%'", "budgets.headroom: '100%' is no share of a frame; write for example 20%"),
        ("[budgets]\nmemory-limit = '5parsecs'", "budgets.memory-limit: '5parsecs' is no amount of memory"),
        ("[budgets]\nresidency = 'twice'", "budgets.residency: Input should be 'single' or 'always'"),
        ("[budgets]\nwith = 3", "budgets.with: write a list"),
        ("[[models]]\nbudgets.fps = 3", "models.1.path: Field required"),
        ("[models]\npath = 'x'", "models: write a list"),
        ("budgets = 3", "budgets: write a table"),
        ("[budgets\nfps = 3", "line 1"),
        ("[budgets]\nfps = 3\nfps = 4\n", "line 3"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_and_place(tmp_path: Path, text: str, message: str) -> None:
    file = write(tmp_path / "anecheck.toml", text)
    with pytest.raises(ConfigurationError, match=f"^{re.escape(str(file))}: .*{_pattern(message)}"):
        read_configuration(file)


def test_what_is_wrong_in_a_pyproject_is_told_with_its_table(tmp_path: Path) -> None:
    file = write(tmp_path / "pyproject.toml", "[tool.anecheck.budgets]\nfps = 0\n")
    with pytest.raises(
        ConfigurationError, match=r"pyproject.toml: tool.anecheck.budgets.fps: '0' is no number above 0"
    ):
        read_configuration(file)
    write(file, "[tool.anecheck.budget]\nfps = 1\n")
    with pytest.raises(ConfigurationError, match=r"no setting 'tool.anecheck.budget'; did you mean 'budgets'"):
        read_configuration(file)


def _pattern(message: str) -> str:
    return re.escape(message).replace(r"\$", "$")


def test_a_table_that_is_none(tmp_path: Path) -> None:
    file = write(tmp_path / "pyproject.toml", "[tool]\nanecheck = 3\n")
    assert Discovery().file_for(tmp_path / "M.mlpackage") == file
    with pytest.raises(ConfigurationError, match=r"tool.anecheck: write a table"):
        read_configuration(file)
    write(file, "tool = 3\n")
    assert Discovery().file_for(tmp_path / "M.mlpackage") != file


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "anecheck.toml").write_bytes(b"[budgets]\nload = '\xff'")
    with pytest.raises(ConfigurationError, match=r"anecheck.toml: it is no UTF-8 text"):
        read_configuration(tmp_path / "anecheck.toml")
    with pytest.raises(ConfigurationError, match=r"gone.toml: cannot be read: No such file"):
        read_configuration(tmp_path / "gone.toml")
