"""The GitHub action: its form, and its scripts as the runner runs them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.conftest import FIXTURES, REPOSITORY
from tests.report.consumers import page
from tests.uses.runner import ACTION, EXPRESSION, STEPS, Step, run_action, run_step
from tests.uses.snippets import BAD, BROKEN, GOOD, copy, repository

SARIF = jsonschema.Draft7Validator(json.loads((FIXTURES / "schemas/sarif-2.1.0.schema.json").read_text()))


def sarif_of(step: Step, workspace: Path) -> dict[str, Any]:
    content = json.loads((workspace / step.outputs["sarif"]).read_text(encoding="utf-8"))
    SARIF.validate(content)
    return dict(content["runs"][0])


def models_of(step: Step) -> list[str]:
    report = json.loads(Path(step.outputs["json"]).read_text(encoding="utf-8"))
    return [model["path"] for model in report["models"]]


def test_it_has_the_form_that_github_asks_for() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"]
    result = subprocess.run(check, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert ACTION["runs"]["using"] == "composite"
    for step in ACTION["runs"]["steps"]:
        assert step["shell"] == "bash", "a composite action has no default shell"
    for row in (*ACTION["inputs"].values(), *ACTION["outputs"].values()):
        assert row["description"]


def test_no_script_holds_an_expression_and_every_input_is_used() -> None:
    assert not [name for name, step in STEPS.items() if "${{" in step["run"]]
    used = {match for step in STEPS.values() for text in step["env"].values() for match in EXPRESSION.findall(text)}
    assert {f"inputs.{name}" for name in ACTION["inputs"]} == used - {"steps.install.outputs.anecheck"}
    for step in STEPS.values():
        assert not [name for name in step["env"] if not re.search(rf"\$\{{?{name}\b", step["run"])]


def test_a_good_model_passes(tmp_path: Path, temporary: Path, place: Path) -> None:
    workspace = repository(tmp_path / "work", GOOD)
    step = run_action({"paths": "models"}, workspace, temporary, place)
    assert (step.code, step.errors, step.outputs["exit-code"]) == (0, "", "0")
    assert {command.name for command in step.commands} <= {"notice"}
    assert step.summary.startswith("**anecheck passes**")
    assert {result["level"] for result in sarif_of(step, workspace)["results"]} <= {"note"}
    assert sorted(path.name for path in workspace.iterdir()) == [".git", "models"], "it leaves nothing behind"


def test_a_bad_model_fails_after_everything_is_reported(tmp_path: Path, temporary: Path, place: Path) -> None:
    workspace = repository(tmp_path / "work", BAD, GOOD)
    step = run_action({"paths": "models", "target": "m4/macos26, a17pro"}, workspace, temporary, place)
    assert (step.code, step.outputs["exit-code"]) == (1, "1")
    assert "ANE104" in step.log
    (warning,) = (command for command in step.commands if command.name == "warning")
    assert warning.properties["title"] == "ANE104 cumulative-sum"
    assert (workspace / warning.properties["file"]).is_file()
    assert "warning ANE104 cumulative-sum, 1 finding, measured" in page(step.summary).inside("summary")
    run = sarif_of(step, workspace)
    assert run["results"][0]["ruleId"] == "ANE104"
    report = json.loads(Path(step.outputs["json"]).read_text(encoding="utf-8"))
    assert [target["chip"] for target in report["targets"]] == ["m4", "a17pro"]


def test_a_broken_file_is_an_error_and_the_others_are_reported(tmp_path: Path, temporary: Path, place: Path) -> None:
    workspace = repository(tmp_path / "work", BAD, BROKEN)
    step = run_action({}, write_configuration(workspace), temporary, place)
    assert (step.code, step.outputs["exit-code"]) == (3, "3")
    assert [command.name for command in step.commands][:2] == ["error", "warning"]
    assert step.commands[0].properties["file"] == "models/empty.mlmodel"
    assert "Cannot be read" in step.summary
    assert sarif_of(step, workspace)["invocations"][0]["executionSuccessful"] is False


def write_configuration(workspace: Path) -> Path:
    (workspace / "anecheck.toml").write_text('include = ["models/**"]\n', encoding="utf-8")
    return workspace


def test_annotations_and_summary_can_be_left_out(tmp_path: Path, temporary: Path, place: Path) -> None:
    workspace = repository(tmp_path / "work", BAD)
    inputs = {"paths": "models", "annotations": False, "summary": False, "sarif-file": "reports/new/a b.sarif"}
    step = run_action(inputs, workspace, temporary, place)
    assert (step.code, step.commands, step.summary) == (1, [], "")
    assert step.outputs["sarif"] == "reports/new/a b.sarif"
    assert sarif_of(step, workspace)["results"]


def test_each_input_means_what_the_option_means(tmp_path: Path, temporary: Path, place: Path) -> None:
    workspace = repository(tmp_path / "work", BAD, GOOD)
    (workspace / "own.toml").write_text('ignore = ["ANE104"]\n', encoding="utf-8")
    accept = [str(place / "anecheck"), "baseline", "models", "-o", "accepted.json"]
    subprocess.run(accept, cwd=workspace, check=True, capture_output=True)
    for inputs, code in (
        ({"fail-on": "never"}, 0),
        ({"fail-on": "info"}, 1),
        ({"config": "own.toml"}, 0),
        ({"baseline": "accepted.json"}, 0),
        ({"args": "--ignore ANE104 --fps '60'"}, 0),
        ({"args": '--ignore\n"ANE1,ANE3"'}, 0),
        ({"shard": "1/2"}, 1),
        ({"shard": "2/2"}, 0),
    ):
        assert run_action({"paths": "models", **inputs}, workspace, temporary, place).code == code, inputs


def test_paths_are_lines_and_nothing_in_them_is_more(tmp_path: Path, temporary: Path, place: Path) -> None:
    workspace = repository(tmp_path / "work", GOOD)
    names = ["my net.mlpackage", "[ab]*.mlpackage", "$(touch x).mlpackage", "; touch x;.mlpackage", "-x.mlpackage"]
    for name in names:
        copy(BAD, workspace / name)
    step = run_action({"paths": "\n".join(["", *names, "  models  ", ""])}, workspace, temporary, place)
    assert step.code == 1
    assert models_of(step) == [*names, "models/spec08_ios17_conv.mlpackage"]
    assert {command.properties["file"].split("/")[0] for command in step.commands} == {*names, "models"}


HOSTILE = ["; touch x", "$(touch x) `touch x`", "*", "' ; touch x; '", "a\n::error::b"]


@pytest.mark.parametrize(
    "name", ["paths", "target", "config", "baseline", "fail-on", "shard", "args", "merge", "sarif-file"]
)
@pytest.mark.parametrize("text", HOSTILE)
def test_no_input_is_run_or_expanded(tmp_path: Path, temporary: Path, place: Path, name: str, text: str) -> None:
    workspace = repository(tmp_path / "work", GOOD)
    inputs = {"paths": "models" if name != "merge" else "", name: text}
    step = run_action({"annotations": False, **inputs}, workspace, temporary, place)
    assert step.code in ({0} if name == "sarif-file" and "\n" not in text else {2, 3})
    assert not list(tmp_path.rglob("x")), "it ran something"
    assert "Traceback" not in step.errors
    assert [command.name for command in step.commands] in ([], ["error"])
    assert not any(command.message == "b" for command in step.commands)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"sarif-file": "a\nexit-code=0"}, "sarif-file is to be one line"),
        ({"sarif-file": "models/spec08_ios17_conv.mlpackage/Manifest.json/a"}, "there can be no folder for sarif-file"),
        ({"args": "--fps '60"}, "args has a quote too many"),
        ({"paths": "", "merge": "nowhere"}, "the folder to merge has no JSON reports in it"),
        ({"merge": "reports"}, "paths are to lint, and merge is to lint nothing"),
    ],
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path, temporary: Path, place: Path, inputs: dict[str, str], message: str
) -> None:
    step = run_action({"paths": "models", **inputs}, repository(tmp_path / "work", GOOD), temporary, place)
    assert (step.code, step.outputs) == (2, {"exit-code": "2", "sarif": "", "json": ""})
    assert [(command.name, command.message) for command in step.commands] == [("error", message)]


def test_wrong_usage_leaves_no_report_even_where_an_earlier_run_left_one(
    tmp_path: Path, temporary: Path, place: Path
) -> None:
    workspace = repository(tmp_path / "work", GOOD)
    (workspace / "old.sarif").write_text("{}", encoding="utf-8")
    inputs = {"paths": "models", "target": "z80", "sarif-file": "old.sarif"}
    step = run_action(inputs, workspace, temporary, place)
    assert (step.code, step.outputs) == (2, {"exit-code": "2", "sarif": "", "json": ""})
    assert "there is no chip, device or family 'z80'" in " ".join(step.errors.split())


def test_the_versions_of_python_are_those_of_the_package() -> None:
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    (first, after) = re.findall(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', project)[0]
    script = STEPS["install"]["run"]
    assert f"(3, {first}) <= sys.version_info[:2] <= (3, {int(after) - 1})" in script
    named = re.findall(r"python3\.(\d+)", script)
    assert sorted(map(int, named)) == list(range(int(first), int(after)))


@pytest.mark.parametrize("python", ["", "python2", "no such thing; touch x"])
def test_without_a_suitable_python_it_says_what_to_do(
    tmp_path: Path, temporary: Path, place: Path, python: str
) -> None:
    for name in ("python3", "python", "python3.10", "python3.11", "python3.12", "python3.13"):
        (place / name).write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        (place / name).chmod(0o755)
    step = run_step("install", {"python": python}, repository(tmp_path / "work"), temporary, place)
    assert step.code == 2
    (command,) = step.commands
    assert command.message.startswith("there is no Python 3.10 to 3.13 here; put a step with actions/setup-python")
    assert not list(tmp_path.rglob("x"))


@pytest.mark.network
def test_it_installs_its_own_version_and_packs_beside_it(tmp_path: Path, temporary: Path, place: Path) -> None:
    action = tmp_path / "the action"
    shutil.copytree(
        REPOSITORY,
        action,
        ignore=shutil.ignore_patterns(".*", "fixtures", "tests", "*.egg-info", "build"),
        symlinks=True,
    )
    inputs = {"paths": "models", "python": sys.executable, "packs": "# a comment\ncolorama>=0.4 # and another\n"}
    workspace = repository(tmp_path / "work", BAD)
    environment = {"GITHUB_ACTION_PATH": str(action), "PYTHONPATH": ""}
    step = run_step("install", inputs, workspace, temporary, place, **environment)
    assert (step.code, step.outputs) == (0, {"anecheck": str(temporary / "anecheck/bin/anecheck")}), step.errors
    python = temporary / "anecheck/bin/python"
    where = "import colorama, anecheck; print(anecheck.__file__)"
    shown = subprocess.run([python, "-I", "-c", where], capture_output=True, text=True, check=True).stdout
    assert Path(shown.strip()).is_relative_to(temporary)
    assert run_action(inputs, workspace, temporary, temporary / "anecheck/bin").code == 1
