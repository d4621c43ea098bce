"""What is live in memory when: the working set of a function over its run, its peak, and who holds it.

A value lives from the operation that makes it to the last that uses it, in file order. Inputs, outputs and states are bound
before the run begins and live through it. An operation that only looks at its input in another shape makes nothing new
(`aliases.py`), and what is returned in two shapes, or as it came in, counts once. Both sizes of every value are kept: packed,
and as the engine lays it out (`layout.py`). A value counts as the engine's where an operation that makes or uses it is
predicted to run there, or where nothing was predicted.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from anecheck.knowledge.evidence import Device
from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.types import StateType, Type
from anecheck.predict.aliases import ALIASES, alias_of, updates_in_place
from anecheck.predict.buffers import Buffer, Footprint, used_values
from anecheck.predict.layout import engine_bytes, packed_bytes
from anecheck.predict.placement import Placement

__all__ = ["ALIASES", "Buffer", "Copy", "Footprint", "copies", "footprint"]


class Copy(NamedTuple):
    """A value that crosses from one device to another, with its packed bytes; `position` is where the next device begins."""

    value: Operand
    source: Device
    target: Device
    position: int
    size: int


def footprint(graph: Graph, alignment: int, placement: Placement | None = None) -> Footprint:
    """Work out the working set of a function; `alignment` is the engine's, in bytes (`last-axis-alignment-bytes`)."""
    survey = _Survey(graph, alignment, placement)
    survey.walk()
    return survey.result()


def copies(graph: Graph, placement: Placement) -> tuple[Copy, ...]:
    """Every value that crosses to another device, once for each device that takes it, in the order of the run."""
    if len(placement.segments) < 2:
        return ()
    device = {placed.node.index: placed.device for placed in placement.operations}
    found, seen = [], set()
    for position, node in enumerate(graph.running):
        here = device[node.index]
        for operand in used_values(node):
            if operand.producer is None or operand.is_constant:
                continue
            source = device[operand.producer.index]
            if source is not here and (operand, here) not in seen:
                seen.add((operand, here))
                found.append(Copy(operand, source, here, position, packed_bytes(operand.type)))
    return tuple(found)


