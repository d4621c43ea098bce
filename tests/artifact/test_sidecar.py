"""Sidecars: where they are, what they hold, and what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anecheck.artifact import sidecar
from anecheck.artifact.locate import sidecar_of
from anecheck.artifact.sidecar import (
    Origin,
    Origins,
    SidecarError,
    from_folder,
    read_sidecar,
    write_sidecar,
)

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
ORIGINS = st.builds(
    lambda kind, module, place: Origin(kind, module, *place),
    NAMES,
    st.none() | NAMES,
    st.just((None, None)) | st.tuples(NAMES, st.none() | st.integers(1, (1 << 31) - 1)),
)
WELL_FORMED: dict[str, Any] = {
    "format": "anecheck source map",
    "version": 1,
    "types": ["linear"],
    "modules": ["head"],
    "files": ["net.py"],
    "functions": {"main": [["y", 0, 0, 0, 3]]},
}


@pytest.mark.parametrize(
    ("model", "beside"),
    [
        ("models/Model.mlpackage", "models/Model.anecheck.json"),
        ("Model.v2.mlpackage", "Model.v2.anecheck.json"),
        ("Model.mlmodelc", "Model.anecheck.json"),
        ("Model.MLMODEL", "Model.anecheck.json"),
        ("Model.1", "Model.1.anecheck.json"),
    ],
)
def test_it_lies_beside_the_model(model: str, beside: str) -> None:
    assert sidecar_of(Path(model)) == Path(beside)


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, ORIGINS, max_size=5), max_size=3))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, functions: Origins) -> None:
    file = tmp_path_factory.mktemp("sidecar") / "Model.anecheck.json"
    write_sidecar(file, functions)
    assert read_sidecar(file) == functions


def test_an_operation_takes_a_line_and_repeated_texts_are_written_once(tmp_path: Path) -> None:
    file = tmp_path / "Model.anecheck.json"
    write_sidecar(file, {"main": {f"op_{number}": Origin("relu", None, "net.py", number) for number in range(1, 100)}})
    text = file.read_text(encoding="utf-8")
    assert text.count("net.py") == text.count("relu") == 1
    assert '["op_7", 0, null, 0, 7],\n' in text


def test_the_form_in_the_documentation_is_read(tmp_path: Path) -> None:
    file = tmp_path / "Model.anecheck.json"
    file.write_text(json.dumps(WELL_FORMED), encoding="utf-8")
    assert read_sidecar(file) == {"main": {"y": Origin("linear", "head", "net.py", 3)}}


def row(*content: object) -> dict[str, Any]:
    return {"functions": {"main": [list(content)]}}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "something else"}, "no source map"),
        ({"format": None}, "no source map"),
        ({"version": 2}, "its version is not 1"),
        ({"version": True}, "its version is not 1"),
        ({"types": "linear"}, '"types" are no list'),
        ({"modules": [1]}, '"modules" are no list of names'),
        ({"files": [""]}, '"files" are no list of names'),
        ({"files": ["x" * 5000]}, '"files" are no list of names'),
        ({"files": ["half \ud800 a character"]}, '"files" are no list of names'),
        ({"functions": []}, '"functions" are no object'),
        ({"functions": {"main": {}}}, "the function 'main' is no list"),
        ({"functions": {"\ud800\x1b": 1}}, r"the function '\\ud800\\x1b' is no list"),
        (row("y", 0, 0, 0), "row 1 of the function 'main'"),
        (row("y", None, 0, 0, 1), "is no operation"),
        (row(7, 0, 0, 0, 1), "is no operation"),
        (row("y", 1, 0, 0, 1), "is no operation"),
        (row("y", -1, 0, 0, 1), "is no operation"),
        (row("y", 0, "head", 0, 1), "is no operation"),
        (row("y", 0, True, 0, 1), "is no operation"),
        (row("y", 0, 0, 0, 0), "is no operation"),
        (row("y", 0, 0, 0, 1 << 40), "is no operation"),
        (row("y", 0, 0, 0, 1.5), "is no operation"),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    file = tmp_path / "Model.anecheck.json"
    file.write_text(json.dumps({**WELL_FORMED, **change}), encoding="utf-8")
    with pytest.raises(SidecarError, match=reason) as refused:
        read_sidecar(file)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe\xff", "not valid JSON"),
        (b"[" * 200_000, "not valid JSON"),
        (b'{"version": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b"[]", "no source map"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
    ],
)
def test_what_is_no_json_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "Model.anecheck.json"
    file.write_bytes(content)
    with pytest.raises(SidecarError, match=reason):
        read_sidecar(file)


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    pipe, folder, nowhere = (tmp_path / name for name in ("pipe", "folder", "nowhere"))
    os.mkfifo(pipe)
    folder.mkdir()
    nowhere.symlink_to(tmp_path / "gone")
    for place, reason in ((pipe, "it is no file"), (folder, "it is no file"), (nowhere, "No such file")):
        with pytest.raises(SidecarError, match=reason):
            read_sidecar(place)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "Model.anecheck.json"
    with file.open("wb") as stream:
        stream.truncate(sidecar.LARGEST + 1)
    with pytest.raises(SidecarError, match="larger than 67,108,864 bytes"):
        read_sidecar(file)


@pytest.mark.parametrize(
    ("folder", "file", "seen"),
    [
        ("models", "../src/net.py", "src/net.py"),
        (".", "net.py", "net.py"),
        ("models", "net.py", "models/net.py"),
        ("../app/models", "../net.py", "../app/net.py"),
        ("/app/models", "../net.py", "/app/net.py"),
        ("models", "/home/me/net.py", "/home/me/net.py"),
        ("models", "C:\\me\\net.py", "C:\\me\\net.py"),
        ("models", "../../../../etc/passwd", "../../../etc/passwd"),
    ],
)
def test_files_are_named_as_seen_from_the_working_directory(folder: str, file: str, seen: str) -> None:
    assert from_folder(folder, file) == seen
