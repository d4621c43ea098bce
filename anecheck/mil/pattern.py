"""Matching: the small questions from which a rule puts together a picture of several operations.

All of them look at one operation and its neighbours, so a rule that asks a fixed number of them takes time that grows with
the number of operations it is called for and with nothing else.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.values import Scalar, TensorValue

FIRST = 4096
"""How many elements of a constant are read to tell whether they are all the same; longer ones are taken for varied."""


def maker(operand: Operand | None, *types: str) -> Node | None:
    """The operation that makes a value, if it is of one of `types` (of any where none is given)."""
    node = operand.producer if operand is not None else None
    return node if node is not None and (not types or node.type in types) else None


def sole_user(node: Node, graph: Graph, *types: str) -> Node | None:
    """The one operation that uses the only output of `node`, if it is of one of `types`; `None` if others see it too."""
    user = graph.only_user(node.outputs[0]) if len(node.outputs) == 1 else None
    return user if user is not None and (not types or user.type in types) else None


def follow(node: Node, graph: Graph, *types: str) -> tuple[Node, ...] | None:
    """The chain that begins after `node` with operations of exactly these `types`, each the sole user of the one before."""
    chain = []
    for kind in types:
        user = sole_user(node, graph, kind)
        if user is None:
            return None
        chain.append(user)
        node = user
    return tuple(chain)


def above(operand: Operand | None, passing: Collection[str], parameter: str = "x") -> Operand | None:
    """The value from which `operand` comes through operations of the types `passing` alone, each along its `parameter`."""
    while operand is not None and operand.producer is not None and operand.producer.type in passing:
        below = operand.producer.operand(parameter)
        if below is None:
            break
        operand = below
    return operand


def running(node: Node) -> tuple[Operand, ...]:
    """The operands of `node` that are computed or given while the model runs: neither constants nor expanded weights."""
    return tuple(operand for _, operand in node.operands() if not operand.is_constant)


def scalar(operand: Operand | None) -> Scalar | None:
    """The number that every element of a constant has; `None` where it is not written out, or its elements differ."""
    value = operand.value if operand is not None else None
    if not isinstance(value, TensorValue) or not 0 < (value.type.element_count or 0) <= FIRST:
        return None
    elements = value.elements()
    return elements[0] if all(element == elements[0] for element in islice(elements, 1, None)) else None


def number(operand: Operand | None) -> float | None:
    """Like `scalar`, for numbers alone."""
    found = scalar(operand)
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def with_constant(node: Node) -> tuple[Operand, Operand] | None:
    """The running operand and the constant of a two-operand operation (`x` and `y`), in whichever order they stand."""
    x, y = node.operand("x"), node.operand("y")
    if x is None or y is None or x.is_constant == y.is_constant:
        return None
    return (y, x) if x.is_constant else (x, y)


def with_number(node: Node) -> tuple[Operand, float] | None:
    """The running operand of a two-operand operation, and the number that the other one is."""
    found = with_constant(node)
    constant = number(found[1]) if found else None
    return (found[0], constant) if found and constant is not None else None


def other(node: Node, operand: Operand) -> Operand | None:
    """The operand of a two-operand operation that is not `operand`; `operand` itself where it stands on both sides."""
    x, y = node.operand("x"), node.operand("y")
    return y if x is operand else x if y is operand else None


def near(value: float | None, wanted: float, tolerance: float = 2e-3) -> bool:
    """Whether a constant is `wanted` as fp16 or a shortened literal would spell it; `tolerance` is relative."""
    return value is not None and abs(value - wanted) <= tolerance * abs(wanted)


def axes(node: Node, parameter: str = "axes", source: str = "x") -> tuple[int, ...] | None:
    """A constant list of axes (or one) counted from the front, sorted; all axes where none are bound."""
    tensor = node.tensor(source)
    if tensor is None:
        return None
    if node.operand(parameter) is None:
        return tuple(range(tensor.rank))
    given = node.constant(parameter)
    if given is None:
        return None
    return tuple(sorted(int(axis) % tensor.rank for axis in given)) if tensor.rank else ()


def permutation(node: Node) -> tuple[int, ...] | None:
    """The constant permutation of a `transpose`, counted from the front; `None` where it does not permute its axes."""
    tensor, given = node.tensor("x"), node.constant("perm")
    if tensor is None or given is None or len(given) != tensor.rank:
        return None
    order = tuple(int(axis) % tensor.rank for axis in given)
    return order if len(set(order)) == len(order) else None


def sizes(operand: Operand | None) -> tuple[int, ...] | None:
    """The sizes of a tensor whose dimensions are all known."""
    tensor = operand.tensor if operand is not None else None
    if tensor is None or not tensor.is_static:
        return None
    return tuple(size for size in tensor.shape if size is not None)
