"""From what the rules matched to the findings and totals of a report."""

from __future__ import annotations

from dataclasses import dataclass, field

from anecheck.knowledge.evidence import Confidence, Device
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import Target
from anecheck.lint.engine import Judgement
from anecheck.lint.finding import Evidence, Finding, Rewrite, Severity
from anecheck.lint.fingerprint import Neighbourhoods, fingerprint, subject
from anecheck.lint.rule import GraphContext, Match, Rule
from anecheck.mil.graph import Graph, Node
from anecheck.mil.model import Model
from anecheck.mil.printer import operation_lines, result_column
from anecheck.mil.program import Program


@dataclass(slots=True)
class _Shared:
    """What the findings of one model have in common: lines by `id(operation)`, programs by `id(function)`, and what is made
    once for several of them.
    """

    knowledge: Knowledge
    lines: dict[int, int]
    programs: dict[int, Program]
    rewrites: dict[Rule, Rewrite | None] = field(default_factory=dict)
    neighbourhoods: Neighbourhoods = field(default_factory=dict)


def rule_findings(model: Model, judgements: list[Judgement], knowledge: Knowledge) -> list[Finding]:
    """The findings of all targets; one that already holds for a target's family is not repeated for it, but for rules that
    speak of single targets.
    """
    lines = operation_lines(model) if any(judgement.matches for judgement in judgements) else {}
    programs = {id(function): program for _, program in model.programs for function in program.functions.values()}
    shared = _Shared(knowledge, lines, programs)
    found: list[Finding] = []
    families: dict[tuple[str, Node | None], set[str]] = {}
    for judgement in judgements:
        family = judgement.target.family
        known = {key for key, covered in families.items() if family in covered}
        for function, match in judgement.matches:
            key = (match.rule.code, match.node)
            if match.rule.per_target or key not in known:
                found.append(_finding(function, match, judgement.target, shared))
                families.setdefault(key, set()).update(match.families)
    return found


def _finding(function: GraphContext | None, match: Match, target: Target, shared: _Shared) -> Finding:
    rule, node = match.rule, match.node
    label, graph = (function.label, function.graph) if function else ("", None)
    if rule not in shared.rewrites:
        shared.rewrites[rule] = _rewrite(rule)
    lost = sorted(device.value for device in match.blocks or ({Device.ANE} if match.explains else ()))
    evidence = _evidence(match, target, shared.knowledge)
    confidence = _confidence(evidence)
    about = "" if node else subject(match.data, graph, str(target) if rule.per_target else "")
    return Finding(
        code=rule.code,
        name=rule.name,
        severity=_severity(match, confidence),
        confidence=confidence,
        message=match.message,
        reject=match.reject or rule.reject or None,
        function=function.label if function else None,
        operation=node.name if node else None,
        operation_type=node.type if node else None,
        operation_index=node.index if node else None,
        block=list(node.block) if node else [],
        families=list(match.families),
        blocks=lost if match.blocks_node else [],
        related=[related.name for related in match.related],
        related_blocks=lost if match.related else [],
        evidence=evidence,
        rewrite=shared.rewrites[rule],
        fingerprint=fingerprint(rule.code, label, graph, node, about, shared.neighbourhoods),
        mil_line=shared.lines.get(id(node.operation)) if node else None,
        mil_column=_column(node, graph, shared) if node and graph else None,
        data=match.data,
    )


def _column(node: Node, graph: Graph, shared: _Shared) -> int | None:
    """Where on its line the text names the node; none where it is no part of the text."""
    if id(node.operation) not in shared.lines:
        return None
    program = shared.programs[id(graph.function)]
    return result_column(program, node.operation, len(node.block))


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


def _severity(match: Match, confidence: Confidence) -> Severity:
    """Cap the severity by how sure we are.

    Errors need Apple's word or a measurement. Folklore is only a hint, and so is what users report of other chips.
    """
    severity = match.severity or match.rule.severity
    if confidence is Confidence.FOLKLORE or (confidence is Confidence.EXTRAPOLATED and _is_hearsay(match)):
        return Severity.INFO
    sure = confidence in {Confidence.DOCUMENTED, Confidence.MEASURED}
    return Severity.WARNING if severity is Severity.ERROR and not sure else severity


def _is_hearsay(match: Match) -> bool:
    """Whether nobody but users speaks of a match, on whatever chips."""
    users = {Confidence.COMMUNITY, Confidence.FOLKLORE}
    return all(citation.confidence in users for citation in match.evidence or match.rule.evidence)


def _rewrite(rule: Rule) -> Rewrite | None:
    if not rule.rewrite:
        return None
    example = next((example for example in rule.EXAMPLES if example.after), None)
    return Rewrite(
        title=rule.rewrite,
        text=rule.section("Instead") or rule.rewrite,
        before=example.before if example else None,
        after=example.after if example else None,
        pytorch_before=(example.pytorch_before or None) if example else None,
        pytorch_after=(example.pytorch_after or None) if example else None,
    )
