"""A repository with the hooks of this one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.uses.pre_commit.repositories import TAG, Repository, hook_repository, new_repository, with_command

CONFIGURATION = """
repos:
  - repo: {repository}
    rev: {tag}
    hooks:
      - id: anecheck
        language: system  # the anecheck under test in place of an environment for it; all else is as the hook has it
      - id: anecheck-all
        language: system
        stages: [manual]
"""


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository with the hooks, to be copied."""
    home = tmp_path_factory.mktemp("home")
    settings = with_command(home)
    hooks = hook_repository(home / "hooks", settings, (".pre-commit-hooks.yaml",))
    app = new_repository(home / "app", settings)
    app.write(".pre-commit-config.yaml", CONFIGURATION.format(repository=hooks.folder, tag=TAG))
    assert app.pre_commit("install", "--install-hooks").returncode == 0
    app.commit_unchecked()
    return app


@pytest.fixture
def app(prepared: Repository, tmp_path: Path) -> Repository:
    """A repository with the hooks, and without a model."""
    shutil.copytree(prepared.folder, tmp_path / "app")
    return Repository(tmp_path / "app", prepared.environment)
