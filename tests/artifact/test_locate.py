"""Which models the paths of a command line mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from anecheck.artifact.errors import ArtifactError
from anecheck.artifact.load import load
from anecheck.artifact.locate import ListFileError, find_models

TREE = (
    "a.mlpackage/Manifest.json",
    "a.mlpackage/Data/com.apple.CoreML/model.mlmodel",
    "a.mlpackage/Data/com.apple.CoreML/inner.mlpackage/Manifest.json",
    "b.mlmodel",
    "notes.txt",
    "deep/er/c.mlmodelc/model.mil",
    "deep/er/c.mlmodelc/model0/model.mil",
    "deep/er/D.MLPACKAGE/Manifest.json",
    "deep/e.MlModel",
    ".hidden/f.mlmodel",
    "deep/.git/g.mlpackage/Manifest.json",
    "empty/notes.txt",
)
ALL = ["a.mlpackage", "b.mlmodel", "deep/e.MlModel", "deep/er/D.MLPACKAGE", "deep/er/c.mlmodelc"]


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models (empty files will do), which is the working folder too."""
    for name in TREE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*paths: str | Path) -> list[str]:
    return [model.as_posix() for model in find_models(map(str, paths))]


def test_a_folder_means_every_model_below_it_sorted() -> None:
    assert found(".") == ALL
    assert found("deep") == ALL[2:]


def test_a_model_means_itself() -> None:
    assert found("b.mlmodel", "a.mlpackage", "deep/er/c.mlmodelc") == ["b.mlmodel", "a.mlpackage", "deep/er/c.mlmodelc"]


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("a.mlpackage/Manifest.json", "a.mlpackage"),
        ("a.mlpackage/Data", "a.mlpackage"),
        ("a.mlpackage/Data/com.apple.CoreML/model.mlmodel", "a.mlpackage"),
        ("a.mlpackage/Data/com.apple.CoreML/inner.mlpackage", "a.mlpackage"),
        ("a.mlpackage/Data/com.apple.CoreML/inner.mlpackage/Manifest.json", "a.mlpackage"),
        ("a.mlpackage/no/such/file", "a.mlpackage"),
        ("deep/er/c.mlmodelc/model.mil", "deep/er/c.mlmodelc"),
        ("deep/er/c.mlmodelc/model0", "deep/er/c.mlmodelc"),
        ("deep/er/D.MLPACKAGE/Manifest.json", "deep/er/D.MLPACKAGE"),
    ],
)
def test_what_lies_in_a_package_means_the_outermost_package(path: str, model: str) -> None:
    assert found(path) == [model]


