"""A lint run: models in, a report out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from anecheck.artifact.errors import ArtifactError
from anecheck.artifact.load import load
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits, Target
from anecheck.lint.assemble import rule_findings
from anecheck.lint.company import Company
from anecheck.lint.diagnostics import (
    BROKEN_PACK,
    CRASHED_RULE,
    diagnose,
    unknown_operations,
    weight_findings,
)
from anecheck.lint.discovery import Discovery
from anecheck.lint.engine import Judgement, functions_of, judge
from anecheck.lint.finding import Finding
from anecheck.lint.registry import PackError
from anecheck.lint.reports import ModelReport, ReadError, Report, TargetReport, ToolReport
from anecheck.lint.rule import Rule
from anecheck.lint.totals import function_report
from anecheck.lint.wanted import NOTHING_WANTED, Wanted
from anecheck.mil.model import Model
from anecheck.version import __version__


@dataclass(frozen=True, slots=True)
class Settings:
    """What to judge, and for what. The first of `targets` is the one that per-operation results speak of."""

    rules: tuple[Rule, ...]
    """All that are installed: a prediction needs them, reported or not."""
    targets: tuple[Target, ...]
    compute_units: ComputeUnits
    knowledge: Knowledge
    pack_errors: tuple[PackError, ...] = ()
    selected: frozenset[str] | None = None
    """The codes of the rules to report; all where it is None."""
    silenced: frozenset[str] = frozenset()
    """Codes of the tool's own diagnostics that the user does not want to see."""
    operations: bool = False
    """Whether the report lists every operation."""
    wanted: Wanted = NOTHING_WANTED
    """The budgets that hold for every model; a configuration may add others."""
    footprint: bool = False
    """Whether the report says how much memory and time every function takes."""


def lint_paths(
    paths: Sequence[Path],
    settings: Settings,
    progress: Callable[[Path], None] | None = None,
    read: Callable[[Path], Model] = load,
) -> Report:
    """Lint the model at each path. One that cannot be read is reported as such, and the others are still linted.

    `read` is for whoever wants the models as well. What somebody set is checked for all of them before the first is linted.

    Raises:
        ConfigurationError: the configuration of a model cannot be used.
        CompanyError: a model that is to run beside them cannot.

    """
    wanted = _wanted(paths, settings.wanted)
    company = Company(settings.rules, settings.compute_units, settings.knowledge)
    for each in wanted:
        company.check(each.beside or ())
    models: list[ModelReport] = []
    for path, own in zip(paths, wanted, strict=True):
        if progress:
            progress(path)
        try:
            models.append(lint_model(read(path), settings, own, company))
        except ArtifactError as error:
            models.append(ModelReport(path=shown(path), error=ReadError(code=error.fault.value, message=error.message)))
    return make_report(models, settings)


def _wanted(paths: Sequence[Path], options: Wanted) -> list[Wanted]:
    """What is wanted of each model: by options first, then by its configuration.

    Most models have none, and are spared the import of what reads it.
    """
    discovery = Discovery()
    files = [discovery.file_for(path) for path in paths]
    if not any(files):
        return [options] * len(paths)
    from anecheck.lint.config import read_configuration  # noqa: PLC0415

    read = {file: read_configuration(file) for file in dict.fromkeys(files) if file is not None}
    return [options.over(read[file].wanted(path)) if file else options for path, file in zip(paths, files, strict=True)]


def target_reports(settings: Settings) -> list[TargetReport]:
    """What is judged for, as the report has it."""
    return [
        TargetReport(chip=target.chip, family=target.family, os=target.os, compute_units=settings.compute_units.value)
        for target in settings.targets
    ]


def make_report(models: list[ModelReport], settings: Settings) -> Report:
    """Put the reports of models together."""
    targets = target_reports(settings)
    tool = ToolReport(name="anecheck", version=__version__)
    return Report(tool=tool, target=targets[0], targets=targets, models=models)


def lint_model(
    model: Model, settings: Settings, wanted: Wanted = NOTHING_WANTED, company: Company | None = None
) -> ModelReport:
    """Lint one model that was read. What is `wanted` of it may name models that run beside it, which `company` knows.

    Raises:
        CompanyError: one of these cannot be read, or has no program whose time could be estimated.

    """
    company = company or Company(settings.rules, settings.compute_units, settings.knowledge)
    functions = functions_of(model)
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
        functions=reports,
        memory=memory,
        findings=sorted((finding for finding in findings if finding.code not in settings.silenced), key=_order),
    )


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
