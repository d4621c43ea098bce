"""What the README says of the hooks: its configuration as it stands there, and what it shows."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.uses.pre_commit.repositories import (
    BAD,
    GOOD,
    TAG,
    Repository,
    environment,
    hook_repository,
    new_repository,
    outcome,
)

TEXT = (REPOSITORY / "README.md").read_text(encoding="utf-8")
SECTION = TEXT.partition("### As a pre-commit hook\n")[2].partition("\n### ")[0]
MODEL = "models/Encoder.mlpackage"


def block(language: str) -> str:
    """The only block of a language in the section."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    return str(found)


def configuration(hooks: Path) -> str:
    """The configuration of the README, with an address and a tag filled in."""
    text = block("yaml")
    assert (text.count("<this repository>"), text.count("<tag or commit>")) == (1, 1)
    return text.replace("<this repository>", str(hooks)).replace("<tag or commit>", TAG)


def test_what_is_shown_is_what_a_commit_prints(app: Repository) -> None:
    app.put(BAD, MODEL)
    assert block("text") in app.commit().stdout


def test_the_hooks_named_are_those_there_are() -> None:
    hooks = (REPOSITORY / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"id: ([a-z-]+)", SECTION)) == set(re.findall(r"^- id: ([a-z-]+)$", hooks, re.MULTILINE))


@pytest.mark.network
def test_the_configuration_installs_anecheck_and_lints(tmp_path: Path) -> None:
    settings = environment(tmp_path / "home")
    settings.pop("PYTHONPATH", None)
    settings["PATH"] = os.pathsep.join(
        folder for folder in settings["PATH"].split(os.pathsep) if not (Path(folder) / "anecheck").exists()
    )
    hooks = hook_repository(tmp_path / "hooks", settings)
    app = new_repository(tmp_path / "app", settings)
    app.write(".pre-commit-config.yaml", configuration(hooks.folder))
    installed = app.pre_commit("install", "--install-hooks")
    assert installed.returncode == 0, installed.stdout
    app.put(BAD, MODEL)
    done = app.commit()
    assert (done.returncode, outcome(done)) == (1, "Failed")
    assert block("text") in done.stdout
    app.put(GOOD, MODEL)
    done = app.commit()
    assert (done.returncode, outcome(done)) == (0, "Passed")
