"""How long a prediction takes, as a range: a roofline over the whole function with the engine's own rates.

    floor + max(arithmetic, weights) + streamed values

Weights stream ahead of the arithmetic, so the two overlap over the function as a whole; values too large to stay on the chip
are written to memory and read again between operations. Operations on other devices take what Core ML estimates for M4.
Fitted to published latencies (`latency.toml`); everything here is an estimate, and is to be called one.
"""

from __future__ import annotations

from typing import NamedTuple

from anecheck.knowledge.evidence import Device
from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.types import Type
from anecheck.predict.aliases import ALIASES, updates_in_place
from anecheck.predict.layout import engine_bytes
from anecheck.predict.placement import MICROSECONDS, Placed, Placement
from anecheck.predict.rates import Rates
from anecheck.predict.weights import Weights
from anecheck.predict.work import CONTRACTIONS, LOOK_UPS, operations, weight_bytes_read

QUANTIZE, DEQUANTIZE = "quantize", "dequantize"
UNSEEN = frozenset({QUANTIZE, DEQUANTIZE, "write_state", *ALIASES})
"""Operations that move nothing of their own: the engine computes with 8-bit values as they are, and a state is written by the
operation that makes its new value.
"""


class OperationTime(NamedTuple):
    """What one operation on the engine needs, in microseconds; `operations` and bytes are what that is made of."""

    node: Node
    arithmetic_us: float
    weights_us: float
    streamed_us: float
    operations: float
    weight_bytes: int
    streamed_bytes: int
    is_int8: bool

    @property
    def us(self) -> float:
        """What it takes by itself: the longer of arithmetic and weights, and what it streams."""
        return max(self.arithmetic_us, self.weights_us) + self.streamed_us

    @property
    def bound(self) -> str:
        """What it waits for: "arithmetic", "weights", "values" or, where it does next to nothing, "nothing"."""
        times = {"arithmetic": self.arithmetic_us, "weights": self.weights_us, "values": self.streamed_us}
        most = max(times, key=lambda name: times[name])
        return most if times[most] else "nothing"


class Timing(NamedTuple):
    """The parts of a prediction's time, in milliseconds. `elsewhere` is what runs on CPU and GPU, `switches` the changes.

    `operations` are those of the engine that need anything.
    """

    rates: Rates
    floor: float
    arithmetic: float
    weights: float
    streamed: float
    elsewhere: float
    switches: float
    operations: tuple[OperationTime, ...]

    @property
    def ms(self) -> float:
        """The estimate."""
        return self.floor + max(self.arithmetic, self.weights) + self.streamed + self.elsewhere + self.switches

    @property
    def range(self) -> tuple[float, float]:
        """Between which times the published ones lay nine times in ten, where the chip's rates were fitted; else wider."""
        return self.ms / self.rates.spread, self.ms * self.rates.spread

    @property
    def bound(self) -> str:
        """What the whole waits for most: "arithmetic", "weights", "values", "floor" or "elsewhere"."""
        parts = {
            "arithmetic": self.arithmetic if self.arithmetic >= self.weights else 0.0,
            "weights": self.weights if self.weights > self.arithmetic else 0.0,
            "values": self.streamed,
            "floor": self.floor,
            "elsewhere": self.elsewhere + self.switches,
        }
        return max(parts, key=lambda name: parts[name])


class Engine(NamedTuple):
    """What of an engine decides the time: its rates, the forms of weights that it reads as stored, the alignment of last axes
    (`last-axis-alignment-bytes`) and the bytes of the largest value that stays on the chip (`operand-resident-bytes`).
    """

    rates: Rates
    forms: frozenset[str]
    alignment: int
    resident: float


def timing(graph: Graph, placement: Placement, weights: Weights, target: Engine) -> Timing:
    """Estimate a function as it is placed."""
    rates = target.rates
    rows = _Clock(graph, placement, weights, target).rows()
    engine = any(segment.device is Device.ANE for segment in placement.segments)
    elsewhere = sum(elsewhere_us(placed, weights) for placed in placement.operations)
    return Timing(
        rates,
        floor=rates.floor_ms if engine else 0.0,
        arithmetic=sum(row.arithmetic_us for row in rows) / MICROSECONDS,
        weights=sum(row.weights_us for row in rows) / MICROSECONDS,
        streamed=sum(row.streamed_us for row in rows) / MICROSECONDS,
        elsewhere=elsewhere / MICROSECONDS,
        switches=placement.switches * placement.problem.costs.path.switch_ms,
        operations=tuple(rows),
    )


