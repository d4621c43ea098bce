"""Activation functions written out: a · x · (f(p(x)) · b + c) for a polynomial p, in whatever order people multiply."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.pattern import number, other, sole_user, with_number

Polynomial = dict[int, float]
"""Coefficients by power."""

HIGHEST = 3
"""The highest power that an activation function needs."""

DEPTH = 7
"""How many operations deep the argument of a function is read."""


@dataclass(frozen=True, eq=False)
class Gate:
    """`x` multiplied by `scale` · f(`argument`) + `offset`, where f is the operation it was looked for from."""

    x: Operand
    argument: Polynomial
    scale: float
    offset: float
    operations: tuple[Node, ...]

    @property
    def result(self) -> Node:
        """The operation that makes it."""
        return self.operations[-1]

    def freed(self, graph: Graph) -> tuple[Node, ...]:
        """The operations that go if one takes their place: all but what leads to something that others read too."""
        gone: dict[Node, None] = {self.result: None}
        for node in reversed(self.operations[:-1]):
            if all(user in gone for user in graph.users(node)) and not _returned(node, graph):
                gone[node] = None
        return tuple(gone)


def gates(function: Node, graph: Graph) -> Iterator[Gate]:
    """Every way to read what follows `function` as a product with the variable of its argument."""
    yield from _follow(function, 1.0, 0.0, (function,), function, graph)


def _follow(
    node: Node, scale: float, offset: float, chain: tuple[Node, ...], function: Node, graph: Graph
) -> Iterator[Gate]:
    """Follow up to three operations after the function, two readers of each, until one multiplies with the variable."""
    if len(chain) > 3:
        return
    for user in graph.users(node)[:2]:
        constant = with_number(user) if user.type in {"add", "mul", "real_div"} else None
        longer = (*chain, user)
        if constant is None:
            if user.type == "mul":
                yield from _gated(user, node, scale, offset, longer, function, graph)
        elif user.type == "add":
            yield from _follow(user, scale, offset + constant[1], longer, function, graph)
        else:
            factor = _factor(user, constant[1])
            if factor is not None:
                yield from _follow(user, scale * factor, offset * factor, longer, function, graph)


def _gated(
    product: Node,
    node: Node,
    scale: float,
    offset: float,
    chain: tuple[Node, ...],
    function: Node,
    graph: Graph,
) -> Iterator[Gate]:
    """Read `product` as one with the variable, which may come scaled, and may be scaled again afterwards."""
    factor = other(product, node.outputs[0])
    scaled = factor.producer if factor is not None and factor.producer and factor.producer.type == "mul" else None
    inner = with_number(scaled) if scaled else None
    readings: list[tuple[Operand, float, tuple[Node, ...]]] = [(factor, 1.0, ())] if factor is not None else []
    if inner is not None and scaled is not None:
        readings.append((inner[0], inner[1], (scaled,)))
    for x, by, before in readings:
        seen: dict[Node, None] = {}
        argument = polynomial(function.operand("x"), x, seen)
        if argument is None:
            continue
        found = Gate(x, argument, scale * by, offset * by, tuple(dict.fromkeys((*before, *seen, *chain))))
        yield found
        last = sole_user(product, graph, "mul", "real_div")
        constant = with_number(last) if last else None
        after = _factor(last, constant[1]) if last and constant else None
        if last is not None and after is not None:
            yield replace(
                found, scale=found.scale * after, offset=found.offset * after, operations=(*found.operations, last)
            )


def polynomial(
    operand: Operand | None, x: Operand, seen: dict[Node, None] | None = None, depth: int = DEPTH
) -> Polynomial | None:
    """What `operand` is as a polynomial of `x`; `seen` collects the operations on the way, in order."""
    seen = {} if seen is None else seen
    if operand is x:
        return {1: 1.0}
    if operand is None or operand.is_constant:
        constant = number(operand)
        return {0: constant} if constant is not None else None
    node = operand.producer
    if node is None or depth == 0 or node.type not in {"add", "mul", "pow", "real_div", "square", "sub"}:
        return None
    left = polynomial(node.operand("x"), x, seen, depth - 1)
    right = polynomial(node.operand("y"), x, seen, depth - 1) if node.type != "square" else None
    result = _combined(node.type, left, right)
    if result is not None:
        seen[node] = None
    return result


def _combined(kind: str, left: Polynomial | None, right: Polynomial | None) -> Polynomial | None:
    """The polynomial that an operation makes of two; `None` where it is none, or of too high a power."""
    if left is None or (right is None and kind != "square"):
        return None
    right = right or {}
    constant = right.get(0) if set(right) == {0} else None
    if kind in {"add", "sub"}:
        sign = 1 if kind == "add" else -1
        return {power: left.get(power, 0.0) + sign * right.get(power, 0.0) for power in {*left, *right}}
    if kind == "square":
        return _product(left, left)
    if kind == "real_div":
        return {power: value / constant for power, value in left.items()} if constant else None
    if kind == "mul":
        return _product(left, right)
    if constant not in {2, 3}:
        return None
    square = _product(left, left)
    return square if constant == 2 or square is None else _product(square, left)


def _product(left: Polynomial, right: Polynomial) -> Polynomial | None:
    if max(left) + max(right) > HIGHEST:
        return None
    product: Polynomial = {}
    for power, value in left.items():
        for another, factor in right.items():
            product[power + another] = product.get(power + another, 0.0) + value * factor
    return product


def _factor(node: Node, constant: float) -> float | None:
    """By how much a product with a constant, or a division by one, scales."""
    if node.type == "mul":
        return constant
    y = node.operand("y")
    return 1 / constant if constant and y is not None and y.is_constant else None


def _returned(node: Node, graph: Graph) -> bool:
    return not graph.users(node) or any(graph.is_output(output) for output in node.outputs)
