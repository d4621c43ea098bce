"""Core ML's own estimate of what an operation costs on each device: a closed formula of shapes (`costs.toml`)."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from anecheck.knowledge.costs import Costs
from anecheck.mil.graph import Node, Operand
from anecheck.mil.types import BITS, TensorType, Type
from anecheck.mil.values import BlobValue

MEASURED = "measured"
ONE_SAMPLE = "one-sample"
EXTRAPOLATED = "extrapolated"


class Estimate(NamedTuple):
    """Microseconds on the engine, the CPU and the GPU, as the segmenter compares them.

    `standing` is "measured", "one-sample" or "extrapolated"; `near_border` says that the quantity which chose the tier
    lies where its border was never pinned down.
    """

    ane: float
    cpu: float
    gpu: float
    cost_class: str
    standing: str = MEASURED
    near_border: bool = False


class CostModel:
    """Estimates operations by a table of costs."""

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        # Bytes by the identity of a type (kept, so that it stays its own): a program has few types, and asks often.
        self._sizes: dict[int, tuple[Type, float]] = {}
        self._static: dict[int, tuple[Type, bool]] = {}
        self._measured = costs.measured_memory
        self._memory = costs.memory
        self._engine_memory = costs.memory.ane or 1.0
        self._by_type = costs.by_type
        self._floor = frozenset(costs.compute_floor.types)
        self._uncounted = frozenset(costs.uncounted_parameters.types)
        self._scalars_free = frozenset(costs.uncounted_parameters.scalars_only)
        self._pools = frozenset(costs.uncounted_parameters.pooling_types)
        self._gpu_speed = costs.gpu.speed_over_cpu
        self._alike: dict[object, tuple[Node, Estimate]] = {}

    def estimate(self, node: Node) -> Estimate:
        """Estimate one operation. A dimension that is unknown counts as 1, and the estimate as extrapolated.

        Layers repeat: an operation of the same type, with operands and results of the same types and the same constants
        written out, costs the same.
        """
        alike = self._signature(node)
        known = self._alike.get(alike)
        if known is None:
            known = self._alike[alike] = (
                node,
                self._estimate(node),
            )  # the node keeps alive what is known by its identity
        return known[1]

    @staticmethod
    def _signature(node: Node) -> object:
        """What an estimate depends on, by identity: a program that was read has one object for equal types and constants."""
        operands = [operand for bound in node.inputs.values() for operand in bound]
        return (
            node.type,
            tuple(node.inputs),
            tuple(
                [
                    id(operand.type)
                    if (value := operand.value) is None
                    else (-id(operand.type) if isinstance(value, BlobValue) else id(value))
                    for operand in operands
                ]
            ),
            tuple([id(output.type) for output in node.outputs]),
        )

    def _estimate(self, node: Node) -> Estimate:
        rows = self._by_type.get(node.type)
        if rows is None:
            return self._memory_bound(node)
        first = rows[0]
        amount = self._amount(first.amount, node)  # the same for all tiers of a type
        quantity = self._tier_quantity(first.tier, node, amount) if first.tier else 0.0
        row = next(row for row in rows if quantity >= row.at_least)
        cpu = amount / row.bnns * 1e-3
        ane = amount / row.ane * 1e-3 if row.ane else self._bytes(node) / self._engine_memory * 1e-3
        standing = row.standing if self._is_static(node) else EXTRAPOLATED
        near = any(border.bracket and border.bracket[0] <= quantity <= border.bracket[1] for border in rows)
        return Estimate(ane, cpu, cpu / self._gpu_speed, row.name, standing, near)

    def _memory_bound(self, node: Node) -> Estimate:
        size = self._bytes(node)
        cpu = size / self._memory.bnns * 1e-3
        if node.type in self._floor:
            cpu = max(cpu, self._floor_operations(node) / self._costs.compute_floor.bnns * 1e-3)
        measured = node.type in self._measured and self._is_static(node)
        standing = MEASURED if measured else EXTRAPOLATED
        return Estimate(size / self._engine_memory * 1e-3, cpu, cpu / self._gpu_speed, self._memory.name, standing)

    def _amount(self, amount: str, node: Node) -> float:
        if amount == "operations":
            return _operations(node)
        if amount == "bytes":
            return self._bytes(node)
        if amount == "elements_out":
            return _result_elements(node)
        if amount == "elements_and_rank":
            x = node.tensor("x")
            return _elements(x) + (x.rank if x else 0)
        if amount == "elements_and_indices":
            return _elements(node.tensor("x")) + _elements(node.tensor("indices")) + 3
        return sum(
            _elements(operand.tensor) for parameter, operand in node.operands() if parameter in {"x", "y", "values"}
        )

    def _bytes(self, node: Node) -> float:
        """Run-time operands, first result and constant parameters; of a list only the first, and strings are free."""
        kind, sizes = node.type, self._sizes
        constants_count = kind not in self._uncounted and kind not in self._pools
        scalars_count = constants_count and kind not in self._scalars_free
        total = 0.0
        for bound in node.inputs.values():
            if not bound:
                continue
            operand = bound[0]
            if operand.value is None or scalars_count or (constants_count and operand.tensor and operand.tensor.shape):
                known = sizes.get(id(operand.type))
                total += known[1] if known else self._size(operand)
        if node.outputs:
            total += self._size(node.outputs[0])
        if kind in self._pools:
            total += self._costs.uncounted_parameters.bytes_per_tap * _taps(node)
        return total

    def _size(self, operand: Operand) -> float:
        """The bytes of an operand, packed; unknown dimensions count as 1."""
        known = self._sizes.get(id(operand.type))
        if known is None:
            known = self._sizes[id(operand.type)] = (operand.type, _operand_bytes(operand))
        return known[1]

    def _is_static(self, node: Node) -> bool:
        """Whether the first result's size is known before the model runs."""
        if not node.outputs:
            return True
        kind = node.outputs[0].type
        known = self._static.get(id(kind))
        if known is None:
            tensor = node.outputs[0].tensor
            known = self._static[id(kind)] = (kind, tensor is None or tensor.is_static)
        return known[1]

    def _tier_quantity(self, tier: str, node: Node, amount: float) -> float:
        if tier == "elements_out":
            return _result_elements(node)
        if tier == "first_axis_stays":
            order = node.constant("perm")
            return float(not order or order[0] in {0, -len(order)})
        ends = (node.operand("x"), node.operand("weight"), *node.outputs[:1])
        moved = sum([self._size(operand) for operand in ends if operand])
        return amount / moved if moved else 0.0

    def _floor_operations(self, node: Node) -> float:
        results = _result_elements(node)
        if node.type == "gelu":
            return self._costs.compute_floor.gelu_operations_per_element * results
        if node.type in self._pools:
            return _taps(node) * results
        if node.type == "matmul":
            return _matmul_operations(node, results)
        hidden = node.tensor("weight_hh")  # a recurrent layer
        return 2.0 * _size(node.tensor("x"), 0) * _size(hidden, -1) * _elements(node.tensor("weight_ih"))


