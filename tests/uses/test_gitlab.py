"""The job for GitLab that the README shows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from junitparser import JUnitXml

from tests.conftest import FIXTURES
from tests.uses.snippets import BAD, BROKEN, GOOD, bash, environment, repository, snippets

TEXT = snippets("In CI", "yaml")[2]
JOB: dict[str, Any] = yaml.safe_load(TEXT)["anecheck"]
REPORTS: dict[str, str] = JOB["artifacts"]["reports"]
SCHEMA = json.loads((FIXTURES / "schemas/gitlab-code-quality.schema.json").read_text())


def run(workspace: Path, place: Path, index: int, count: int) -> int:
    """Run the job's script as one of several parallel jobs, each command as GitLab's runner does."""
    variables = environment(place, CI_NODE_INDEX=str(index), CI_NODE_TOTAL=str(count))
    codes = [bash(line, workspace, variables).returncode for line in JOB["script"]]
    return max(codes)


def issues(workspace: Path) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads((workspace / REPORTS["codequality"]).read_text(encoding="utf-8"))
    jsonschema.validate(content, SCHEMA)
    return content


def test_it_has_the_form_that_gitlab_asks_for(tmp_path: Path) -> None:
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(TEXT, encoding="utf-8")
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", str(file)]
    result = subprocess.run(check, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert JOB["artifacts"]["when"] == "always", "reports of jobs that fail are those that matter"
    assert JOB["before_script"] == ["pip install --quiet git+https://github.com/somebody/anecheck@v1"]


@pytest.mark.parametrize(
    ("model", "code", "severities"),
    [(GOOD, 0, {"info"}), (BAD, 1, {"major", "info"}), (BROKEN, 3, {"blocker"})],
)
def test_its_reports_are_those_that_gitlab_reads(
    tmp_path: Path, place: Path, model: str, code: int, severities: set[str]
) -> None:
    workspace = repository(tmp_path / "work", model)
    assert run(workspace, place, 1, 1) == code
    found = issues(workspace)
    assert {issue["severity"] for issue in found} == severities
    assert all((workspace / issue["location"]["path"]).is_file() for issue in found)
    read = JUnitXml.fromfile(str(workspace / REPORTS["junit"]))
    assert (read.failures + read.errors > 0) == (code != 0)


def test_parallel_jobs_find_together_what_one_finds(tmp_path: Path, place: Path) -> None:
    workspace = repository(
        tmp_path / "work", GOOD, BAD, "flagged/lstm.mlpackage", "flagged/topk_uint16.mlpackage", BROKEN
    )
    run(workspace, place, 1, 1)
    whole = issues(workspace)
    parts = []
    for index in range(1, JOB["parallel"] + 1):
        run(workspace, place, index, JOB["parallel"])
        parts.append(issues(workspace))
    assert sum(bool(part) for part in parts) == JOB["parallel"]
    together = [issue for part in parts for issue in part]
    assert sorted(together, key=lambda issue: str(issue["fingerprint"])) == sorted(
        whole, key=lambda issue: str(issue["fingerprint"])
    )
