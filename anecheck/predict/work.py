"""What an operation does, in numbers that hold on any chip: arithmetic, and bytes that it reads and writes."""

from __future__ import annotations

from math import prod
from typing import Final, NamedTuple

from anecheck.mil.graph import Node, Operand
from anecheck.mil.types import TensorType
from anecheck.predict.aliases import ALIASES
from anecheck.predict.layout import engine_bytes, packed_bytes
from anecheck.predict.weights import Weights

CONTRACTIONS: Final = frozenset(
    {"conv", "conv_transpose", "linear", "matmul", "einsum", "scaled_dot_product_attention", "lstm", "gru", "rnn"}
)
"""Operations that sum products; their arithmetic is what networks are measured by."""

RECURRENT_WEIGHTS: Final = ("weight_ih", "weight_hh", "weight_ih_back", "weight_hh_back")

LOOK_UPS: Final = frozenset({"gather", "gather_along_axis", "gather_nd"})
"""Operations that take a part of their `x`: of a constant table they read no more than that."""


class Work(NamedTuple):
    """The work of one operation.

    `operations` are floating-point (or integer) operations, a multiplication and an addition being two; `moved` is the
    bytes of its run-time operands and results as the engine lays them out, without weights; `packed` the same without
    padding.
    """

    operations: float
    moved: int
    packed: int


def work(node: Node, alignment: int) -> Work:
    """Count an operation's arithmetic and bytes. What only looks at a value in another shape moves nothing.

    A dimension that is unknown counts as 1, so that the counts are lower bounds.
    """
    if node.type in ALIASES:
        return Work(0.0, 0, 0)
    values = [*_run_time_operands(node), *node.outputs]
    moved = sum(engine_bytes(value.type, alignment) for value in values)
    return Work(operations(node), moved, sum(packed_bytes(value.type) for value in values))


def operations(node: Node) -> float:
    """Count the arithmetic of a node: two for each product that is summed, one for each element that is otherwise reduced
    or, where nothing is, made. Bias and the steps of a recurrent layer's gates are not counted.
    """
    kind, results = node.type, sum(_elements(output.tensor) for output in node.outputs)
    weight, x = node.tensor("weight"), node.tensor("x")
    if kind == "conv" and weight is not None:
        return 2.0 * results * _product(weight.shape[1:])
    if kind == "conv_transpose" and weight is not None:
        return 2.0 * _elements(x) * _product(weight.shape[1:])
    if kind == "linear" and weight is not None:
        return 2.0 * results * _size(weight, -1)
    if kind == "matmul":
        return 2.0 * results * _size(x, -2 if node.scalar("transpose_x") is True else -1)
    if kind == "einsum":
        return 2.0 * _einsum_products(node)
    if kind == "scaled_dot_product_attention":
        query, key, value = node.tensor("query"), node.tensor("key"), node.tensor("value")
        scores = _elements(query) / max(_size(query, -1), 1) * _size(key, -2)
        return 2.0 * scores * (_size(query, -1) + _size(value, -1)) + 3.0 * scores
    if kind in {"lstm", "gru", "rnn"}:
        steps = _size(x, 0) * _size(x, 1)
        return 2.0 * steps * sum(_elements(node.tensor(parameter)) for parameter in RECURRENT_WEIGHTS)
    if kind.startswith("reduce_"):
        return _elements(x)
    if kind in {"max_pool", "avg_pool", "l2_pool"}:
        return results * prod(int(size) for size in node.constant("kernel_sizes") or (1,))
    return results


def weight_bytes_read(node: Node, weights: Weights, forms: frozenset[str]) -> int:
    """The bytes of weights that an operation reads on an engine that streams these `forms`, each weight once.

    A gather from a constant table reads the rows that it takes, not the table: as many bytes as its result has, in the
    form of the table, and never more than the table.
    """
    used = weights.of_node.get(node, ())
    if node.type not in LOOK_UPS and len(used) < 2:
        return used[0].read(forms) if used else 0
    read = {weight.key: weight.read(forms) for weight in used}
    table = node.operand("x") if node.type in LOOK_UPS else None
    weight = weights.of.get(table) if table is not None else None
    if weight is not None and weight.dense:
        taken = sum(packed_bytes(output.type) for output in node.outputs)
        whole = read[weight.key]
        read[weight.key] = min(-(-taken * whole // weight.dense), whole)
    return sum(read.values())


def _einsum_products(node: Node) -> float:
    """The products of an einsum: all indices of its equation, each as often as it runs."""
    equation = node.scalar("equation")
    sizes: dict[str, float] = {}
    terms = str(equation).partition("->")[0].replace(" ", "").split(",")
    for term, operand in zip(terms, node.inputs.get("values", ()), strict=False):
        for axis, letter in enumerate(term):
            sizes[letter] = max(sizes.get(letter, 1.0), _size(operand.tensor, axis))
    return prod(sizes.values())


def _run_time_operands(node: Node) -> list[Operand]:
    """What an operation reads that is no constant, each value once."""
    return list(dict.fromkeys(operand for _, operand in node.operands() if not operand.is_constant))


def _product(sizes: tuple[int | None, ...]) -> float:
    return float(prod(map(_known, sizes)))


def _elements(tensor: TensorType | None) -> float:
    return _product(tensor.shape) if tensor is not None else 0.0


def _size(tensor: TensorType | None, axis: int) -> float:
    if tensor is None or not -tensor.rank <= axis < tensor.rank:
        return 1.0
    return float(_known(tensor.shape[axis]))


def _known(size: int | None) -> int:
    return size if size is not None and size >= 0 else 1
