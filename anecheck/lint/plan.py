"""What a run is to do: which models, each by which settings, excused by whom, and held against which baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from anecheck.knowledge.tables import Knowledge
from anecheck.lint.asked.discovery import Discovery, near
from anecheck.lint.asked.options import NOTHING_ASKED, Options
from anecheck.lint.asked.settings import NO_DETAIL, Detail, Settings, resolve
from anecheck.lint.registry import Registry
from anecheck.mil.model import Model

if TYPE_CHECKING:  # most models have none, and are spared the import of what reads them
    from anecheck.lint.asked.config import Configuration
    from anecheck.lint.baseline import Baseline, Entries
    from anecheck.lint.waivers import Waiver


class Asked(NamedTuple):
    """What somebody asks of a run on the command line or from Python; it counts before any configuration."""

    options: Options = NOTHING_ASKED
    detail: Detail = NO_DETAIL
    configuration: Path | None = None
    """The configuration of all models; where it is `None`, each has the nearest above it."""
    isolated: bool = False
    """Whether configurations do not count."""
    baseline: Path | None = None
    """The baseline of all models; where it is `None`, each has that of its configuration."""
    baselines: bool = True
    """Whether baselines count."""


class Task(NamedTuple):
    """A model to lint, and by what."""

    path: Path
    settings: Settings
    configuration: Path | None = None
    waivers: tuple[Waiver, ...] = ()
    baseline: Path | None = None
    """The baseline that the configuration names."""
    accepted: Entries | None = None
    """What the baseline has of it; `None` where no baseline counts."""
    model: Model | None = None
    """The model itself where it was read already; no configuration speaks of it."""


class PlannedWaiver(NamedTuple):
    """A suppression of a configuration in use: the globs of models that it fits, from `folder`, and whether any of the run
    does. `is_judged` says whether the rules that it names were to speak of one of these.
    """

    waiver: Waiver
    globs: tuple[str, ...]
    folder: Path
    fits: bool
    is_judged: bool


class Plan(NamedTuple):
    """A whole run. `settings` are those of the run itself: by them it is said what there is to say of suppressions."""

    tasks: tuple[Task, ...]
    settings: Settings
    waivers: tuple[PlannedWaiver, ...] = ()
    baselines: tuple[Baseline, ...] = ()


class Configurations:
    """Finds, reads and checks configurations, each once."""

    def __init__(self, asked: Asked, registry: Registry) -> None:
        self._asked, self._registry = asked, registry
        self._discovery = Discovery()
        self._read: dict[Path, Configuration] = {}

    def of(self, model: Path) -> Configuration | None:
        """The configuration of a model.

        Raises:
            ConfigurationError: it cannot be used.

        """
        if self._asked.isolated:
            return None
        file = self._asked.configuration or self._discovery.file_for(model)
        return None if file is None else self._open(file)

    def of_run(self) -> Configuration | None:
        """The configuration of the run itself: the nearest above the working directory."""
        return self.of(Path.cwd() / "run")

    def _open(self, file: Path) -> Configuration:
        if file not in self._read:
            from anecheck.lint.asked.config import read_configuration  # noqa: PLC0415

            configuration = read_configuration(near(file))
            configuration.check(self._registry, Knowledge())
            self._read[file] = configuration
        return self._read[file]


@dataclass(slots=True)
class _Planner:
    """Keeps what several models share."""

    asked: Asked
    registry: Registry
    configurations: Configurations
    settings: dict[Options, Settings] = field(default_factory=dict)
    waivers: dict[Waiver, PlannedWaiver] = field(default_factory=dict)
    baselines: dict[Path, Baseline] = field(default_factory=dict)

    def resolved(self, options: Options) -> Settings:
        if options not in self.settings:
            self.settings[options] = resolve(options, self.registry, self.asked.detail)
        return self.settings[options]

    def task(self, model: Path | Model) -> Task:
        if isinstance(model, Model):
            path = Path(model.path)
            return Task(path, self.resolved(self.asked.options), accepted=self.accepted(path, None), model=model)
        return self._task(model)

    def _task(self, path: Path) -> Task:
        configuration = self.configurations.of(path)
        options = self.asked.options
        if configuration:
            options = options.over(configuration.options(path))
        settings = self.resolved(options)
        return Task(
            path,
            settings,
            configuration.file if configuration else None,
            self.waivers_of(path, configuration, settings) if configuration else (),
            configuration.baseline if configuration else None,
            self.accepted(path, configuration),
        )

    def waivers_of(self, path: Path, configuration: Configuration, settings: Settings) -> tuple[Waiver, ...]:
        fitting = []
        for waiver, globs, folder in configuration.waivers(self.registry):
            from anecheck.lint.asked.globs import fits  # noqa: PLC0415

            planned = self.waivers.setdefault(waiver, PlannedWaiver(waiver, globs, folder, fits=False, is_judged=False))
            if fits(path, globs, folder):
                judged = any(map(settings.speaks, waiver.codes))
                self.waivers[waiver] = planned._replace(fits=True, is_judged=planned.is_judged or judged)
                fitting.append(waiver)
        return tuple(fitting)

    def accepted(self, path: Path, configuration: Configuration | None) -> Entries | None:
        if not self.asked.baselines:
            return None
        file = self.asked.baseline or (configuration.baseline if configuration else None)
        if file is None:
            return None
        return self.baseline(file, needed=file == self.asked.baseline).of(path)

    def baseline(self, file: Path, *, needed: bool) -> Baseline:
        """The baseline in a file; one that a configuration names and nobody has written yet is empty."""
        if file not in self.baselines:
            from anecheck.lint.baseline import Baseline, read_baseline  # noqa: PLC0415

            self.baselines[file] = read_baseline(file) if needed or file.exists() else Baseline(file, {})
        return self.baselines[file]


def make_plan(
    models: Sequence[Path | Model], asked: Asked, registry: Registry, known: Configurations | None = None
) -> Plan:
    """Plan the linting of models, at these paths or read already.

    What somebody set is understood for all of them before the first is read.

    Raises:
        ConfigurationError: a configuration cannot be used.
        BaselineError: a baseline cannot be used.
        UnknownRuleError, UnknownTargetError, UnknownLimitError: an option names something that does not exist.

    """
    configurations = known or Configurations(asked, registry)
    planner = _Planner(asked, registry, configurations)
    tasks = tuple(planner.task(model) for model in models)
    run = configurations.of_run() if planner.waivers or planner.baselines else None
    own = planner.resolved(asked.options.over(run.options(Path.cwd())) if run else asked.options)
    return Plan(tasks, own, tuple(planner.waivers.values()), tuple(planner.baselines.values()))
