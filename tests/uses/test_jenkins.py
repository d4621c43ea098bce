"""The pipeline for Jenkins that the README shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from junitparser import JUnitXml

from tests.uses.snippets import BAD, BROKEN, GOOD, bash, environment, repository, snippets

(PIPELINE,) = snippets("In CI", "groovy")


def test_its_blocks_are_those_of_a_declarative_pipeline() -> None:
    assert PIPELINE.count("{") == PIPELINE.count("}")
    words = re.findall(r"(\w+)(?:\('\w+'\))? (?:\{|')", PIPELINE)
    assert words == ["pipeline", "stages", "stage", "steps", "sh", "post", "always", "junit"]


@pytest.mark.parametrize(("model", "code", "failed"), [(GOOD, 0, 0), (BAD, 1, 1), (BROKEN, 3, 1)])
def test_what_it_runs_writes_what_it_reads(tmp_path: Path, place: Path, model: str, code: int, failed: int) -> None:
    (script,) = re.findall(r"sh '([^']*)'", PIPELINE)
    (report,) = re.findall(r"junit '([^']*)'", PIPELINE)
    workspace = repository(tmp_path / "work", model)
    result = bash(script, workspace, environment(place))
    assert (result.returncode, result.stderr) == (code, "")
    assert f"models/{Path(model).name}" in result.stdout, "the log can be read"
    read = JUnitXml.fromfile(str(workspace / report))
    assert read.failures + read.errors == failed
    assert read.tests > 0, "Jenkins refuses a report without tests"
