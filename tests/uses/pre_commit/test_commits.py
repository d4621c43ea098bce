"""The hooks as pre-commit runs them when somebody commits: the very file that it reads, in real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.uses.pre_commit.repositories import BAD, GOOD, Repository, linted, new_repository, outcome

ALL = "anecheck (all models)"
MODEL = "models/Encoder.mlpackage"
INNER = "Data/com.apple.CoreML"


def commits(app: Repository) -> int:
    return int(app.git("rev-list", "--count", "HEAD"))


def test_a_bad_model_keeps_the_commit_from_happening_until_it_is_mended(app: Repository) -> None:
    app.put(BAD, MODEL)
    done = app.commit()
    assert (done.returncode, outcome(done), linted(done), commits(app)) == (1, "Failed", [MODEL], 1)
    assert "exit code: 1" in done.stdout
    assert 'Unsupported MIL operation "cumsum"' in done.stdout
    app.put(GOOD, MODEL)
    done = app.commit()
    assert (done.returncode, outcome(done), commits(app)) == (0, "Passed", 2)


def test_it_is_skipped_once_where_somebody_says_so(app: Repository) -> None:
    app.put(BAD, MODEL)
    done = app.commit(SKIP="anecheck")
    assert (done.returncode, outcome(done), commits(app)) == (0, "Skipped", 2)


@pytest.mark.parametrize("name", ["Manifest.json", f"{INNER}/model.mlmodel", f"{INNER}/weights/weight.bin"])
def test_a_change_of_any_file_of_a_package_lints_it(app: Repository, name: str) -> None:
    package = app.put(BAD, MODEL)
    (package / INNER / "weights").mkdir()
    (package / INNER / "weights/weight.bin").write_bytes(bytes(64))
    app.commit_unchecked()
    with (package / name).open("ab") as file:  # spaces after JSON, and a field of no consequence in a protobuf message
        file.write(b" \n" if name == "Manifest.json" else b"\xfa\xff\x7f\x00")
    done = app.commit()
    assert (done.returncode, linted(done)) == (1, [MODEL])
    assert "ANE104" in done.stdout


def test_other_files_are_of_no_concern(app: Repository) -> None:
    app.put(BAD, MODEL)
    app.commit_unchecked()
    others = ("README.md", "Encoder.mlpackage.zip", "mlpackage/a.txt", "models/Encoder.anecheck.json", "a.mlmodel.md")
    for name in others:
        app.write(name, "x")
    assert outcome(app.commit()) == "Skipped"
    assert commits(app) == 3


def test_every_kind_and_name_of_model_is_seen(app: Repository) -> None:
    packages = [
        *("A.MLPACKAGE", "compiled.mlmodelc", "with spaces/My Model.mlpackage", "@team/Net.mlpackage"),
        *("-v.mlpackage", "it's $(touch x).mlpackage", "outer.mlpackage"),
    ]
    for name in (*packages, "outer.mlpackage/Data/inner.mlpackage"):
        app.put(BAD, name)
    files = ["Old.mlmodel", "OLDER.MLMODEL", "--output-file=y.mlmodel"]
    for name in files:
        app.put("flagged/neural_network.mlmodel", name)
    done = app.commit()
    assert (outcome(done), sorted(linted(done))) == ("Failed", sorted([*packages, *files]))
    assert not (app.folder / "x").exists()
    assert not (app.folder / "y.mlmodel").exists()


def test_each_package_is_linted_once_however_many_files_it_has(app: Repository) -> None:
    names = ["models/A.mlpackage", "models/B.mlpackage"]
    for name in names:
        weights = app.put(BAD, name) / INNER / "weights"
        weights.mkdir()
        for number in range(40):
            (weights / f"{number}.bin").write_bytes(bytes(64))
    assert linted(app.commit()) == names


def test_a_deleted_package_is_of_no_concern(app: Repository) -> None:
    app.put(BAD, MODEL)
    app.put(GOOD, "Other.mlpackage")
    app.commit_unchecked()
    app.git("rm", "-r", "--quiet", MODEL)
    assert outcome(app.commit()) == "Skipped"
    app.git("rm", "-r", "--quiet", "Other.mlpackage")
    app.put(GOOD, "Third.mlpackage")
    assert outcome(app.commit()) == "Passed"


def test_a_package_that_lost_a_file_is_seen_at_its_next_change_and_where_all_are_linted(app: Repository) -> None:
    package = app.put(GOOD, MODEL)
    app.write("anecheck.toml", "")
    app.commit_unchecked()
    (package / "Manifest.json").unlink()
    assert outcome(app.commit()) == "Skipped", "git passes no deleted files"
    done = app.pre_commit("run", "anecheck-all", "--hook-stage", "manual")
    assert (outcome(done, ALL), linted(done)) == ("Failed", [MODEL])
    (package / INNER / "weights/weight.bin").write_bytes(bytes(64))
    done = app.commit()
    assert "exit code: 3" in done.stdout
    assert "the package has no Manifest.json" in done.stdout


def test_what_is_staged_is_linted(app: Repository) -> None:
    app.put(GOOD, MODEL)
    app.commit_unchecked()
    package = app.put(BAD, MODEL)
    app.git("add", "--all")
    bad = (package / INNER / "model.mlmodel").read_bytes()
    app.put(GOOD, MODEL)
    assert outcome(app.commit_staged()) == "Failed"
    app.git("add", "--all")
    app.write("README.md", "x")
    (package / INNER / "weights/weight.bin").write_bytes(bytes(64))
    app.git("add", "--all")
    (package / INNER / "model.mlmodel").write_bytes(bad)
    assert outcome(app.commit_staged()) == "Passed"
    assert (package / INNER / "model.mlmodel").read_bytes() == bad, "what was not staged is back"


def test_commits_and_runs_begin_in_any_folder(app: Repository) -> None:
    app.put(BAD, MODEL)
    app.write("source/main.py", "")
    done = app.commit(inside="source")
    assert (done.returncode, linted(done)) == (1, [MODEL])
    done = app.pre_commit("run", "anecheck", "--all-files", inside="source")
    assert (done.returncode, linted(done)) == (1, [MODEL])


def test_a_push_is_kept_from_happening_too(app: Repository, tmp_path: Path) -> None:
    other = new_repository(tmp_path / "other", app.environment)
    app.git("remote", "add", "origin", str(other.folder))
    app.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    assert app.pre_commit("install", "--hook-type", "pre-push").returncode == 0
    app.put(BAD, MODEL)
    app.commit_unchecked()
    done = app.run("git", "push", "origin", "HEAD:refs/heads/main")
    assert (done.returncode, outcome(done), linted(done)) == (1, "Failed", [MODEL])


def test_a_terminal_shows_findings_in_colour_and_at_full_width(app: Repository) -> None:
    app.put(BAD, MODEL)
    app.git("add", "--all")
    plain, coloured = (app.pre_commit("run", "--color", choice).stdout for choice in ("never", "always"))
    finding = "    cumulative sum over axis -1: cumsum_0\n"
    assert finding in plain
    assert finding in coloured
    assert "\x1b[33m\x1b[1mwarning\x1b[0m" in coloured
    line = next(line for line in plain.splitlines() if line.startswith("  ML Program"))
    assert line in coloured.splitlines(), "lines break where they do without a terminal"
