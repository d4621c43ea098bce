"""A lint run: models in, a report out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from anecheck.artifact.errors import ArtifactError
from anecheck.artifact.load import load
from anecheck.lint.assemble import rule_findings
from anecheck.lint.company import Company
from anecheck.lint.diagnostics import BROKEN_PACK, CRASHED_RULE, diagnose, unknown_operations, weight_findings
from anecheck.lint.engine import Judgement, functions_of, judge
from anecheck.lint.finding import Finding
from anecheck.lint.plan import Plan, Task
from anecheck.lint.registry import Registry
from anecheck.lint.reports import Gone, ModelReport, ReadError, Report, Shard, TargetReport, ToolReport
from anecheck.lint.settings import IGNORE_KEY, Settings
from anecheck.lint.totals import function_report
from anecheck.mil.model import Model
from anecheck.version import __version__

if TYPE_CHECKING:
    from anecheck.lint.waivers import Waiver


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task, and how many findings each suppression of the configuration has excused."""

    report: ModelReport
    used: Counter[Waiver] = field(default_factory=Counter)


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
    if not (plan.waivers or plan.baselines or shard or plan.fail_on != report.fail_on):
        return report
    from anecheck.lint.notices import with_notices  # noqa: PLC0415

    used: Counter[Waiver] = Counter()
    for outcome in outcomes:
        used.update(outcome.used)
    return with_notices(replace(report, shard=shard, fail_on=plan.fail_on), plan, used, today())


def one_by_one(
    tasks: Sequence[Task], companies: Companies, progress: Callable[[Path], None] | None = None
) -> Iterator[Outcome]:
    """Lint one task after the other."""
    for task in tasks:
        if progress:
            progress(task.path)
        yield lint_task(task, companies.of(task.settings))


def today() -> date:
    """The day, in UTC, so that a run says the same everywhere."""
    return datetime.now(timezone.utc).date()


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
    findings, gone, used = report.findings, list[Gone](), Counter["Waiver"]()
    if task.waivers:
        from anecheck.lint.waivers import excuse  # noqa: PLC0415

        findings, used = excuse(findings, task.waivers, "configuration", today())
    if task.accepted is not None and report.error is None:
        from anecheck.lint.baseline import accept  # noqa: PLC0415

        findings, gone = accept(findings, task.accepted)
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


def target_reports(settings: Settings) -> list[TargetReport]:
    """What is judged for, as the report has it."""
    return [
        TargetReport(chip=target.chip, family=target.family, os=target.os, compute_units=settings.compute_units.value)
        for target in settings.targets
    ]


def lint_model(model: Model, settings: Settings, company: Company | None = None) -> ModelReport:
    """Lint one model that was read. What is wanted of it may name models that run beside it, which `company` knows.

    Raises:
        CompanyError: one of these cannot be read, or has no program whose time could be estimated.

    """
    company = company or Company(settings)
    wanted, functions = settings.wanted, functions_of(model)
    judgements = [
        judge(
            model,
            functions,
            settings.rules,
            target,
            settings.compute_units,
            settings.knowledge,
            settings.selected,
            wanted.budgets(company.neighbours(wanted.beside or (), target)),
            settings.own_knowledge,
        )
        for target in settings.targets
    ]
    findings = rule_findings(model, judgements, settings.knowledge)
    findings += weight_findings(model)
    findings += unknown_operations(functions, settings.knowledge)
    findings += _failures(judgements, settings)
    assessments, memory = judgements[0].assessments, None
    reports = [
        function_report(function, assessment, judgements[0], settings.knowledge, operations=settings.operations)
        for function, assessment in zip(functions, assessments, strict=True)
    ]
    if settings.footprint and functions:
        from anecheck.lint.measures import memory_total, with_footprint  # noqa: PLC0415  # only one command needs it

        reports = [with_footprint(*pair) for pair in zip(reports, assessments, strict=True)]
        memory = memory_total([function.label for function in functions], assessments)
    return ModelReport(
        path=shown(model.path),
        kind=model.kind.value,
        specification_version=model.specification_version,
        targets=target_reports(settings),
        fail_on=settings.fail_on,
        functions=reports,
        memory=memory,
        findings=sorted(_as_set(findings, model, settings), key=_order),
    )


def _as_set(findings: list[Finding], model: Model, settings: Settings) -> list[Finding]:
    """The findings as the user wants them: excused by the model itself, with other severities, some of them silenced."""
    if settings.model_ignores and IGNORE_KEY in model.metadata:
        from anecheck.lint.waivers import excuse_itself  # noqa: PLC0415

        registry = Registry(settings.rules, settings.pack_errors)
        reported = settings.selected if settings.selected is not None else frozenset(r.code for r in settings.rules)
        findings = excuse_itself(findings, model.metadata, registry, reported, today())
    if settings.severities:
        findings = [replace(item, severity=settings.severities.get(item.code, item.severity)) for item in findings]
    return [finding for finding in findings if finding.code not in settings.silenced]


def shown(path: str | Path) -> str:
    """A path for the report: bytes that are no UTF-8, which file names may hold, are written as escapes."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def _failures(judgements: list[Judgement], settings: Settings) -> list[Finding]:
    crashes = {crash.rule.code: crash for judgement in judgements for crash in judgement.crashes}
    return [
        diagnose(CRASHED_RULE, f"rule {code} ({crash.rule.name}) failed: {crash.reason}", rule=code)
        for code, crash in sorted(crashes.items())
    ] + [
        diagnose(BROKEN_PACK, f"the rule pack '{error.pack}' could not be loaded: {error.reason}", pack=error.pack)
        for error in settings.pack_errors
    ]


def _order(finding: Finding) -> tuple[object, ...]:
    return (
        finding.severity.rank,
        finding.code,
        finding.function or "",
        -1 if finding.operation_index is None else finding.operation_index,
        finding.block,
        finding.message,
    )
