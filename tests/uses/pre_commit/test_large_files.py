"""Models in Git LFS: with their content, with some of it, and with none."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.uses.pre_commit.large_files import lose, pointer_to, track
from tests.uses.pre_commit.repositories import BAD, GOOD, Repository, linted, new_repository, outcome

MODEL = "models/Encoder.mlpackage"
PROGRAM = "Data/com.apple.CoreML/model.mlmodel"
WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"


@pytest.fixture
def store(app: Repository, tmp_path: Path) -> Path:
    """Where contents are kept of models, every file of which is tracked as a large one."""
    store = tmp_path / "store"
    track(app, store, "**/*.mlpackage/**", "*.mlmodel")
    app.commit_unchecked()
    return store


@pytest.mark.usefixtures("store")
def test_the_content_of_large_files_is_linted_where_it_is_there(app: Repository) -> None:
    package = app.put(BAD, MODEL)
    assert linted(app.commit()) == [MODEL]
    assert app.git("show", f":{MODEL}/{PROGRAM}") == pointer_to((package / PROGRAM).read_bytes())
    app.put(GOOD, MODEL)
    assert outcome(app.commit()) == "Passed"
    assert app.git("show", f"HEAD:{MODEL}/{WEIGHTS}") == pointer_to((package / WEIGHTS).read_bytes())


def test_weights_need_not_be_fetched(app: Repository, store: Path) -> None:
    package = app.put(GOOD, MODEL)
    app.commit_unchecked()
    lose(app, store, package / WEIGHTS)
    assert (package / WEIGHTS).stat().st_size < 200
    assert app.git("status", "--short") == ""
    assert outcome(app.pre_commit("run", "anecheck", "--all-files")) == "Passed"


@pytest.mark.parametrize("name", [PROGRAM, "Manifest.json"])
def test_a_model_that_was_not_fetched_fails_and_what_to_run_stands_on_a_line(
    app: Repository, store: Path, name: str
) -> None:
    package = app.put(GOOD, MODEL)
    app.commit_unchecked()
    lose(app, store, package / name)
    done = app.pre_commit("run", "anecheck", "--all-files")
    assert (outcome(done), linted(done)) == ("Failed", [MODEL])
    assert "exit code: 3" in done.stdout
    assert "  `git lfs pull --include='*.mlmodel,*.mil,Manifest.json'`\n" in done.stdout


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="Git LFS is not installed")
def test_what_a_message_says_to_run_fetches_programs_and_no_weights(app: Repository, tmp_path: Path) -> None:
    app.git("lfs", "install", "--local")
    app.git("lfs", "track", "**/*.mlpackage/**", "*.mlmodel", "**/*.mlmodelc/**")
    package = app.put(GOOD, MODEL)
    app.put("ok/bare_program.mlmodel", "models/Old.mlmodel")
    app.put(GOOD, "models/Compiled.mlmodelc")
    assert outcome(app.commit()) == "Passed"
    size = (package / WEIGHTS).stat().st_size

    elsewhere = new_repository(tmp_path / "clone", app.environment)
    elsewhere.git("lfs", "install", "--local", "--skip-smudge")
    elsewhere.git("pull", "--quiet", app.folder.as_uri(), "HEAD")
    elsewhere.git("remote", "add", "origin", app.folder.as_uri())
    done = elsewhere.pre_commit("run", "anecheck", "--all-files")
    assert len(linted(done)) == 3
    commands = set(re.findall(r"`(git lfs pull.*)`", done.stdout))
    assert len(commands) == 1
    assert elsewhere.run("sh", "-c", commands.pop(), inside="models").returncode == 0
    assert outcome(elsewhere.pre_commit("run", "anecheck", "--all-files")) == "Passed"
    assert (elsewhere.folder / MODEL / WEIGHTS).read_text().endswith(f"size {size}\n")
