"""Git repositories for these tests, which nothing of the machine's own settings reaches, and pre-commit in them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.artifact.packages import fixture, write_compiled
from tests.conftest import FIXTURES, REPOSITORY

Result = subprocess.CompletedProcess[str]

TAG = "v1"
GOOD, BAD = "ok/weights_present.mlpackage", "flagged/cumsum.mlpackage"
SOURCES = ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml", "anecheck", "rules")
"""What is installed from, without fixtures and tests."""
PRE_COMMIT = (sys.executable, "-m", "pre_commit")
AUTHOR = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@dataclass(frozen=True, slots=True)
class Repository:
    """A working tree, and the environment that commands run in."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *command: str, inside: str = ".", **environment: str) -> Result:
        """Run a command in the working tree or a folder `inside` it; what it prints to either stream comes as one text."""
        return subprocess.run(
            command,
            cwd=self.folder / inside,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=900,
        )

    def git(self, *arguments: str) -> str:
        """What a git command prints that has to succeed."""
        done = self.run("git", *arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def pre_commit(self, *arguments: str, inside: str = ".") -> Result:
        """Run pre-commit."""
        return self.run(*PRE_COMMIT, *arguments, inside=inside)

    def commit(self, *, inside: str = ".", **environment: str) -> Result:
        """Commit everything that is in the working tree, if the hooks let it."""
        self.git("add", "--all")
        return self.commit_staged(inside=inside, **environment)

    def commit_staged(self, *, inside: str = ".", **environment: str) -> Result:
        """Commit what is staged, if the hooks let it."""
        return self.run("git", "commit", "--quiet", "--message", "change", inside=inside, **environment)

    def commit_unchecked(self) -> None:
        """Commit everything, whatever hooks might say."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--no-verify", "--message", "before")

    def put(self, model: str, name: str) -> Path:
        """Put a fixture there, in place of what was; a compiled model is made of its program."""
        target = self.folder / name
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".mlmodelc":
            program = fixture(model).program
            assert program is not None
            return write_compiled(target, program)
        if (FIXTURES / model).is_dir():
            return shutil.copytree(FIXTURES / model, target)
        return Path(shutil.copy(FIXTURES / model, target))

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")


def environment(home: Path, **more: str) -> dict[str, str]:
    """What commands run in: neither hooks that these tests may run in nor settings of the machine show through."""
    foreign = ("GIT_", "PRE_COMMIT", "SKIP", "NO_COLOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "TERM": "xterm"}
    return {**kept, **AUTHOR, **settings, "PRE_COMMIT_HOME": str(home / "cache"), **more}


def with_command(home: Path) -> dict[str, str]:
    """An environment in which `anecheck` is the one under test."""
    command = home / "bin/anecheck"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m anecheck "$@"\n')
    command.chmod(0o755)
    return environment(home, PATH=f"{command.parent}{os.pathsep}{os.environ['PATH']}")


def new_repository(folder: Path, settings: Mapping[str, str]) -> Repository:
    """A repository without a commit."""
    folder.mkdir(parents=True)
    repository = Repository(folder, settings)
    repository.git("init", "--quiet")
    return repository


def hook_repository(folder: Path, settings: Mapping[str, str], names: tuple[str, ...] = SOURCES) -> Repository:
    """This repository's files as one to install hooks from, with a tag."""
    repository = new_repository(folder, settings)
    for name in names:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, folder / name)
    repository.commit_unchecked()
    repository.git("tag", TAG)
    return repository


def outcome(done: Result, hook: str = "anecheck") -> str:
    """What pre-commit says of a hook: "Passed", "Failed" or "Skipped"."""
    found = re.findall(rf"^{re.escape(hook)}\.+(?:\(no files to check\))?(\w+)$", done.stdout, re.MULTILINE)
    assert len(found) == 1, done.stdout
    return str(found[0])


def linted(done: Result) -> list[str]:
    """The models that a failed hook has printed findings of, as often as it did."""
    return re.findall(r"^(?! )(.+\.(?:mlpackage|mlmodelc?))$", done.stdout, re.MULTILINE | re.IGNORECASE)
