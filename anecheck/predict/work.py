"""What an operation does, in numbers that hold on any chip: arithmetic, and bytes that it reads and writes."""

from __future__ import annotations

from math import prod
from typing import Final, NamedTuple

from anecheck.mil.graph import Node, Operand
from anecheck.mil.types import TensorType
from anecheck.predict.footprint import ALIASES
from anecheck.predict.layout import engine_bytes, packed_bytes
from anecheck.predict.weights import Weights

CONTRACTIONS: Final = frozenset(
    {"conv", "conv_transpose", "linear", "matmul", "einsum", "scaled_dot_product_attention", "lstm", "gru", "rnn"}
)
"""Operations that sum products; their arithmetic is what networks are measured by."""


LOOK_UPS: Final = frozenset({"gather", "gather_nd", "gather_along_axis"})
"""Operations that read a part of a table."""


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
    """Count the floating-point operations of a node: two for each product that is summed, one for each other element."""
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
        values = node.inputs.get("values", ())
        return 2.0 * results * (_size(values[0].tensor, -1) if values else 1)
    if kind == "scaled_dot_product_attention":
        query, key, value = node.tensor("query"), node.tensor("key"), node.tensor("value")
        scores = _elements(query) / max(_size(query, -1), 1) * _size(key, -2)
        return 2.0 * scores * (_size(query, -1) + _size(value, -1)) + 3.0 * scores
    if kind in {"lstm", "gru", "rnn"}:
        inward, hidden = node.tensor("weight_ih"), node.tensor("weight_hh")
        steps = _size(x, 0) * _size(x, 1)
        return 2.0 * steps * (_elements(inward) + _elements(hidden))
    if kind in {"max_pool", "avg_pool", "l2_pool"}:
        return results * prod(int(size) for size in node.constant("kernel_sizes") or (1,))
    return results


def _run_time_operands(node: Node) -> list[Operand]:
    return [operand for bound in node.inputs.values() for operand in bound if not operand.is_constant]


def _product(sizes: tuple[int | None, ...]) -> float:
    return float(prod(size if size is not None and size >= 0 else 1 for size in sizes))


def _elements(tensor: TensorType | None) -> float:
    return _product(tensor.shape) if tensor is not None else 0.0


def _size(tensor: TensorType | None, axis: int) -> float:
    if tensor is None or not -tensor.rank <= axis < tensor.rank:
        return 1.0
    return float(tensor.shape[axis] or 1)


def weight_bytes_read(node: Node, weights: Weights, forms: frozenset[str]) -> int:
    """The bytes of weights that one run of an operation reads, in the `forms` that the engine reads as they are stored.

    A look-up by `gather` in a table of weights reads the rows that it gives, not the table.
    """
    size = sum(weight.read(forms) for weight in weights.of_node.get(node, ()))
    if size and node.type in LOOK_UPS:
        return min(size, sum(packed_bytes(output.type) for output in node.outputs))
    return size
