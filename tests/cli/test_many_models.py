"""A hundred packages: over processes and over merged shards the report is, byte for byte, that of one process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from anecheck.report.formats import FORMATS
from tests.conftest import FIXTURES, RunAnecheck
from tests.lint.files import write

COUNT = 100
CONFIGURATION = """
[[models]]
path = "models/sdpa*"
target = "m4"
fail-on = "never"

[[suppress]]
rule = "ANE012"
reason = "these have no weights"

[[suppress]]
rule = "ANE110"
model = "models/sdpa*"
reason = "suppresses nothing"

[[suppress]]
rule = "ANE1"
model = "models/[tu]*"
operation = "*_0"
reason = "used by few"

[[suppress]]
rule = "ANE107"
reason = "too old"
expires = 2020-01-01
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of a hundred packages, one file that is none, a configuration and a baseline of some."""
    folder = tmp_path_factory.mktemp("many")
    for package in sorted((FIXTURES / "conversions").glob("*.mlpackage"))[-COUNT + 1 :]:
        shutil.copytree(package, folder / "models" / package.name)
    write(folder / "models/broken.mlmodel", "no model")
    write(folder / "anecheck.toml", f'baseline = "b.json"\n{CONFIGURATION}')
    return folder


def run(folder: Path, *arguments: str) -> int:
    """Run a command in a folder; gives its exit code."""
    command = [sys.executable, "-m", "anecheck", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=240).returncode


def lint(folder: Path, name: str, *arguments: str) -> str:
    """Lint all models of a folder into a report of that name, and read it."""
    assert run(folder, "lint", "models", "-o", name, *arguments) == 3
    return (folder / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def whole(repository: Path) -> str:
    """The report of one process, held against a baseline of two models, one of which is gone."""
    assert run(repository, "baseline", "models/rope_ios18.mlpackage", "models/topk_ios18.mlpackage") == 0
    baseline = repository / "b.json"
    baseline.write_text(baseline.read_text(encoding="utf-8").replace("topk_ios18", "vanished"), encoding="utf-8")
    return lint(repository, "whole.json", "--format", "json")


def test_the_repository_has_what_could_differ(whole: str) -> None:
    report = json.loads(whole)
    assert len(report["models"]) == COUNT
    assert sum(model["error"] is not None for model in report["models"]) == 1
    assert {target["chip"] for target in report["targets"]} == {"a17pro", "m4"}
    assert [notice["code"] for notice in report["notices"]] == ["ANE043", "ANE040", "ANE041"]
    findings = [finding for model in report["models"] for finding in model["findings"]]
    assert {finding["suppression"]["kind"] for finding in findings if finding["suppressed"]} == {
        "configuration",
        "baseline",
    }


def test_processes_give_the_same_report(repository: Path, whole: str) -> None:
    assert lint(repository, "jobs.json", "--format", "json", "--jobs", "2") == whole


@pytest.fixture(scope="module")
def shards(repository: Path) -> list[str]:
    """Reports of four shards, by their names, not in their order."""
    names = [f"shard{index}.json" for index in (3, 1, 4, 2)]
    for name in names:
        run(repository, "lint", "models", "-o", name, "--format", "json", "--shard", f"{name[5]}/4")
    return names


def test_merged_shards_give_the_same_report(repository: Path, whole: str, shards: list[str]) -> None:
    assert run(repository, "merge", *shards, "--format", "json", "-o", "merged.json") == 3
    assert (repository / "merged.json").read_text(encoding="utf-8") == whole


@pytest.mark.parametrize("format_", [name for name in FORMATS if name != "json"])
def test_merged_shards_give_the_same_report_in_every_format(repository: Path, shards: list[str], format_: str) -> None:
    expected = lint(repository, f"whole.{format_}", "--format", format_)
    assert run(repository, "merge", *shards, "--format", format_, "-o", f"merged.{format_}") == 3
    assert (repository / f"merged.{format_}").read_text(encoding="utf-8") == expected


def test_a_shard_knows_what_it_is_and_not_what_others_used(repository: Path, shards: list[str]) -> None:
    reports = [json.loads((repository / name).read_text(encoding="utf-8")) for name in shards]
    assert [report["shard"] for report in reports] == [{"index": index, "count": 4} for index in (3, 1, 4, 2)]
    assert [len(report["models"]) for report in reports] == [COUNT // 4] * 4
    assert {notice["code"] for report in reports for notice in report["notices"]} == {"ANE041", "ANE043"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["shard1.json", "shard2.json", "shard4.json"], "shard 3/4 is missing"),
        (["shard1.json", "shard2.json", "shard3.json", "shard3.json"], "shard 4/4 is missing"),
        (["shard1.json", "shard2.json", "shard3.json", "shard4.json", "shard4.json"], "a shard is there twice"),
        (["whole.json", "shard1.json"], "some reports are shards of a run and others are whole"),
        (["whole.json", "whole.json"], "is in two of the reports"),
        (["gone.json"], "cannot read the report 'gone.json'"),
        (["models/broken.mlmodel"], "'models/broken.mlmodel' is no report: it is no JSON text"),
        (["b.json"], "'b.json' is no report: "),
    ],
)
@pytest.mark.usefixtures("whole", "shards")
def test_what_does_not_belong_together_is_refused(
    anecheck: RunAnecheck, repository: Path, given: list[str], message: str
) -> None:
    result = anecheck("merge", *given, cwd=repository)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_whole_reports_of_different_models_follow_each_other(anecheck: RunAnecheck, tmp_path: Path) -> None:
    paths = [FIXTURES / "flagged/cumsum.mlpackage", FIXTURES / "flagged/lstm.mlpackage"]
    for name, path in zip("ab", paths, strict=True):
        anecheck("lint", path, "--format", "json", "-o", tmp_path / name)
    expected = anecheck("lint", *paths, "--format", "json")
    merged = anecheck("merge", tmp_path / "a", tmp_path / "b", "--format", "json")
    assert (merged.returncode, merged.stdout) == (1, expected.stdout)
    assert anecheck("merge", tmp_path / "a", "--fail-on", "error").returncode == 0


@pytest.mark.parametrize("shard", ["0/4", "5/4", "1", "a/b", "1/0", "-1/2"])
def test_a_shard_has_a_number_and_a_count(anecheck: RunAnecheck, shard: str) -> None:
    result = anecheck("lint", "fixtures/ok/spec08_ios17_conv.mlpackage", f"--shard={shard}")
    assert (result.returncode, result.stdout) == (2, "")
    assert f"'{shard}' is no shard; the second of four is 2/4" in " ".join(result.stderr.split())


@pytest.mark.parametrize("jobs", ["0", "-1", "many", "1.5"])
def test_jobs_are_a_number(anecheck: RunAnecheck, jobs: str) -> None:
    result = anecheck("lint", "fixtures/ok/spec08_ios17_conv.mlpackage", f"--jobs={jobs}")
    assert result.returncode == 2
    assert f"'{jobs}' is neither a number of processes nor 'auto'" in " ".join(result.stderr.split())


def test_more_jobs_or_shards_than_models(anecheck: RunAnecheck, tmp_path: Path) -> None:
    model = "fixtures/flagged/cumsum.mlpackage"
    expected = anecheck("lint", model, "--format", "json").stdout
    assert anecheck("lint", model, "--format", "json", "--jobs", "8").stdout == expected
    assert anecheck("lint", model, "--format", "json", "--jobs", "auto").stdout == expected
    for index in (1, 2):
        anecheck("lint", model, "--shard", f"{index}/2", "--format", "json", "-o", tmp_path / f"{index}.json")
    assert anecheck("merge", tmp_path / "1.json", tmp_path / "2.json", "--format", "json").stdout == expected
