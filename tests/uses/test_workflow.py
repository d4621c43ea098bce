"""The workflows for GitHub that the README shows, and the line for any other place."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from anecheck.cli.output import STEP_SUMMARY
from anecheck.report.markdown import COMMENT
from tests.conftest import REPOSITORY, RunAnecheck
from tests.uses.runner import Step, evaluated, run_action
from tests.uses.snippets import BAD, BROKEN, GOOD, bash, environment, repository, snippets

OWN = "somebody/anecheck@v1"
ONE_JOB, SHARDED, _ = snippets("In CI", "yaml")
MODELS = (BAD, GOOD, BROKEN, "flagged/lstm.mlpackage", "flagged/topk_uint16.mlpackage", "ok/image_rgb.mlpackage")


def jobs(workflow: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(workflow)
    return dict(content["jobs"])


def step_of(job: Mapping[str, Any], action: str) -> dict[str, Any]:
    (step,) = (step for step in job["steps"] if step["uses"].partition("@")[0] == action.partition("@")[0])
    return dict(step)


@pytest.mark.parametrize("workflow", [ONE_JOB, SHARDED])
def test_they_have_the_form_that_github_asks_for(tmp_path: Path, workflow: str) -> None:
    file = tmp_path / "workflow.yml"
    file.write_text(workflow, encoding="utf-8")
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(file)]
    result = subprocess.run(check, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("model", "code"), [(GOOD, 0), (BAD, 1), (BROKEN, 3)])
def test_alerts_are_uploaded_whether_the_step_fails_or_not(
    tmp_path: Path, temporary: Path, place: Path, model: str, code: int
) -> None:
    job = jobs(ONE_JOB)["anecheck"]
    lint, upload = step_of(job, OWN), step_of(job, "github/codeql-action/upload-sarif@v4")
    step = run_action(lint["with"], repository(tmp_path / "work", model), temporary, place)
    context = {"steps": {lint["id"]: {"outputs": step.outputs}}}
    assert step.code == code
    assert evaluated(upload["if"], context)
    report = json.loads(Path(evaluated(upload["with"]["sarif_file"], context)).read_text(encoding="utf-8"))
    assert bool(report["runs"][0]["results"]) == (code != 3)


def test_nothing_is_uploaded_where_there_is_no_report(tmp_path: Path, temporary: Path, place: Path) -> None:
    job = jobs(ONE_JOB)["anecheck"]
    lint, upload = step_of(job, OWN), step_of(job, "github/codeql-action/upload-sarif@v4")
    step = run_action({**lint["with"], "target": "z80"}, repository(tmp_path / "work", GOOD), temporary, place)
    assert step.code == 2
    assert not evaluated(upload["if"], {"steps": {lint["id"]: {"outputs": step.outputs}}})


def sharded(workspace: Path, temporary: Path, place: Path, elsewhere: Path) -> Step:
    """Run the jobs of the matrix, hand over their artifacts, and run the job that merges them, without a checkout."""
    job = jobs(SHARDED)["lint"]
    lint, upload = step_of(job, OWN), step_of(job, "actions/upload-artifact@v5")
    download = step_of(jobs(SHARDED)["report"], "actions/download-artifact@v6")["with"]
    assert lint["continue-on-error"] is True
    (elsewhere / ".git").mkdir(parents=True)
    for shard in job["strategy"]["matrix"]["shard"]:
        context: dict[str, Any] = {"matrix": {"shard": shard}}
        inputs = {name: evaluated(str(text).lower(), context) for name, text in lint["with"].items()}
        done = run_action(inputs, workspace, temporary, place)
        assert (done.commands, done.summary) == ([], ""), "only the merged report speaks"
        context["steps"] = {lint["id"]: {"outputs": done.outputs}}
        name = evaluated(upload["with"]["name"], context)
        assert Path(name).match(download["pattern"])
        folder = elsewhere / download["path"] / name
        folder.mkdir(parents=True)
        shutil.copy(evaluated(upload["with"]["path"], context), folder)
    return run_action(step_of(jobs(SHARDED)["report"], OWN)["with"], elsewhere, temporary, place)


def test_shards_are_merged_to_the_report_of_a_single_job(tmp_path: Path, temporary: Path, place: Path) -> None:
    workspace = repository(tmp_path / "work", *MODELS)
    whole = run_action({"paths": "models"}, workspace, temporary, place)
    merged = sharded(workspace, temporary, place, tmp_path / "elsewhere")
    assert (whole.code, merged.code) == (3, 3)
    assert len([command for command in whole.commands if command.name != "notice"]) >= 4
    assert merged.commands == whole.commands
    assert merged.summary == whole.summary
    assert merged.log == whole.log
    for name in ("sarif", "json"):
        assert Path(merged.outputs[name]).read_bytes() == Path(whole.outputs[name]).read_bytes()


def test_the_line_for_any_other_place_writes_what_it_says(tmp_path: Path, place: Path) -> None:
    (line,) = snippets("In CI", "sh")
    workspace = repository(tmp_path / "work", BAD)
    result = bash(line, workspace, environment(place))
    assert (result.returncode, result.stderr) == (0, ""), "only errors fail it"
    assert "warning ANE104" in result.stdout
    assert json.loads((workspace / "anecheck.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert (workspace / "anecheck.md").read_text(encoding="utf-8").startswith("**anecheck passes**")


def test_a_report_into_the_summary_of_a_step_comes_after_what_is_there(anecheck: RunAnecheck, tmp_path: Path) -> None:
    summary, other = tmp_path / "summary", tmp_path / "other"
    summary.write_text("# Mine\n", encoding="utf-8")
    for file in (summary, other, other):
        result = anecheck("lint", "fixtures/flagged", "--format", f"markdown={file}", GITHUB_STEP_SUMMARY=str(summary))
        assert result.returncode == 1
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("# Mine\n\n**anecheck fails**")
    assert COMMENT < summary.stat().st_size < STEP_SUMMARY, "more than a comment, as there is room"
    assert not re.search("Left out.* of [0-9]+ rules?", text)
    assert other.stat().st_size <= COMMENT
    assert re.search("Left out.* of [0-9]+ rules?", other.read_text(encoding="utf-8"))
    assert other.read_text(encoding="utf-8").count("**anecheck fails**") == 1, "any other file is written anew"


def test_a_summary_is_no_longer_than_github_takes(anecheck: RunAnecheck, tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    summary.write_text("n" * (STEP_SUMMARY - 3000) + "\n", encoding="utf-8")
    anecheck("lint", "fixtures/flagged", "--format", f"markdown={summary}", GITHUB_STEP_SUMMARY=str(summary))
    assert STEP_SUMMARY - 3000 < summary.stat().st_size <= STEP_SUMMARY
    assert "Left out for want of room" in summary.read_text(encoding="utf-8")


def test_the_readme_names_the_action_that_is_there() -> None:
    assert (REPOSITORY / "action.yml").is_file()
    used = {step["uses"] for text in (ONE_JOB, SHARDED) for job in jobs(text).values() for step in job["steps"]}
    assert OWN in used
    assert all("@v" in action for action in used)
