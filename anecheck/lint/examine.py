"""From a model that was read to its report: judged for every target, with what the tool says of itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone

from anecheck.artifact.locate import shown
from anecheck.lint.asked.settings import IGNORE_KEY, Settings
from anecheck.lint.assemble import rule_findings
from anecheck.lint.company import Company
from anecheck.lint.diagnostics import BROKEN_PACK, CRASHED_RULE, diagnose, unknown_operations, weight_findings
from anecheck.lint.engine import Judgement, functions_of, judge
from anecheck.lint.finding import Finding
from anecheck.lint.registry import Registry
from anecheck.lint.reports import ModelReport, TargetReport
from anecheck.lint.sources import with_sources
from anecheck.lint.totals import function_report
from anecheck.mil.model import Model


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
    findings = with_sources(findings, model, functions)
    assessments, memory = judgements[0].assessments, None
    reports = [
        function_report(function, assessment, judgements[0])
        for function, assessment in zip(functions, assessments, strict=True)
    ]
    if settings.operations:
        from anecheck.lint.explained import explained  # noqa: PLC0415  # most runs ask for totals only

        reports = [
            explained(report, function, assessment.placement, judgements[0], settings.knowledge)
            for report, function, assessment in zip(reports, functions, assessments, strict=True)
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


def target_reports(settings: Settings) -> list[TargetReport]:
    """What is judged for, as the report has it."""
    return [
        TargetReport(chip=target.chip, family=target.family, os=target.os, compute_units=settings.compute_units.value)
        for target in settings.targets
    ]


def today() -> date:
    """The day, in UTC, so that a run says the same everywhere."""
    return datetime.now(timezone.utc).date()


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
