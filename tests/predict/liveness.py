"""The working set of a program without blocks, slowly: what is live, backwards from the last operation, as sets.

It shares nothing with the code that it is compared with: not the walk, not the sizes, not the lists of operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from anecheck.knowledge.evidence import Device
from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.types import StateType, TensorType, Type
from anecheck.predict.placement import Placement

SAME_MEMORY = {"identity", "reshape", "reshape_like", "expand_dims", "squeeze", "flatten2d"}
BYTES = {
    **dict.fromkeys(("int4", "uint4"), 0.5),
    **dict.fromkeys(("bool", "int8", "uint8", "fp8e4m3fn", "fp8e5m2"), 1),
    **dict.fromkeys(("fp16", "bf16", "int16", "uint16"), 2),
    **dict.fromkeys(("fp32", "int32", "uint32"), 4),
    **dict.fromkeys(("fp64", "int64", "uint64"), 8),
    **dict.fromkeys(("string", "unused_type", "unknown"), 0),
}


@dataclass
class Liveness:
    """For each operation, the memory that is live during it and its bytes; for each cut, what is handed over it."""

    held: tuple[int, ...]
    packed: tuple[int, ...]
    crossing: list[set[Operand]]
    memory: set[Operand]


def rows_and_row(kind: Type) -> tuple[int, float]:
    """How many rows a value has, and the bytes of one."""
    if isinstance(kind, StateType):
        return rows_and_row(kind.wrapped)
    if not isinstance(kind, TensorType):
        return 0, 0  # a dictionary of class labels
    *outer, last = [1 if size is None or size < 0 else size for size in kind.shape] or [1]
    rows = 1
    for size in outer:
        rows *= size
    return rows, last * BYTES[kind.dtype]


def liveness(graph: Graph, placement: Placement | None, step: int = 64) -> Liveness:
    """Work it out for a function as it is placed."""
    nodes = [node for node in graph.nodes if not node.type.startswith("constexpr_")]
    assert all(node.block == () and not node.operation.blocks for node in nodes)
    memory: dict[Operand, Operand] = {operand: operand for operand in graph.inputs}
    for position, node in enumerate(nodes):
        shown = _shown(node) or _changed_in_place(nodes, position, graph)
        for output in node.outputs:
            memory[output] = memory.get(shown, output) if shown else output
    reads = [{memory[operand] for _, operand in node.operands() if operand in memory} for node in nodes]
    makes = [{memory[output] for output in node.outputs} for node in nodes]
    packed, padded = dict.fromkeys(memory.values(), 0), dict.fromkeys(memory.values(), 0)
    for operand, place in memory.items():
        rows, row = rows_and_row(operand.type)
        packed[place] = max(packed[place], ceil(rows * row))
        padded[place] = max(padded[place], rows * ceil(row / step) * step)
    given = set(graph.inputs)
    bound = given | {memory[operand] for operand in graph.outputs if operand in memory}
    size = {
        place: padded[place] if place in _engine(nodes, reads, makes, placement) else packed[place] for place in packed
    }
    held, plain, crossing = [], [], []
    live: set[Operand] = set()
    for position in range(len(nodes) - 1, -1, -1):
        during = live | reads[position] | makes[position] | bound
        held.append(sum(size[place] for place in during))
        plain.append(sum(packed[place] for place in during))
        live = (live | reads[position]) - (makes[position] - reads[position])
        crossing.append(live - given)
    return Liveness(tuple(held[::-1]), tuple(plain[::-1]), crossing[::-1], set(memory.values()))


def _shown(node: Node) -> Operand | None:
    if node.type in SAME_MEMORY:
        return node.inputs["x"][0]
    return node.inputs["input"][0] if node.type == "read_state" else None


def _changed_in_place(nodes: list[Node], position: int, graph: Graph) -> Operand | None:
    """What a `slice_update` changes, if that was read from a state, is written back to it, and is not looked at after."""
    node = nodes[position]
    if node.type != "slice_update":
        return None
    old = node.inputs["x"][0]
    if old.producer is None or old.producer.type != "read_state":
        return None
    state = old.producer.inputs["input"][0]
    after = nodes[position + 1 :]
    back = [each for each in after if each.type == "write_state" and each.inputs["input"][0] is state]
    written = any(each.inputs["data"][0] is node.outputs[0] for each in back)
    seen = {old}
    for each in nodes:
        if _shown(each) in seen:
            seen.update(each.outputs)
    used = any(operand in seen for each in after for _, operand in each.operands()) or seen & set(graph.outputs)
    return old if written and not used else None


def _engine(
    nodes: list[Node], reads: list[set[Operand]], makes: list[set[Operand]], placement: Placement | None
) -> set[Operand]:
    """The memory that operations on the engine touch; all that is touched, without a placement."""
    if placement is None:
        return {place for row in (*reads, *makes) for place in row}
    on_engine = {each.node for each in placement.operations if each.device is Device.ANE}
    return {
        place
        for node, *rows in zip(nodes, reads, makes, strict=True)
        for row in rows
        for place in row
        if node in on_engine
    }
