"""A lint run: models in, a report out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from anecheck.artifact.errors import ArtifactError
from anecheck.artifact.load import load
from anecheck.artifact.locate import shown
from anecheck.lint.asked.settings import Settings
from anecheck.lint.company import Company
from anecheck.lint.examine import lint_model, target_reports, today
from anecheck.lint.plan import Plan, Task
from anecheck.lint.reports import ModelReport, ReadError, Report, ToolReport
from anecheck.version import __version__

if TYPE_CHECKING:
    from anecheck.lint.run_report import Gone, Shard
    from anecheck.lint.waivers import Waiver


class Outcome(NamedTuple):
    """What came of a task, and how many findings each suppression of the configuration has excused."""

    report: ModelReport
    used: Mapping[Waiver, int] = {}  # nobody changes it


class Companies:
    """The models that run beside others, as each settings judge them."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._known: dict[int, Company] = {}
        for task in tasks:
            self.of(task.settings).check(task.settings.wanted.beside or ())

    def of(self, settings: Settings) -> Company:
        """The company that models keep which these settings judge."""
        if id(settings) not in self._known:
            self._known[id(settings)] = Company(settings)
        return self._known[id(settings)]


Runner = Callable[[Sequence[Task], "Companies", "Callable[[Path], None] | None"], "Iterable[Outcome]"]
"""What lints tasks, in their order; before each it says which."""


def run(
    plan: Plan,
    progress: Callable[[Path], None] | None = None,
    *,
    shard: Shard | None = None,
    runner: Runner | None = None,
) -> Report:
    """Do what is planned, or a shard of it. A model that cannot be read is reported as such; the others are still linted.

    Raises:
        CompanyError: a model that is to run beside others cannot.

    """
    tasks = plan.tasks[shard.index - 1 :: shard.count] if shard else plan.tasks
    companies = Companies(plan.tasks)
    outcomes = list((runner or one_by_one)(tasks, companies, progress))
    report = make_report([outcome.report for outcome in outcomes], plan.settings)
    report = replace(report, shard=shard, fail_on=plan.settings.fail_on)
    if not (plan.waivers or plan.baselines):
        return report
    from anecheck.lint.notices import with_notices  # noqa: PLC0415

    used: Counter[Waiver] = Counter()
    for outcome in outcomes:
        used.update(outcome.used)
    return with_notices(report, plan, used, today())


def one_by_one(
    tasks: Sequence[Task], companies: Companies, progress: Callable[[Path], None] | None = None
) -> Iterator[Outcome]:
    """Lint one task after the other."""
    for task in tasks:
        if progress:
            progress(task.path)
        yield lint_task(task, companies.of(task.settings))


def lint_task(task: Task, company: Company) -> Outcome:
    """Lint the model of a task, if it can be read, and hold what is found against suppressions and baseline."""
    listing = None
    try:
        model = task.model or load(task.path)
        report = lint_model(model, task.settings, company)
        if task.settings.listing is not None:
            from anecheck.lint.listings import write_listing  # noqa: PLC0415

            listing = shown(write_listing(model, task.settings.listing))
    except ArtifactError as error:
        fault = ReadError(code=error.fault.value, message=error.message)
        report = ModelReport(path=shown(task.path), error=fault)
    findings, gone, used = report.findings, list["Gone"](), Counter["Waiver"]()
    if task.waivers:
        from anecheck.lint.waivers import excuse  # noqa: PLC0415

        findings, used = excuse(findings, task.waivers, "configuration", today())
    if task.accepted is not None and report.error is None:
        from anecheck.lint.baseline import accept  # noqa: PLC0415

        findings, gone = accept(findings, task.accepted, task.settings.speaks)
    report = replace(
        report,
        targets=target_reports(task.settings),
        fail_on=task.settings.fail_on,
        configuration=shown(task.configuration) if task.configuration else None,
        listing=listing,
        findings=findings,
        gone=gone,
    )
    return Outcome(report, used)


def make_report(models: list[ModelReport], settings: Settings) -> Report:
    """Put the reports of models together; where there are none, `settings` say what would have been judged for."""
    judged = [target for model in models for target in model.targets] or target_reports(settings)
    targets = [target for place, target in enumerate(judged) if target not in judged[:place]]
    tool = ToolReport(name="anecheck", version=__version__)
    return Report(tool=tool, target=targets[0], targets=targets, models=models)
