"""A lint run: models in, a report out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from anecheck.artifact.errors import ArtifactError
from anecheck.artifact.load import load
from anecheck.knowledge.evidence import Confidence, Device
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits, Target
from anecheck.lint.diagnostics import (
    BROKEN_PACK,
    CRASHED_RULE,
    diagnose,
    unknown_operations,
    weight_findings,
)
from anecheck.lint.engine import Judgement, functions_of, judge
from anecheck.lint.finding import (
    Evidence,
    Finding,
    FunctionReport,
    ModelReport,
    OperationReport,
    ReadError,
    Report,
    Rewrite,
    Severity,
    Summary,
    TargetReport,
    ToolReport,
)
from anecheck.lint.fingerprint import fingerprint
from anecheck.lint.registry import PackError
from anecheck.lint.rule import GraphContext, Match, Rule
from anecheck.mil.graph import Node, weight_values
from anecheck.mil.model import Model
from anecheck.mil.printer import operation_lines
from anecheck.version import __version__


@dataclass(frozen=True, slots=True)
class Settings:
    """What to judge, and for what. The first of `targets` is the one that per-operation results speak of."""

    rules: tuple[Rule, ...]
    targets: tuple[Target, ...]
    compute_units: ComputeUnits
    knowledge: Knowledge
    pack_errors: tuple[PackError, ...] = ()
    silenced: frozenset[str] = frozenset()
    """Codes of the tool's own diagnostics that the user does not want to see."""
    operations: bool = False
    """Whether the report lists every operation."""


def lint_paths(paths: Sequence[Path], settings: Settings, progress: Callable[[Path], None] | None = None) -> Report:
    """Lint the model at each path. One that cannot be read is reported as such, and the others are still linted."""
    models: list[ModelReport] = []
    for path in paths:
        if progress:
            progress(path)
        try:
            models.append(lint_model(load(path), settings))
        except ArtifactError as error:
            models.append(ModelReport(path=str(path), error=ReadError(code=error.fault.value, message=error.message)))
    return make_report(models, settings)


def make_report(models: list[ModelReport], settings: Settings) -> Report:
    """Put the reports of models together."""
    targets = [
        TargetReport(chip=target.chip, family=target.family, os=target.os, compute_units=settings.compute_units.value)
        for target in settings.targets
    ]
    tool = ToolReport(name="anecheck", version=__version__)
    return Report(tool=tool, target=targets[0], targets=targets, models=models)


def lint_model(model: Model, settings: Settings) -> ModelReport:
    """Lint one model that was read."""
    functions = functions_of(model)
    judgements = [
        judge(model, functions, settings.rules, target, settings.compute_units, settings.knowledge)
        for target in settings.targets
    ]
    findings = _findings(model, judgements, settings.knowledge)
    findings += weight_findings(model)
    findings += unknown_operations(functions, settings.knowledge)
    findings += _failures(judgements, settings)
    return ModelReport(
        path=model.path,
        kind=model.kind.value,
        specification_version=model.specification_version,
        functions=[_function_report(function, judgements[0], settings) for function in functions],
        findings=sorted((finding for finding in findings if finding.code not in settings.silenced), key=_order),
    )


def _findings(model: Model, judgements: list[Judgement], knowledge: Knowledge) -> list[Finding]:
    """The findings of all targets; one that already holds for a target's family is not repeated for it."""
    lines = operation_lines(model) if any(judgement.matches for judgement in judgements) else {}
    found: list[Finding] = []
    families: dict[tuple[str, Node | None], set[str]] = {}
    for judgement in judgements:
        family = judgement.target.family
        known = {key for key, covered in families.items() if family in covered}
        for function, match in judgement.matches:
            key = (match.rule.code, match.node)
            if key not in known:
                line = lines.get(id(match.node.operation)) if match.node else None
                found.append(_finding(function, match, judgement.target, knowledge, line))
                families.setdefault(key, set()).update(match.families)
    return found