def test_inside_a_package_a_path_that_is_there_means_the_package(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = (tree / "a.mlpackage").as_posix()
    monkeypatch.chdir(tree / "a.mlpackage")
    assert found(".", "Data") == [package]
    assert found("../b.mlmodel", "..") == ["../b.mlmodel", *(f"../{name}" for name in ALL if name != "b.mlmodel")]
    monkeypatch.chdir(tree / "a.mlpackage/Data/com.apple.CoreML")
    for path in (".", "..", "../..", "model.mlmodel", "../../Manifest.json"):
        assert found(path) == [package]
    absent = ["absent.mlmodel", "x" * 5000, "a\0b"]
    assert found(*absent) == absent


def test_hidden_folders_are_searched_only_where_they_are_named() -> None:
    assert found("deep/.git", ".hidden") == ["deep/.git/g.mlpackage", ".hidden/f.mlmodel"]
    assert found(".hidden/f.mlmodel") == [".hidden/f.mlmodel"]


def test_a_hidden_package_is_a_package(tree: Path) -> None:
    (tree / "empty/.draft.mlpackage").mkdir()
    assert found("empty") == ["empty/.draft.mlpackage"]


def test_what_is_no_model_or_does_not_exist_stays_so_that_reading_it_gives_the_reason() -> None:
    paths = ["empty", "notes.txt", "absent.mlpackage", "absent", "x" * 5000, "a\0b"]
    assert found(*paths) == paths
    for model in find_models(paths):
        with pytest.raises(ArtifactError):
            load(model)


def test_order_is_that_of_the_command_line() -> None:
    assert found("deep/er", "b.mlmodel", ".") == [
        "deep/er/D.MLPACKAGE",
        "deep/er/c.mlmodelc",
        "b.mlmodel",
        "a.mlpackage",
        "deep/e.MlModel",
    ]


def test_a_model_is_found_once_however_it_is_spelled(tree: Path) -> None:
    (tree / "link.mlpackage").symlink_to("a.mlpackage")
    (tree / "deep/up").symlink_to("..")
    spellings = (
        *("a.mlpackage", "a.mlpackage/", "./a.mlpackage", "deep/../a.mlpackage", "a.mlpackage/Data/.."),
        *(tree / "a.mlpackage", "link.mlpackage", "link.mlpackage/Manifest.json", "deep/up/a.mlpackage"),
    )
    assert found(*spellings) == ["a.mlpackage"]
    assert found(*reversed(spellings)) == ["deep/up/a.mlpackage"]


def test_links_to_folders_are_followed_only_where_they_are_named(tree: Path) -> None:
    (tree / "empty/loop").symlink_to("..")
    (tree / "empty/link.mlmodel").symlink_to("../b.mlmodel")
    (tree / "empty/link.mlpackage").symlink_to("../a.mlpackage")
    assert found("empty") == ["empty/link.mlmodel", "empty/link.mlpackage"]
    assert found("empty/loop/deep") == [f"empty/loop/{name}" for name in ALL[2:]]


def test_a_loop_of_links_stays_for_reading_to_explain(tree: Path) -> None:
    (tree / "loop").symlink_to("loop")
    assert found("loop", "loop/deeper") == ["loop", "loop/deeper"]


def test_a_list_holds_a_path_a_line(tree: Path) -> None:
    lines = [
        "# models",
        "",
        "  deep/er  ",
        "\t# more",
        "b.mlmodel",
        "a.mlpackage/Data",
        "absent",
        "b.mlmodel",
        "#b#.mlmodel",
    ]
    (tree / "models.txt").write_text("\r\n".join(lines), encoding="utf-8")
    models = ["deep/er/D.MLPACKAGE", "deep/er/c.mlmodelc", "b.mlmodel", "a.mlpackage", "absent"]
    assert found("@models.txt") == models
    assert found(f"@{tree}/models.txt") == models
    assert found("absent", "@models.txt", "empty") == ["absent", *models[:-1], "empty"]


def test_what_is_there_under_the_very_name_of_a_list_is_no_list(tree: Path) -> None:
    (tree / "@team/n.mlpackage").mkdir(parents=True)
    (tree / "@team/n.mlpackage/Manifest.json").touch()
    (tree / "@o.mlmodel").touch()
    assert found("@team", "@team/n.mlpackage/Manifest.json", "@o.mlmodel") == ["@team/n.mlpackage", "@o.mlmodel"]


def test_an_empty_list_means_nothing(tree: Path) -> None:
    (tree / "empty.txt").write_text("\n# nothing\n", encoding="utf-8")
    assert found("@empty.txt") == []
    assert found() == []


def test_a_list_names_no_further_lists(tree: Path) -> None:
    (tree / "models.txt").write_text("@other.txt\n", encoding="utf-8")
    assert found("@models.txt") == ["@other.txt"]


def test_a_list_may_hold_any_characters_that_text_has(tree: Path) -> None:
    (tree / "models.txt").write_bytes("naïve.mlmodel\na\0b\n".encode())
    assert found("@models.txt") == ["naïve.mlmodel", "a\0b"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.txt", "cannot read the list of models 'absent.txt': No such file or directory"),
        ("deep", "cannot read the list of models 'deep': Is a directory"),
        ("latin.txt", "cannot read the list of models 'latin.txt': it is no UTF-8 text"),
        ("", "cannot read the list of models '': Is a directory"),
    ],
)
def test_a_list_that_cannot_be_read_is_an_error(tree: Path, name: str, message: str) -> None:
    (tree / "latin.txt").write_bytes("naïve.mlmodel".encode("latin-1"))
    with pytest.raises(ListFileError) as caught:
        found("b.mlmodel", f"@{name}")
    assert str(caught.value) == message


def test_what_is_only_named_like_a_package_is_not_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "archive.mlpackage").write_bytes(b"PK")
    (folder / "gone.mlpackage").symlink_to("nowhere")
    found = find_models([str(folder)])
    assert [path.name for path in found] == ["archive.mlpackage", "gone.mlpackage"]
