"""ANE248: the same computed more than once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, GraphContext, Match, ModelRule, mil, pytorch
from anecheck.mil.graph import Graph, Node, Operand

NEVER_ALIKE = frozenset({"read_state", "write_state", "custom_layer", "random_bernoulli", "random_categorical"}) | {
    "random_normal",
    "random_uniform",
}
"""Operations that may give another result each time, or do more than give one."""

FREE = frozenset({"reshape", "expand_dims", "squeeze", "identity", "shape"})
"""Operations that move no numbers; a repetition of these alone is not worth a word."""


class RepeatedComputation(ModelRule):
    """The same operations are applied to the same values several times.

    ## Why it costs
    Every copy is estimated, placed and run for itself. Typical are masks and tables of positions that each layer makes
    anew from the same inputs, when they could be made once and handed on.

        mask ─┬─ sub ─ mul ─ add(scores of layer 1)        mask ─ sub ─ mul ─┬─ add(scores of layer 1)
              └─ sub ─ mul ─ add(scores of layer 2)                          └─ add(scores of layer 2)

    coremltools merges such copies when it converts (`common::remove_redundant_ops`), but only operations of one type that
    follow the same value and take equal constants; programs from other writers, joined ones and custom pipelines without
    the pass keep theirs.

    ## Instead
    Compute it once before the layers and pass it to each. Where it depends on the app's inputs alone, such as a mask or
    the rotations of positions, compute it in the app and make it an input; where it depends on nothing, make it a constant.

    ## Known exceptions
    Copies that only change shapes, and numbers for shapes and indices, are left alone, and so is what is random.
    """

    code = "ANE248"
    name = "repeated-computation"
    engine_only = False
    severity = Severity.INFO
    rewrite = "compute it once and use the result everywhere"
    evidence = (cite("coremltools-9", Confidence.DOCUMENTED), cite("751k-analytics", Confidence.MEASURED, "H16"))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 8, 8]> a, tensor<fp16, [1, 1, 8, 8]> mask) {
                    tensor<fp16, [1, 1, 8, 8]> off1 = sub(x = fp16(1), y = mask);
                    tensor<fp16, [1, 1, 8, 8]> low1 = mul(x = off1, y = fp16(-100));
                    tensor<fp16, [1, 4, 8, 8]> s1 = add(x = a, y = low1);
                    tensor<fp16, [1, 4, 8, 8]> p1 = softmax(axis = int32(-1), x = s1);
                    tensor<fp16, [1, 1, 8, 8]> off2 = sub(x = fp16(1), y = mask);
                    tensor<fp16, [1, 1, 8, 8]> low2 = mul(x = off2, y = fp16(-100));
                    tensor<fp16, [1, 4, 8, 8]> s2 = add(x = p1, y = low2);
                    tensor<fp16, [1, 4, 8, 8]> y = softmax(axis = int32(-1), x = s2);
                } -> (y);
            """),
            flags=("low2",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 8, 8]> a, tensor<fp16, [1, 1, 8, 8]> mask) {
                    tensor<fp16, [1, 1, 8, 8]> off = sub(x = fp16(1), y = mask);
                    tensor<fp16, [1, 1, 8, 8]> low = mul(x = off, y = fp16(-100));
                    tensor<fp16, [1, 4, 8, 8]> s1 = add(x = a, y = low);
                    tensor<fp16, [1, 4, 8, 8]> p1 = softmax(axis = int32(-1), x = s1);
                    tensor<fp16, [1, 4, 8, 8]> s2 = add(x = p1, y = low);
                    tensor<fp16, [1, 4, 8, 8]> y = softmax(axis = int32(-1), x = s2);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                class Layer(torch.nn.Module):
                    def forward(self, scores, mask):
                        return (scores + (1 - mask) * -100).softmax(-1)
            """),
            pytorch_after=pytorch("""
                class Model(torch.nn.Module):
                    def forward(self, scores, mask):
                        low = (1 - mask) * -100
                        for layer in self.layers:
                            scores = layer(scores, low)
                        return scores
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each computation that is repeated once, at its second occurrence."""
        for function in context.functions:
            copies = repetitions(function.graph)
            if copies:
                yield from self._speak(copies, function)

    def _speak(self, copies: Mapping[Node, Node], function: GraphContext) -> Iterator[Match]:
        graph, groups = function.graph, defaultdict[Node, list[Node]](list)
        for copy, first in copies.items():
            if any(graph.is_output(output) for output in copy.outputs) or any(
                user not in copies for user in graph.users(copy)
            ):
                groups[first].append(copy)
        taken: set[Node] = set()
        for first, ends in groups.items():
            repeated = [node for end in ends for node in _cone(end, copies, taken)]
            if not any(map(_counts, repeated)):
                continue
            each = -(-len(repeated) // len(ends))
            what = f"{each} operations that give" if each > 1 else f"a {first.type} that gives"
            yield self.finding(
                f"{what} {first.outputs[0].type} from the same values, done {len(ends) + 1} times; '{first.name}' has it",
                node=ends[0],
                function=function,
                first=first.name,
                copies=[end.name for end in ends],
                operations=len(repeated),
            )


def repetitions(graph: Graph) -> dict[Node, Node]:
    """Every operation that repeats an earlier one of its block, with that one.

    Repetitions begin where a value has several users and go on behind repeated values, so nothing else is looked at twice.
    """
    if not _begins(graph):
        return {}
    numbers: dict[Operand, Operand] = {}
    telling: set[Operand] = set()
    seen: dict[object, Node] = {}
    passed: set[Node] = set()
    found: dict[Node, Node] = {}
    for node in graph.running:
        if node.type in NEVER_ALIKE or node.operation.blocks or not node.outputs or node.type.startswith("list_"):
            continue
        if not _may_repeat(node, telling, graph):
            passed.add(node)
            continue
        first = seen.setdefault(_key(node, numbers), node)
        if first is not node:
            found[node] = first
            numbers.update(zip(node.outputs, first.outputs, strict=True))
            telling.update((*node.outputs, *first.outputs))
            for user in passed.intersection(graph.users(first)):
                seen.setdefault(_key(user, numbers), user)
    return found


def _begins(graph: Graph) -> bool:
    """Whether any two operations have the very same operands; the first repetition of a program has."""
    groups: dict[tuple[str, Operand | None], list[Node]] = {}
    for operand in graph.shared:
        for user in dict.fromkeys(user for user, _ in graph.consumers(operand)):
            groups.setdefault((user.type, operand), []).append(user)
    for node in graph.running:
        if len(node.running_tensors) <= len(node.outputs):
            groups.setdefault((node.type, None), []).append(node)
    return any(
        len({_key(node, {}) for node in alike}) < len(alike)
        for (kind, _), alike in groups.items()
        if len(alike) > 1 and kind not in NEVER_ALIKE
    )


def _may_repeat(node: Node, telling: set[Operand], graph: Graph) -> bool:
    """Whether another operation has one of its operands, or one that is the same; true where it takes only constants."""
    constants = True
    for bound in node.inputs.values():
        for operand in bound:
            if operand.value is None:
                if operand in telling or len(graph.consumers(operand)) > 1:
                    return True
                constants = False
    return constants


def _key(node: Node, numbers: Mapping[Operand, Operand]) -> object:
    operands = tuple(
        (parameter, *((operand.value or numbers.get(operand, operand)) for operand in bound))
        for parameter, bound in sorted(node.inputs.items())
    )
    return node.block, node.type, operands


def _cone(end: Node, copies: Mapping[Node, Node], taken: set[Node]) -> list[Node]:
    """The repeated operations that lead to `end` and belong to no other end yet."""
    found, pending = [], [end]
    while pending:
        node = pending.pop()
        if node in taken or node not in copies:
            continue
        taken.add(node)
        found.append(node)
        pending += [operand.producer for _, operand in node.operands() if operand.producer is not None]
    return found


def _counts(node: Node) -> bool:
    """Whether a repetition of the operation costs anything: it computes, and on more than numbers for shapes."""
    tensor = node.outputs[0].tensor
    return node.type not in FREE and tensor is not None and tensor.rank > 1