def _finding(
    function: GraphContext | None, match: Match, target: Target, knowledge: Knowledge, line: int | None
) -> Finding:
    rule, node = match.rule, match.node
    evidence = _evidence(match, target, knowledge)
    confidence = _confidence(evidence)
    return Finding(
        code=rule.code,
        name=rule.name,
        severity=_severity(match.severity or rule.severity, confidence),
        confidence=confidence,
        message=match.message,
        function=function.label if function else None,
        operation=node.name if node else None,
        operation_type=node.type if node else None,
        operation_index=node.index if node else None,
        block=list(node.block) if node else [],
        families=list(match.families),
        blocks=sorted(device.value for device in match.blocks) if match.blocks_node else [],
        related=[related.name for related in match.related],
        evidence=evidence,
        rewrite=_rewrite(rule),
        fingerprint=fingerprint(
            rule.code, function.label if function else "", function.graph if function else None, node, match.message
        ),
        mil_line=line,
        data=match.data,
    )


def _evidence(match: Match, target: Target, knowledge: Knowledge) -> list[Evidence]:
    return [
        Evidence(
            source=citation.source,
            url=knowledge.sources[citation.source].url if citation.source in knowledge.sources else "",
            confidence=citation.on(target.family),
        )
        for citation in match.evidence or match.rule.evidence
    ]


def _confidence(evidence: list[Evidence]) -> Confidence:
    """How sure a finding is: what its first source says that speaks of the target's own family."""
    own = (item.confidence for item in evidence if item.confidence is not Confidence.EXTRAPOLATED)
    return next(own, Confidence.EXTRAPOLATED)


def _severity(severity: Severity, confidence: Confidence) -> Severity:
    """Cap the severity by how sure we are: errors need Apple's word or a measurement, and folklore is only a hint."""
    if confidence is Confidence.FOLKLORE:
        return Severity.INFO
    sure = confidence in {Confidence.DOCUMENTED, Confidence.MEASURED}
    return Severity.WARNING if severity is Severity.ERROR and not sure else severity


def _rewrite(rule: Rule) -> Rewrite | None:
    if not rule.rewrite:
        return None
    example = next((example for example in rule.EXAMPLES if example.after), None)
    return Rewrite(
        title=rule.rewrite,
        text=rule.section("Instead") or rule.rewrite,
        before=example.before if example else None,
        after=example.after if example else None,
    )


def _failures(judgements: list[Judgement], settings: Settings) -> list[Finding]:
    crashes = {crash.rule.code: crash for judgement in judgements for crash in judgement.crashes}
    return [
        diagnose(CRASHED_RULE, f"rule {code} ({crash.rule.name}) failed: {crash.reason}", rule=code)
        for code, crash in sorted(crashes.items())
    ] + [
        diagnose(BROKEN_PACK, f"the rule pack '{error.pack}' could not be loaded: {error.reason}", pack=error.pack)
        for error in settings.pack_errors
    ]


def _function_report(function: GraphContext, judgement: Judgement, settings: Settings) -> FunctionReport:
    graph = function.graph
    running = graph.running
    off = sum(Device.ANE in judgement.blockers.get(node, {}) for node in running)
    return FunctionReport(
        name=function.label,
        opset=graph.function.opset,
        summary=Summary(
            operations=len(running),
            off_engine=off,
            weight_bytes=sum(value.type.byte_count or 0 for value in weight_values(graph)),
        ),
        operations=_operations(function, judgement) if settings.operations else None,
    )


def _operations(function: GraphContext, judgement: Judgement) -> list[OperationReport]:
    reports = []
    for node in function.graph.nodes:
        blockers = judgement.blockers.get(node, {})
        reports.append(
            OperationReport(
                index=node.index,
                name=node.name,
                type=node.type,
                supported=[device.value for device in Device if device not in blockers],
                blockers=blockers.get(Device.ANE, []),
                block=list(node.block),
            )
        )
    return reports


def _order(finding: Finding) -> tuple[object, ...]:
    return (
        finding.severity.rank,
        finding.code,
        finding.function or "",
        -1 if finding.operation_index is None else finding.operation_index,
        finding.block,
        finding.message,
    )
