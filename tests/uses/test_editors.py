"""What the README sets up in editors: it finds every problem, at a place that can be opened and is the right one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.uses.snippets import BROKEN, bash, copy, environment, repository, snippets

(TASKS,) = (json.loads(text) for text in snippets("In an editor", "json"))
(TASK,) = TASKS["tasks"]
(COMPILER,) = snippets("In an editor", "vim")
(PHASE,) = snippets("In an editor", "sh")
CLANG = re.compile(r"(?P<file>/[^:]+):(?P<line>\d+):(?P<column>\d+): (?P<kind>error|warning|note): (?P<text>.+)")
"""How Xcode reads a line of a build phase: https://developer.apple.com/documentation/xcode/running-custom-scripts-during-a-build."""


@dataclass(frozen=True)
class Problem:
    """An entry of an editor's list."""

    file: str
    line: int
    column: int
    severity: str
    text: str


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in whose models something is found: captured at conversion, traced, neither, and one that is unreadable."""
    models = [
        "captured/gated_exported.mlpackage",
        "flagged/two_specialisations.mlpackage",
        "flagged/while_loop.mlpackage",
    ]
    workspace = repository(tmp_path / "my work", *models, "flagged/hostile_names.mlpackage", BROKEN)
    copy("captured/gated_exported.anecheck.json", workspace / "models/gated_exported.anecheck.json")
    (workspace / "make").mkdir()
    copy("make/captured_nets.py", workspace / "make/captured_nets.py")
    return workspace


def found(workspace: Path, place: Path) -> list[dict[str, Any]]:
    """What the JSON report of the project has, one entry for each line of a list of problems."""
    listing = ["--listing", ".anecheck", "--format", "json"]
    command = [str(place / "anecheck"), "lint", ".", *listing]
    result = subprocess.run(command, cwd=workspace, env=environment(place), capture_output=True, text=True, check=False)
    entries: list[dict[str, Any]] = []
    for model in json.loads(result.stdout)["models"]:
        error = model["error"] and {**model["error"], "severity": "error", "operation": None, "source": None}
        entries += [{**each, "model": model} for each in ([error] if error else model["findings"])]
    assert {entry["severity"] for entry in entries} == {"error", "warning", "info"}
    assert len(entries) > 10
    return entries


def assert_right(problem: Problem, entry: dict[str, Any], workspace: Path) -> None:
    """A problem says what was found, where the operation is."""
    file = workspace / problem.file
    assert problem.severity == entry["severity"]
    assert entry["code"] in problem.text
    assert entry["message"] in problem.text
    if entry["code"] == "ANE002":
        assert (file.name, problem.line, problem.column) == ("empty.mlmodel", 1, 1)
        return
    line = file.read_text(encoding="utf-8").splitlines()[problem.line - 1]
    if entry["source"] and entry["source"]["file"]:
        assert (file, problem.column) == (workspace / "make/captured_nets.py", 1)
        assert entry["operation_type"] in line
        return
    assert file == workspace / entry["model"]["listing"]
    if not entry["operation"]:
        assert (problem.line, problem.column) == (1, 1)
        return
    before, after = line[: problem.column - 1], line[problem.column - 1 :]
    assert before.endswith("> "), "a type is before it"
    assert re.match(rf"`?{re.escape(entry['operation'])}`?(?:, | = )", after), (
        "the operation's first result is named there"
    )
    assert f" = {entry['operation_type']}(" in after


def printed(workspace: Path, place: Path) -> str:
    """What the task of VS Code prints."""
    folder = TASK["options"]["cwd"].replace("${workspaceFolder}", str(workspace))
    command = [TASK["command"], *TASK["args"]]
    result = subprocess.run(command, cwd=folder, env=environment(place), capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (3, "")
    return result.stdout


def problems(output: str, pattern: dict[str, Any]) -> Iterator[Problem]:
    """What the problem matcher of VS Code makes of each line."""
    for line in output.splitlines():
        match = re.search(pattern["regexp"], line)
        assert match, line
        at = {name: match[group] for name, group in pattern.items() if name != "regexp"}
        assert re.fullmatch(r"ANE\d{3}", at["code"])
        text = f"{at['code']} {at['message']}"
        yield Problem(at["file"], int(at["line"]), int(at["column"]), at["severity"], text)


def test_vs_code_lists_everything_that_is_found(project: Path, place: Path) -> None:
    entries = found(project, place)
    listed = list(problems(printed(project, place), TASK["problemMatcher"]["pattern"]))
    assert len(listed) == len(entries)
    for problem, entry in zip(listed, entries, strict=True):
        assert not Path(problem.file).is_absolute()
        assert_right(problem, entry, project)
    assert {problem.file for problem in listed} >= {"make/captured_nets.py", ".anecheck/models/while_loop.mil"}


def test_the_task_is_one_that_vs_code_takes() -> None:
    assert TASKS["version"] == "2.0.0"
    assert TASK["type"] == "process", "no shell reads the arguments"
    matcher = TASK["problemMatcher"]
    assert matcher["fileLocation"] == ["autoDetect", "${workspaceFolder}"]
    groups = sorted(number for name, number in matcher["pattern"].items() if name != "regexp")
    assert groups == list(range(1, re.compile(matcher["pattern"]["regexp"]).groups + 1))


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node to read the expression as VS Code does")
def test_javascript_reads_the_expression_the_same_way(project: Path, place: Path) -> None:
    output, expression = printed(project, place), TASK["problemMatcher"]["pattern"]["regexp"]
    script = "const [e, t] = process.argv.slice(1); console.log(JSON.stringify(t.split('\\n').map(l => l.match(e))))"
    node = [str(shutil.which("node")), "-e", script, expression, output.rstrip("\n")]
    told = subprocess.run(node, capture_output=True, check=True)
    expected = [re.search(expression, line) for line in output.splitlines()]
    assert json.loads(told.stdout) == [[match[0], *match.groups()] if match else None for match in expected]


def compiler() -> dict[str, str]:
    """The options that the compiler plugin of Vim sets; a backslash keeps a blank."""
    lines = (re.fullmatch(r"CompilerSet (\w+)=(.*)", line) for line in COMPILER.splitlines())
    return {line[1]: line[2].replace("\\ ", " ") for line in lines if line}


ITEMS = {"%f": r"(?P<f>.+?)", "%l": r"(?P<l>\d+)", "%c": r"(?P<c>\d+)", "%t": r"(?P<t>.)", "%m": r"(?P<m>.+)"}


def expression(errorformat: str) -> str:
    """The expression that an errorformat stands for, as `:help errorformat` tells it; `%*[…]` takes as many as there are."""
    parts = re.findall(r"%\*\[[^\]]+\]|%.|[^%]+", errorformat)
    return "".join(ITEMS.get(part) or (f"{part[2:]}+" if part.startswith("%*") else re.escape(part)) for part in parts)


SEVERITIES = {"e": "error", "w": "warning", "i": "info"}


def test_vim_lists_everything_that_is_found(project: Path, place: Path) -> None:
    options = compiler()
    result = bash(f"{options['makeprg']} .", project, environment(place))
    matches = [re.fullmatch(expression(options["errorformat"]), line) for line in result.stdout.splitlines()]
    for match, entry in zip(matches, found(project, place), strict=True):
        assert match
        at = Problem(match["f"], int(match["l"]), int(match["c"]), SEVERITIES[match["t"]], match["m"])
        assert_right(at, entry, project)


@pytest.mark.parametrize("editor", ["vim", "nvim"])
def test_a_real_vim_makes_the_same_list(tmp_path: Path, project: Path, place: Path, editor: str) -> None:
    if not shutil.which(editor):
        pytest.skip(f"there is no {editor} here")
    plugin = tmp_path / "vim/compiler/anecheck.vim"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(COMPILER, encoding="utf-8")
    listed = "map(getqflist(), {_, v -> extend(v, {'file': bufname(v.bufnr)})})"
    script = [
        f"set runtimepath^={plugin.parents[1]}", "compiler anecheck", "silent make! .",
        f"call writefile([json_encode({listed})], '{tmp_path}/list.json')", "qall!",
    ]  # fmt: skip
    commands = [part for line in script for part in ("-c", line)]
    command = [editor, "-u", "NONE", "-i", "NONE", "-N", "-es", *commands]
    subprocess.run(
        command,
        cwd=project,
        env=environment(place),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    rows = json.loads((tmp_path / "list.json").read_text(encoding="utf-8"))
    for row, entry in zip(rows, found(project, place), strict=True):
        assert row["valid"] == 1
        at = Problem(row["file"], row["lnum"], row["col"], SEVERITIES[row["type"].lower()], row["text"])
        assert_right(at, entry, project)


def build(project: Path, path: str) -> subprocess.CompletedProcess[str]:
    """Run the build phase as Xcode does, which sets little but its own variables."""
    variables = {
        "SRCROOT": str(project),
        "DERIVED_FILE_DIR": str(project.parent / "Derived"),
        "HOME": str(project.parent),
    }
    return subprocess.run(
        ["/bin/sh", "-c", PHASE],
        cwd=project,
        env={**environment(project), "PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_xcode_shows_everything_that_is_found(project: Path, place: Path) -> None:
    result = build(project, f"{place}:/usr/bin:/bin")
    assert (result.returncode, result.stderr) == (3, "")
    derived = project.parent / "Derived/anecheck"
    shutil.copytree(derived, project / ".anecheck")
    for line, entry in zip(result.stdout.splitlines(), found(project, place), strict=True):
        match = CLANG.fullmatch(line)
        assert match
        assert Path(match["file"]).exists()
        file = match["file"].replace(str(derived), str(project / ".anecheck"))
        severity = {"note": "info"}.get(match["kind"], match["kind"])
        assert_right(Problem(file, int(match["line"]), int(match["column"]), severity, match["text"]), entry, project)


def test_warnings_do_not_fail_a_build(project: Path, place: Path) -> None:
    (project / "models/empty.mlmodel").unlink()
    result = build(project, f"{place}:/usr/bin:/bin")
    assert "warning:" in result.stdout
    assert result.returncode == 0


def test_a_mac_without_anecheck_builds_too(project: Path) -> None:
    result = build(project, "/nowhere")
    assert (result.returncode, result.stdout) == (0, "warning: anecheck is not installed\n")


def test_the_program_can_be_read_with_what_is_found(project: Path, place: Path) -> None:
    command = [str(place / "anecheck"), "show", "--findings", "models/while_loop.mlpackage"]
    shown = subprocess.run(
        command, cwd=project, env=environment(place), capture_output=True, text=True, check=True
    ).stdout
    entries = [entry for entry in found(project, place) if entry["model"]["path"] == "models/while_loop.mlpackage"]
    assert all(f"// {entry['severity']} {entry['code']}" in shown for entry in entries)
