"""Real models: every readable package among the fixtures, and the graphs of the evidence beside the repository."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

from anecheck.artifact.errors import ArtifactError
from anecheck.artifact.load import load
from anecheck.artifact.locate import find_models
from anecheck.mil.model import Model
from anecheck.mil.program import Program
from tests.conftest import FIXTURES, REPOSITORY

PLACEMENTS = REPOSITORY / "../shared/evidence/placements"
PLACED_GRAPHS = 356


@cache
def fixture_models(folder: str) -> list[Model]:
    """Every package below a folder of the fixtures that can be read."""
    return readable(FIXTURES / folder)


def placed_models() -> list[Model]:
    """The graphs of which Core ML's placement is known; the test is skipped where they are not there."""
    if not PLACEMENTS.is_dir():
        pytest.skip("the measured placements (shared/evidence/placements) are not beside the repository")
    models = readable(PLACEMENTS)
    assert len(models) == PLACED_GRAPHS
    return models


@cache
def readable(folder: Path) -> list[Model]:
    """Every model below a folder that can be read."""
    models = []
    for path in find_models([str(folder)]):
        with suppress(ArtifactError):
            models.append(load(path))
    assert models, folder
    return models


def programs_of(models: list[Model]) -> Iterator[tuple[str, Program]]:
    """Every program of every model, with the model's path and the part's name."""
    for model in models:
        for part, program in model.programs:
            yield f"{model.path} {part}", program
