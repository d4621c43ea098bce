"""What makes the engine's compiler slow, counted in a graph: each count takes time that grows with the operations alone."""

from __future__ import annotations

from typing import Final

from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.pattern import running
from anecheck.predict.work import CONTRACTIONS

ELEMENTWISE: Final = frozenset(
    {"add", "sub", "mul", "real_div", "maximum", "minimum", "relu", "abs", "square", "sigmoid", "tanh"}
)
"""The operations whose long chains were measured, and others of the same kind."""

MATRIX_PRODUCTS: Final = ("matmul", "einsum")
JOINS: Final = ("concat", "stack")


def longest_chain(graph: Graph) -> tuple[int, Node | None]:
    """The length of the longest run of element-wise operations in which each uses the one before, and its last one."""
    lengths: dict[Node, int] = {}
    longest: tuple[int, Node | None] = (0, None)
    for node in graph.running:
        if node.type in ELEMENTWISE:
            before = [lengths.get(operand.producer, 0) for _, operand in node.operands() if operand.producer]
            lengths[node] = 1 + max(before, default=0)
            if lengths[node] > longest[0]:
                longest = lengths[node], node
    return longest


def matrix_products(graph: Graph) -> int:
    """How many matrix multiplications of run-time values it has."""
    return sum(len(graph.by_type.get(kind, ())) for kind in MATRIX_PRODUCTS)


def square_kernels(graph: Graph, taps: int) -> list[Node]:
    """The convolutions with a kernel of `taps` × `taps`."""
    found = []
    for node in graph.by_type.get("conv", ()):
        weight = node.tensor("weight")
        kernel = weight.shape[2:] if weight is not None else ()
        if len(kernel) == 2 and set(kernel) == {taps}:
            found.append(node)
    return found


def largest_stride(node: Node) -> int:
    """The largest step of a convolution; 1 where it states none."""
    return max((int(step) for step in node.constant("strides") or (1,)), default=1)


def branch_clusters(graph: Graph, least: int) -> int:
    """How often `least` branches or more that begin at one value and do layers' work meet again in one join."""
    return sum(_widest(node, graph) >= least for kind in JOINS for node in graph.by_type.get(kind, ()))


def _widest(join: Node, graph: Graph) -> int:
    """The most branches that reach a join from the same value, or the results of the same operation."""
    counts: dict[Node | Operand, int] = {}
    for value in dict.fromkeys(join.inputs.get("values", ())):
        begin, works = _begin(value, graph)
        if works:
            source = begin.producer or begin
            counts[source] = counts.get(source, 0) + 1
    return max(counts.values(), default=0)


def _begin(value: Operand, graph: Graph) -> tuple[Operand, bool]:
    """Where a branch begins, and whether a layer lies on it: the first value above that others use too, or one of several
    results of an operation.

    A value with one user belongs to one branch, so that all branches of a graph together are no longer than the graph.
    """
    works = False
    while (node := value.producer) is not None and len(node.outputs) == 1 and graph.only_user(value) is not None:
        above = running(node)
        if len(above) != 1:
            break
        works = works or node.type in CONTRACTIONS
        value = above[0]
    return value, works
