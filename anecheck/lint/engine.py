"""Running rules over a model: dispatch, crashes, deferral, and who is kept from which device."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from anecheck.knowledge.evidence import Device
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits, Target
from anecheck.lint.rule import Context, GraphContext, Match, ModelRule, OperationRule, Rule
from anecheck.mil.graph import Graph, Node
from anecheck.mil.model import Model


@dataclass(frozen=True, slots=True)
class Crash:
    """A rule that failed, and how."""

    rule: Rule
    reason: str


@dataclass(slots=True)
class Judgement:
    """What the rules say of a model for one target.

    `matches` come with the function they stand in (`None` for the whole model); `blockers` give for each node the codes
    of the rules that keep it from a device.
    """

    target: Target
    matches: list[tuple[GraphContext | None, Match]] = field(default_factory=list)
    blockers: dict[Node, dict[Device, list[str]]] = field(default_factory=dict)
    crashes: list[Crash] = field(default_factory=list)


def functions_of(model: Model) -> tuple[GraphContext, ...]:
    """The graph of every function of a model, a pipeline's labelled with their part's name."""
    return tuple(
        GraphContext(f"{part}/{name}" if part else name, Graph(function))
        for part, program in model.programs
        for name, function in sorted(program.functions.items())
    )


def judge(  # noqa: PLR0913
    model: Model,
    functions: tuple[GraphContext, ...],
    rules: Iterable[Rule],
    target: Target,
    compute_units: ComputeUnits,
    knowledge: Knowledge,
) -> Judgement:
    """Run the rules. One that crashes is noted and costs only its own findings."""
    context = Context(model, functions, target, compute_units, knowledge)
    judgement = Judgement(target)
    for rule in rules:
        if rule.engine_only and not compute_units.has_engine:
            continue
        try:
            judgement.matches += [found for found in _run(rule, context) if target.family in found[1].families]
        except Exception as error:  # noqa: BLE001  # a rule may fail in any way, and the others go on
            judgement.crashes.append(Crash(rule, f"{type(error).__name__}: {error}"))
    _block(judgement)
    _defer(judgement)
    return judgement


def _run(rule: Rule, context: Context) -> list[tuple[GraphContext | None, Match]]:
    if isinstance(rule, OperationRule):
        return [
            (function, match)
            for function in context.functions
            for node in _candidates(rule, function.graph)
            for match in rule.check(node, function.graph, context)
        ]
    if isinstance(rule, ModelRule):
        owners = {node: function for function in context.functions for node in function.graph.nodes}
        return [(owners[match.node] if match.node else None, match) for match in rule.check(context)]
    return []


def _candidates(rule: OperationRule, graph: Graph) -> list[Node]:
    if rule.operations is None:
        return graph.running
    return [node for kind in sorted(rule.operations & graph.by_type.keys()) for node in graph.by_type[kind]]


def _block(judgement: Judgement) -> None:
    for _, match in judgement.matches:
        nodes = match.related if not match.blocks_node or match.node is None else (match.node, *match.related)
        for node in nodes:
            for device in match.blocks:
                codes = judgement.blockers.setdefault(node, {}).setdefault(device, [])
                if match.rule.code not in codes:
                    codes.append(match.rule.code)


def _defer(judgement: Judgement) -> None:
    """Drop what deferring rules say of operations that a more specific rule, or an earlier one, explains."""
    explained = {
        node for _, match in judgement.matches if not _defers(match) for node in (match.node, *match.related) if node
    }
    kept = []
    for function, match in judgement.matches:
        if _defers(match) and match.node is not None:
            if match.node in explained:
                continue
            explained.add(match.node)
        kept.append((function, match))
    judgement.matches = kept


def _defers(match: Match) -> bool:
    return isinstance(match.rule, OperationRule) and match.rule.defers
