"""What the README tells people to copy, and a repository of theirs to try it in."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

from tests.conftest import FIXTURES, REPOSITORY

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PLACEHOLDERS = {"<owner>": "somebody", "<tag>": "v1"}
GOOD = "ok/spec08_ios17_conv.mlpackage"
BAD = "flagged/cumsum.mlpackage"
BROKEN = "broken/empty.mlmodel"


def snippets(section: str, language: str) -> list[str]:
    """The blocks of a language in a section of the README, with a name for each placeholder."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (body,) = re.findall(rf"^### {section}\n(.*?)(?=^##)", readme, re.DOTALL | re.MULTILINE)
    for placeholder, name in PLACEHOLDERS.items():
        body = body.replace(placeholder, name)
    return [text for kind, text in FENCE.findall(body) if kind == language]


def repository(folder: Path, *models: str) -> Path:
    """A repository with copies of fixtures in `models/`."""
    (folder / ".git").mkdir(parents=True)
    (folder / "models").mkdir()
    for model in models:
        copy(model, folder / "models" / Path(model).name)
    return folder


def copy(model: str, to: Path) -> None:
    source = FIXTURES / model
    if source.is_dir():
        shutil.copytree(source, to)
    else:
        shutil.copyfile(source, to)


def installed(folder: Path) -> Path:
    """A folder for the PATH in which `anecheck` is the one under test."""
    folder.mkdir()
    command = folder / "anecheck"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m anecheck "$@"\n', encoding="utf-8")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return folder


def environment(place: Path, **more: str) -> dict[str, str]:
    """The environment of a shell that finds `anecheck`; where the working directory is no place to import from."""
    return {**os.environ, "PATH": f"{place}{os.pathsep}{os.environ['PATH']}", "PYTHONSAFEPATH": "1", **more}


def bash(script: str, cwd: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script as build servers do, which stop at the first command that fails."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False, timeout=120)