def _operations(node: Node) -> float:
    """Multiplications and additions of a convolution or linear layer, as the segmenter counts them."""
    weight, x = node.tensor("weight"), node.tensor("x")
    if weight is None or x is None:
        return 0.0
    taps = prod(size or 1 for size in weight.shape[2:])
    if node.type == "linear":
        return 2.0 * _elements(x) * _size(x, -1) + _size(weight, 0)
    if node.type == "conv_transpose":
        return 2.0 * _result_elements(node) * _size(x, 1) * taps
    dilation = prod(int(step) for step in node.constant("dilations") or (1,)) or 1
    return 2.0 * _result_elements(node) * _size(weight, 1) * taps / dilation


def _matmul_operations(node: Node, results: float) -> float:
    x, y = node.tensor("x"), node.tensor("y")
    turned = (node.scalar("transpose_x") is True, node.scalar("transpose_y") is True)
    length = _size(x, -2 if turned[0] else -1)
    return 2.0 * results * length + turned[0] * _elements(x) + turned[1] * _elements(y)


def _taps(node: Node) -> int:
    return prod(int(size) for size in node.constant("kernel_sizes") or (1,))


def _result_elements(node: Node) -> float:
    return _elements(node.outputs[0].tensor) if node.outputs else 0.0


def _elements(tensor: TensorType | None) -> float:
    if tensor is None:
        return 0.0
    count = 1.0
    for size in tensor.shape:
        if size is not None and size >= 0:
            count *= size
    return count


def _operand_bytes(operand: Operand) -> float:
    tensor = operand.tensor
    return 0.0 if tensor is None else BITS.get(tensor.dtype, 0) * _elements(tensor) / 8


def _size(tensor: TensorType | None, axis: int) -> float:
    if tensor is None or not -tensor.rank <= axis < tensor.rank:
        return 1.0
    return float(tensor.shape[axis] or 1)
