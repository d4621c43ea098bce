"""Which models a glob means."""

from __future__ import annotations

from pathlib import Path

import pytest

from anecheck.lint.asked.globs import fits, is_literal


@pytest.mark.parametrize(
    ("glob", "fitting", "others"),
    [
        ("M.mlpackage", ["M.mlpackage", "deep/er/M.mlpackage"], ["M2.mlpackage", "M.mlpackage.mlmodel"]),
        ("*.mlmodel", ["a.mlmodel", "deep/a.mlmodel"], ["a.mlmodelc"]),
        ("models/*.mlpackage", ["models/M.mlpackage"], ["M.mlpackage", "models/deep/M.mlpackage"]),
        ("models/**/*.mlpackage", ["models/M.mlpackage", "models/a/b/M.mlpackage"], ["other/M.mlpackage"]),
        ("**", ["M.mlpackage", "a/b/M.mlpackage"], []),
        ("./models/*", ["models/M.mlpackage"], ["M.mlpackage"]),
        ("../beside/*", ["../beside/M.mlpackage"], ["beside/M.mlpackage"]),
        ("{a,b}/*", ["a/M.mlpackage", "b/M.mlpackage"], ["c/M.mlpackage"]),
        ("v[12].mlmodel", ["v1.mlmodel"], ["v3.mlmodel"]),
        (".hidden/*", [".hidden/M.mlmodel"], []),
    ],
)
def test_stars_stay_in_a_folder_and_names_fit_anywhere(
    tmp_path: Path, glob: str, fitting: list[str], others: list[str]
) -> None:
    folder = tmp_path / "project"
    assert [path for path in fitting + others if fits(folder / path, [glob], folder)] == fitting
    assert [path for path in fitting + others if fits(folder / path, ["nothing", glob], folder)] == fitting


def test_a_glob_may_begin_at_the_root(tmp_path: Path) -> None:
    assert fits(tmp_path / "a/M.mlmodel", [f"{tmp_path}/*/M.mlmodel"], tmp_path / "elsewhere")


def test_a_path_needs_no_search() -> None:
    assert is_literal("models/M.mlpackage")
    assert not is_literal("M.mlpackage"), "it fits in any folder"
    assert not is_literal("models/*.mlpackage")
