"""Models that run in the same frame: what each takes of it, worked out once for each target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anecheck.artifact.errors import ArtifactError
from anecheck.artifact.load import load
from anecheck.artifact.locate import ListFileError, find_models
from anecheck.knowledge.target import Target
from anecheck.lint.asked.settings import Settings
from anecheck.lint.asked.wanted import SettingError
from anecheck.lint.calls import calls_of
from anecheck.lint.engine import functions_of, judge
from anecheck.mil.model import Model
from anecheck.predict.budget import Neighbour


class CompanyError(SettingError):
    """A model that is to run beside others cannot be read, or its time cannot be estimated."""


class Company:
    """Reads and times the models that run beside those that are linted."""

    def __init__(self, settings: Settings) -> None:
        self._rules, self._units, self._knowledge = settings.rules, settings.compute_units, settings.knowledge
        self._models: dict[Path, Model] = {}
        self._times: dict[tuple[Path, Target], Neighbour] = {}

    def check(self, paths: Sequence[str | Path]) -> None:
        """Read the models at these paths.

        Raises:
            CompanyError: one cannot be read, or has no program whose time could be estimated.

        """
        for path in map(Path, paths):
            if path not in self._models:
                self._models[path] = self._read(path)

    def neighbours(self, paths: Sequence[str | Path], target: Target) -> tuple[Neighbour, ...]:
        """What the models at these paths take on a target. One with several functions takes what the slowest does."""
        return tuple(self._neighbour(Path(path), target) for path in paths)

    def _read(self, path: Path) -> Model:
        try:
            found = find_models([str(path)])
        except ListFileError as error:
            raise CompanyError(f"'{path}', to run beside others, cannot be read: {error}") from error
        if len(found) != 1:
            raise CompanyError(f"'{path}' is not one model to run beside others, but {len(found)}")
        try:
            model = load(found[0])
        except ArtifactError as error:
            raise CompanyError(f"'{path}', to run beside others, cannot be read: {error.message}") from error
        if not functions_of(model):
            raise CompanyError(f"'{path}', to run beside others, has no program whose time could be estimated")
        return model

    def _neighbour(self, path: Path, target: Target) -> Neighbour:
        key = (path, target)
        if key not in self._times:
            self.check([path])
            model = self._models[path]
            functions = functions_of(model)
            judgement = judge(model, functions, self._rules, target, self._units, self._knowledge, frozenset())
            slowest = max(calls_of(model, functions, judgement.assessments), key=lambda call: call.ms[1])
            self._times[key] = Neighbour(path.name, slowest.ms)
        return self._times[key]
