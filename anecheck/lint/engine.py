"""Running rules over a model: dispatch, crashes, deferral, and who is kept from which device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from anecheck.knowledge.evidence import Device
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits, Target
from anecheck.lint.rule import Context, GraphContext, Match, ModelRule, OperationRule, Rule
from anecheck.mil.graph import CONSTEXPR_PREFIX, Graph, Node
from anecheck.mil.model import Model
from anecheck.predict.assess import Assessment
from anecheck.predict.budget import NO_BUDGETS, Budgets
from anecheck.predict.placement import Placement, place
from anecheck.predict.support import UNITS, support
from anecheck.predict.whole import whole_program_reasons


class Crash(NamedTuple):
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
    placements: tuple[Placement, ...] = ()
    """The predicted placement of each function, in their order."""
    assessments: tuple[Assessment, ...] = ()
    """The numbers of each function, in their order."""


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
    selected: frozenset[str] | None = None,
    budgets: Budgets = NO_BUDGETS,
    own: Mapping[str, Knowledge] | None = None,
) -> Judgement:
    """Run the operation rules, predict the placement from what they block, and run the model rules on that.

    All `rules` count for the prediction; with `selected`, only those codes are reported. `own` is what single rules judge
    by in place of `knowledge`, by code. A rule that crashes is noted and costs only its own findings.
    """
    context = Context(model, functions, target, compute_units, knowledge, budgets=budgets)
    judgement = Judgement(target)
    running = [rule for rule in rules if compute_units.has_engine or not rule.engine_only]
    own = own or {}
    _collect([rule for rule in running if isinstance(rule, OperationRule)], context, own, judgement)
    _block(judgement)
    judgement.placements = tuple(_place(function, context, judgement) for function in functions)
    judgement.assessments = tuple(
        Assessment(function.graph, placement, target, knowledge)
        for function, placement in zip(functions, judgement.placements, strict=True)
    )
    context = replace(context, placements=judgement.placements, assessments=judgement.assessments)
    _collect([rule for rule in running if not isinstance(rule, OperationRule)], context, own, judgement)
    _defer(judgement)
    if selected is not None:
        judgement.matches = [found for found in judgement.matches if found[1].rule.code in selected]
        judgement.crashes = [crash for crash in judgement.crashes if crash.rule.code in selected]
    return judgement


def _collect(rules: list[Rule], context: Context, own: Mapping[str, Knowledge], judgement: Judgement) -> None:
    family = context.target.family
    for rule in rules:
        ruled = replace(context, knowledge=own[rule.code]) if rule.code in own else context
        try:
            judgement.matches += [found for found in _run(rule, ruled) if family in found[1].families]
        except Exception as error:  # noqa: BLE001  # a rule may fail in any way, and the others go on
            judgement.crashes.append(Crash(rule, f"{type(error).__name__}: {error}"))


def _place(function: GraphContext, context: Context, judgement: Judgement) -> Placement:
    knowledge, graph = context.knowledge, function.graph
    supports = {node: support(node, judgement.blockers, knowledge) for node in graph.running}
    interface = context.model.interface(function.label)
    whole = whole_program_reasons(graph, interface, context.target, knowledge)
    return place(graph, supports, UNITS[context.compute_units], knowledge.costs, whole)


def _run(rule: Rule, context: Context) -> list[tuple[GraphContext | None, Match]]:
    if isinstance(rule, OperationRule):
        return [
            (function, match)
            for function in context.functions
            for node in _candidates(rule, function.graph, context)
            for match in rule.check(node, function.graph, context)
        ]
    if isinstance(rule, ModelRule):
        return [(match.function, match) for match in rule.check(context)]
    return []


def _candidates(rule: OperationRule, graph: Graph, context: Context) -> list[Node]:
    """The operations that a rule has to look at: by their type, and by the types of their tensors."""
    kinds = [kind for kind in sorted(graph.by_type) if rule.concerns(kind, context)]
    if rule.operations is None:
        kinds = [kind for kind in kinds if not kind.startswith(CONSTEXPR_PREFIX)]
    if type(rule).concerns_tensor is OperationRule.concerns_tensor:
        return [node for kind in kinds for node in graph.by_type[kind]]
    wanted = {id(tensor) for tensor in graph.tensor_types if rule.concerns_tensor(tensor, context)}
    if not wanted:
        return []
    nodes = (node for kind in kinds for node in graph.by_type[kind])
    return [node for node in nodes if not wanted.isdisjoint([id(tensor) for tensor in node.running_tensors])]


def _block(judgement: Judgement) -> None:
    """Note who is kept from what, and by which rule; a deferring one counts only where no other speaks."""
    specific = [match for _, match in judgement.matches if not _defers(match)]
    deferring = [match for _, match in judgement.matches if _defers(match)]
    for match in specific:
        _note(match, judgement.blockers)
    taken = {(node, device) for node, devices in judgement.blockers.items() for device in devices}
    for match in deferring:
        if not any((match.node, device) in taken for device in match.blocks):
            _note(match, judgement.blockers)


def _note(match: Match, blockers: dict[Node, dict[Device, list[str]]]) -> None:
    own = [match.node] if match.blocks_node and match.node is not None else []
    for node in (*own, *match.related):
        for device in match.blocks:
            codes = blockers.setdefault(node, {}).setdefault(device, [])
            if match.rule.code not in codes:
                codes.append(match.rule.code)


def _defer(judgement: Judgement) -> None:
    """Drop what deferring rules say of operations that a more specific rule, or an earlier one, explains."""
    explained = {
        node
        for _, match in judgement.matches
        if (match.blocks or match.explains) and not _defers(match)
        for node in (match.node, *match.related)
        if node
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