class _Survey:
    """One walk over a function in the order of its run."""

    def __init__(self, graph: Graph, alignment: int, placement: Placement | None) -> None:
        self.graph, self.alignment = graph, alignment
        self.nodes = graph.running
        self.of: dict[Operand, Buffer] = {}
        self.buffers: list[Buffer] = []
        self.sizes: dict[int, tuple[Type, int, int]] = {}
        self.carried: dict[str, Buffer] = {}
        self.engine = self._engine(placement)
        self.unplaced = placement is None or not placement.operations
        self.ends = self._ends()

    def walk(self) -> None:
        """Open memory for what is made, and keep it to the last use."""
        last = max(len(self.nodes) - 1, 0)
        for operand in self.graph.inputs:
            kind = "state" if isinstance(operand.type, StateType) else "input"
            self._open(operand, kind, 0).last = last
        updates = updates_in_place(self.graph)
        if self.graph.results:
            self._nested(updates)
        else:
            self._flat(updates)
        for operand in self.graph.outputs:
            buffer = self.of.get(operand)
            if buffer is not None and buffer.kind == "value":
                buffer.kind, buffer.first, buffer.last = "output", 0, last

    def _flat(self, updates: Mapping[Node, Operand]) -> None:
        """A function without control flow, in which a use can only be later than those before."""
        of, engine, size, standing = self.of, self.engine, self._size, tuple(self.buffers)
        for position, node in enumerate(self.nodes):
            on_engine = engine is None or node.index in engine
            for bound in node.inputs.values():
                for operand in bound:
                    used = of.get(operand) if operand.value is None else None
                    if used is not None:
                        used.last = position
                        if on_engine:
                            used.on_engine = True
            source = alias_of(node) or updates.get(node) if node.type in ALIASES or updates else None
            buffer = of.get(source) if source is not None else None
            for output in node.outputs:
                if buffer is not None:
                    self._look(output, buffer)
                else:
                    packed, laid_out = size(output.type)
                    made = Buffer(output, "value", packed, laid_out, position, position, on_engine)
                    of[output] = made
                    self.buffers.append(made)
        for buffer in standing:
            buffer.last = max(len(self.nodes) - 1, 0)

    def _nested(self, updates: Mapping[Node, Operand]) -> None:
        """A function with control flow: what a block uses lives until the operation around it ends."""
        for position, node in enumerate(self.nodes):
            end = self.ends.get(node, position) if self.ends else position
            on_engine = node.index in self.engine if self.engine is not None else True
            self._use(node, end, on_engine=on_engine)
            if node.operation.blocks:
                self._enter(node, position, end)
            source = alias_of(node) or updates.get(node)
            buffer = self.of.get(source) if source is not None else None
            for output in node.outputs:
                if buffer is not None:
                    self._look(output, buffer)
                else:
                    self._open(output, "value", end).on_engine = on_engine

    def result(self) -> Footprint:
        """Sum up what is live at each operation."""
        count = max(len(self.nodes), 1)
        held, packed = [0] * (count + 1), [0] * (count + 1)
        for buffer in self.buffers:
            first, after, size = buffer.first, buffer.last + 1, buffer.packed
            packed[first] += size
            packed[after] -= size
            size = buffer.held
            held[first] += size
            held[after] -= size
        sums = [tuple(accumulate(changes[: len(self.nodes)])) for changes in (held, packed)]
        return Footprint(tuple(self.nodes), tuple(self.buffers), sums[0], sums[1], self.of)

    def _use(self, node: Node, end: int, *, on_engine: bool) -> None:
        of, carried = self.of, self.carried
        for bound in node.inputs.values():
            for operand in bound:
                if operand.value is not None:
                    continue
                buffer = of.get(operand)
                if buffer is None and carried and operand.producer is None:
                    buffer = carried.get(operand.name)
                    if buffer is not None:
                        of[operand] = buffer
                if buffer is not None:
                    buffer.last = max(buffer.last, end)
                    if on_engine:
                        buffer.on_engine = True
        for operand in (*node.captures, *self.graph.results.get(node, ())) if node.operation.blocks else ():
            buffer = of.get(operand)
            if buffer is not None:  # what a block returns does not exist yet, and is kept by `_open`
                buffer.last = max(buffer.last, end)

    def _enter(self, node: Node, position: int, end: int) -> None:
        """Note the memory of what a loop carries: the value it begins with, or its own where that is a constant."""
        initial = [operand for bound in node.inputs.values() for operand in bound]
        for operand, *variables in zip(initial, *(block.inputs for block in node.operation.blocks), strict=False):
            buffer = self.of.get(operand)
            if buffer is None:
                buffer = self._open(Operand(variables[0].name, operand.type), "value", position)
                buffer.last = max(buffer.last, end)
            self.carried.update({variable.name: buffer for variable in variables})

    def _open(self, operand: Operand, kind: str, position: int) -> Buffer:
        packed, laid_out = self._size(operand.type)
        buffer = Buffer(operand, kind, packed, laid_out, position, max(position, self._returned_until(operand)))
        buffer.on_engine = self.unplaced
        self.of[operand] = buffer
        self.buffers.append(buffer)
        return buffer

    def _look(self, output: Operand, buffer: Buffer) -> None:
        """Note that a result is memory that exists: it is as large as the largest of its shapes."""
        self.of[output] = buffer
        buffer.packed = max(buffer.packed, self._size(output.type)[0])
        buffer.laid_out = max(buffer.laid_out, self._size(output.type)[1])
        buffer.last = max(buffer.last, self._returned_until(output))

    def _size(self, kind: Type) -> tuple[int, int]:
        known = self.sizes.get(id(kind))
        if known is None:
            known = self.sizes[id(kind)] = (kind, packed_bytes(kind), engine_bytes(kind, self.alignment))
        return known[1], known[2]

    def _engine(self, placement: Placement | None) -> set[int] | None:
        """The indices of the operations on the engine; `None` where all are."""
        if placement is None or not placement.operations:
            return None
        if all(segment.device is Device.ANE for segment in placement.segments):
            return None
        return {placed.node.index for placed in placement.operations if placed.device is Device.ANE}

    def _ends(self) -> dict[Node, int]:
        """For each control-flow operation, the last operation of its blocks: what it uses lives until then."""
        ends: dict[Node, int] = {}
        if not self.graph.results:
            return ends
        open_nodes: list[tuple[Node, int]] = []
        for position, node in enumerate(self.nodes):
            while open_nodes and len(node.block) <= open_nodes[-1][1]:
                open_nodes.pop()
            for outer, _ in open_nodes:
                ends[outer] = position
            if node.operation.blocks:
                open_nodes.append((node, len(node.block)))
        return ends

    @cached_property
    def _block_results(self) -> dict[Operand, int]:
        return {
            operand: self.ends.get(outer, 0) for outer, results in self.graph.results.items() for operand in results
        }

    def _returned_until(self, operand: Operand) -> int:
        return self._block_results.get(operand, 0) if self.ends else 0
