"""Which file and line an operation is of, where a model was exported."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import pytest

from anecheck.artifact.sidecar import Origin
from tests.capture.programs import captured, ct, exported, single


def test_the_innermost_of_the_users_own_frames_counts(project: Path) -> None:
    (project / "src/block.py").touch()
    inside = Path(sysconfig.get_path("purelib")) / "torch/nn/modules/linear.py"
    frames = ((project / "src/net.py", 3), (project / "src/block.py", 7), (inside, 125))
    assert captured(single(exported(*frames)), project) == {"y": Origin("relu", None, "../src/block.py", 7)}


@pytest.mark.parametrize(
    "foreign",
    [
        *(os.__file__, str(Path(ct.__file__)), "/nowhere/gone.py", "<stdin>", "<eval_with_key>.1"),
        *("/opt/env/lib/python3.12/site-packages/timm/vit.py", "/usr/lib/python3/dist-packages/timm/vit.py"),
    ],
)
def test_other_peoples_files_and_what_is_no_file_are_passed_over(project: Path, foreign: str) -> None:
    own = (project / "src/net.py", 3)
    assert captured(single(exported(own, (foreign, 9))), project)["y"] == Origin("relu", None, "../src/net.py", 3)
    assert captured(single(exported((foreign, 9))), project)["y"] == Origin("relu")


def test_torch_is_passed_over_wherever_it_lies(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = tmp_path / "pytorch/torch"
    checkout.mkdir(parents=True)
    for name in ("__init__.py", "functional.py"):
        (checkout / name).touch()
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(__file__=str(checkout / "__init__.py")))
    frames = ((project / "src/net.py", 3), (checkout / "functional.py", 9))
    assert captured(single(exported(*frames)), project)["y"].line == 3


def test_a_file_of_another_project_is_named_in_full(project: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared.py"
    shared.touch()
    assert captured(single(exported((shared, 1))), project)["y"].file == shared.as_posix()


def test_without_a_project_the_working_directory_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "net.py").touch()
    model = single(exported((tmp_path / "net.py", 1)))
    monkeypatch.chdir(tmp_path)
    assert captured(model, tmp_path)["y"].file == "../net.py"
    monkeypatch.chdir(tmp_path / "models")
    assert captured(model, tmp_path)["y"].file == (tmp_path / "net.py").as_posix()
