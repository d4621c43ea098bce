"""What lies between two transposes: a chain of operations that each see the one before, and nobody else does."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.pattern import maker, permutation, with_constant

LONGEST: Final = 12
"""How many operations may lie between the two; a norm, a layer, an activation written out and a layer are fewer."""

WITH_CONSTANT: Final = frozenset({"add", "sub", "mul", "real_div", "maximum", "minimum", "pow"})
"""Element-wise operations of two operands, followed where one is a constant."""

ELEMENT_WISE: Final = WITH_CONSTANT | {
    *(
        "abs",
        "cast",
        "ceil",
        "clip",
        "cos",
        "elu",
        "erf",
        "exp",
        "exp2",
        "floor",
        "gelu",
        "identity",
        "inverse",
        "leaky_relu",
    ),
    *("linear_activation", "log", "logical_not", "relu", "relu6", "round", "rsqrt", "sigmoid", "sigmoid_hard", "sign"),
    *("silu", "sin", "softplus", "softsign", "scaled_tanh", "sqrt", "square", "tanh", "threshold", "thresholded_relu"),
}
"""Operations that treat every element alike, wherever it lies; those of `WITH_CONSTANT` do if their constant moves along."""


@dataclass(frozen=True, slots=True, eq=False)
class TransposedChain:
    """A transpose, operations of which each is the only user of the one before, and a second transpose."""

    first: Node
    between: tuple[Node, ...]
    last: Node
    permutations: tuple[tuple[int, ...], tuple[int, ...]]

    @property
    def composed(self) -> tuple[int, ...]:
        """The permutation that both are together."""
        first, last = self.permutations
        return tuple(first[axis] for axis in last)

    @property
    def is_undone(self) -> bool:
        """Whether the second takes back what the first does."""
        return self.composed == tuple(range(len(self.composed)))

    @property
    def spelled(self) -> str:
        """The operations between, in order."""
        return ", ".join(node.type for node in self.between)


def chain_to(last: Node, graph: Graph, passing: Collection[str]) -> TransposedChain | None:
    """The chain of operations of the types `passing` that ends with the transpose `last` and begins with another one."""
    between: list[Node] = []
    operand = last.operand("x")
    while operand is not None and len(between) <= LONGEST:
        first = maker(operand, "transpose")
        if first is not None:
            if between and graph.only_user(operand) is None:
                return None  # its result is needed as it is
            permutations = permutation(first), permutation(last)
            if permutations[0] is None or permutations[1] is None or len(permutations[0]) != len(permutations[1]):
                return None
            return TransposedChain(first, tuple(reversed(between)), last, (permutations[0], permutations[1]))
        node = operand.producer
        if node is None or node.type not in passing or graph.only_user(operand) is None:
            return None
        between.append(node)
        operand = _source(node)
    return None


def _source(node: Node) -> Operand | None:
    """What a chain comes from at one of its operations."""
    if node.type not in WITH_CONSTANT:
        return node.operand("x")
    found = with_constant(node)
    return found[0] if found else None
