"""What GitHub's runner does with a composite action: expressions, the environment of steps, and the files they write to."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import yaml

from tests.conftest import REPOSITORY
from tests.report.consumers import Command, workflow_commands
from tests.uses.snippets import environment

EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
ACTION: dict[str, Any] = yaml.safe_load((REPOSITORY / "action.yml").read_text(encoding="utf-8"))
STEPS: dict[str, dict[str, Any]] = {step["id"]: step for step in ACTION["runs"]["steps"]}


def evaluated(text: str, context: Mapping[str, Any]) -> str:
    """A text with the values of its expressions. Of those only names are known, `!cancelled()`, and `&&` between them."""
    return EXPRESSION.sub(lambda match: _value(match[1], context), text)


def _value(expression: str, context: Mapping[str, Any]) -> str:
    value: Any = "true"
    for part in expression.split(" && "):
        if part != "!cancelled()":
            value = reduce(lambda at, name: at.get(name, {}), part.split("."), dict(context)) or ""
        if not value:
            return ""
    return str(value)


@dataclass(frozen=True)
class Step:
    """How a step ended, and what the runner has of it."""

    code: int
    log: str
    errors: str
    outputs: dict[str, str]
    summary: str

    @property
    def commands(self) -> list[Command]:
        return workflow_commands(self.log + self.errors)


def given(inputs: Mapping[str, Any]) -> dict[str, str]:
    """The inputs of the action, with its defaults. The runner turns whatever YAML has into text."""
    assert set(inputs) <= set(ACTION["inputs"]), "inputs that the action has not"
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in inputs.items()}
    return {**{name: row["default"] for name, row in ACTION["inputs"].items()}, **texts}


def run_step(name: str, inputs: Mapping[str, Any], workspace: Path, temporary: Path, place: Path, **more: str) -> Step:
    """Run the script of a step of the action in a repository, with the `anecheck` in `place` as the installed one."""
    step, files = STEPS[name], Path(mkdtemp(dir=temporary))
    script, output, summary = files / "script.sh", files / "output", files / "summary"
    script.write_text(step["run"], encoding="utf-8")
    output.touch()
    summary.touch()
    context = {"inputs": given(inputs), "steps": {"install": {"outputs": {"anecheck": str(place / "anecheck")}}}}
    variables = {
        **environment(place),
        "RUNNER_TEMP": str(temporary),
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(summary),
        **{variable: evaluated(value, context) for variable, value in step["env"].items()},
        **more,
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
    done = subprocess.run(
        command, cwd=workspace, env=variables, capture_output=True, text=True, check=False, timeout=400
    )
    outputs = dict(line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines())
    return Step(done.returncode, done.stdout, done.stderr, outputs, summary.read_text(encoding="utf-8"))


def run_action(inputs: Mapping[str, Any], workspace: Path, temporary: Path, place: Path) -> Step:
    """Run the action where it is installed already; the outputs are those that it promises."""
    step = run_step("run", inputs, workspace, temporary, place)
    context = {"steps": {"run": {"outputs": step.outputs}}}
    outputs = {name: evaluated(row["value"], context) for name, row in ACTION["outputs"].items()}
    return Step(step.code, step.log, step.errors, outputs, step.summary)