def elsewhere_us(placed: Placed, weights: Weights) -> float:
    """What an operation takes on CPU or GPU, by Core ML's estimate for M4; nothing for one on the engine.

    That estimate has a look-up read the whole table, which decides where it runs; it reads the rows that it gives.
    """
    if placed.device is Device.ANE:
        return 0.0
    us: float = getattr(placed.estimate, placed.device.value)
    if placed.node.type in LOOK_UPS:
        table = sum(weight.dense for weight in weights.of_node.get(placed.node, ()))
        read = weight_bytes_read(placed.node, weights, frozenset())
        return us * 2 * read / (table + read) if table else us
    return us


class _Clock:
    """Times the operations of one function that the engine runs."""

    def __init__(self, graph: Graph, placement: Placement, weights: Weights, engine: Engine) -> None:
        self.graph, self.placement, self.weights, self.engine = graph, placement, weights, engine
        self.sizes: dict[int, tuple[Type, int]] = {}
        self.in_place = updates_in_place(graph)
        self.quantized = QUANTIZE in graph.by_type or DEQUANTIZE in graph.by_type
        self.large = self._large_types()

    def rows(self) -> list[OperationTime]:
        """The operations with arithmetic, weights or values that leave the chip, in the order of the run."""
        nested = len(self.placement.operations) < len(self.graph.running)
        return self._nested_rows() if nested else self._flat_rows()

    def _flat_rows(self) -> list[OperationTime]:
        """Operations whose estimates are one object are alike, and do as much."""
        counts: dict[int, float] = {}
        found, weighted = [], self.weights.of_node
        for placed in self.placement.operations:
            node, count = placed.node, 0.0
            if placed.device is not Device.ANE:
                continue
            if node.type in CONTRACTIONS:
                alike = id(placed.estimate)
                known = counts.get(alike)
                count = counts[alike] = operations(node) if known is None else known
            elif node not in weighted and not self._touches_large(node):
                continue
            found.append(self._row(node, count))
        return found

    def _nested_rows(self) -> list[OperationTime]:
        here = {placed.node.index for placed in self.placement.operations if placed.device is Device.ANE}
        return [
            self._row(node, operations(node) if node.type in CONTRACTIONS else 0.0)
            for node in self.graph.running
            if node.index in here
            and (node.type in CONTRACTIONS or node in self.weights.of_node or self._touches_large(node))
        ]

    def _row(self, node: Node, count: float) -> OperationTime:
        rates, read = self.engine.rates, weight_bytes_read(node, self.weights, self.engine.forms)
        streamed = self._streamed(node) if self._touches_large(node) else 0
        is_int8 = self.quantized and _is_int8(node)
        speed = rates.int8_speedup if is_int8 else 1.0
        return OperationTime(
            node,
            count / (rates.tflops * speed * 1e6),
            read / (rates.gbps * 1e3),
            streamed / (rates.gbps * 1e3),
            count,
            read,
            streamed,
            is_int8,
        )

    def _large_types(self) -> frozenset[int]:
        """The types, by identity, whose values do not stay on the chip."""
        types = self.graph.tensor_types
        return frozenset(id(tensor) for tensor in types if self._size(tensor) > self.engine.resident)

    def _touches_large(self, node: Node) -> bool:
        return bool(self.large) and not self.large.isdisjoint([id(tensor) for tensor in node.running_tensors])

    def _streamed(self, node: Node) -> int:
        """The bytes that an operation writes to memory and reads from it: those of values too large for the chip.

        One that changes a part of a state in place moves that part alone, twice: as it reads it and as it writes it.
        """
        if node.type in UNSEEN:
            return 0
        read = {operand for bound in node.inputs.values() for operand in bound if not operand.is_constant}
        old = self.in_place.get(node)
        moved = 2 * [*read - {old}] if old is not None else [*read, *node.outputs]
        sizes = [self._seen(operand) for operand in moved]
        return sum(size for size in sizes if size > self.engine.resident)

    def _seen(self, operand: Operand) -> int:
        """The bytes of a value as the engine computes with it: of one that is quantised, those of its 8-bit form."""
        if self.quantized:
            producer, user = operand.producer, self.graph.only_user(operand)
            if producer is not None and producer.type == DEQUANTIZE:
                source = producer.operand("input")
                return self._size(source.type) if source is not None else self._size(operand.type)
            if user is not None and user.type == QUANTIZE:
                return self._size(user.outputs[0].type)
        return self._size(operand.type)

    def _size(self, kind: Type) -> int:
        known = self.sizes.get(id(kind))
        if known is None:
            known = self.sizes[id(kind)] = (kind, engine_bytes(kind, self.engine.alignment))
        return known[1]


def _is_int8(node: Node) -> bool:
    """Whether an operation computes on 8-bit values: its input was quantised, and its weight is, if it has one."""
    x, weight = node.operand("x"), node.operand("weight")
    if x is None or x.producer is None or x.producer.type != DEQUANTIZE:
        return False
    return weight is None or (weight.producer is not None and weight.producer.is_constexpr)
