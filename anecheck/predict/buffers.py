"""Memory that a function holds while it runs: one piece for each value, and all of them over the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from anecheck.mil.graph import Node, Operand


@dataclass(slots=True, eq=False, repr=False)
class Buffer:
    """Memory for one value, and for every other that is the same memory in another shape.

    `kind` is "input", "output", "state" or "value". Sizes are in bytes; `laid_out` is the largest of its shapes as the
    engine lays them out, `held` whichever of the two counts. It is live from operation `first` to `last` of the run, both
    included.
    """

    value: Operand
    kind: str
    packed: int
    laid_out: int
    first: int
    last: int
    on_engine: bool = False

    @property
    def held(self) -> int:
        """The bytes that count: as laid out where the engine touches it, else packed."""
        return self.laid_out if self.on_engine else self.packed

    @property
    def padding(self) -> int:
        """The bytes that the engine's layout adds."""
        return self.laid_out - self.packed


@dataclass(frozen=True, repr=False)
class Footprint:
    """The working set of a function.

    `nodes` are its operations in the order of the run, those of nested blocks among them, and `held` and `packed` the bytes
    live during each: as they count, and without padding.
    """

    nodes: tuple[Node, ...]
    buffers: tuple[Buffer, ...]
    held: tuple[int, ...]
    packed: tuple[int, ...]
    of: Mapping[Operand, Buffer]
    """The memory of each run-time value."""

    @cached_property
    def peak(self) -> int:
        """The most bytes that are live at once."""
        return max(self.held, default=self.standing)

    @cached_property
    def peak_packed(self) -> int:
        """The same without padding, wherever that peak is."""
        return max(self.packed, default=sum(buffer.packed for buffer in self.buffers if buffer.kind != "value"))

    @cached_property
    def peak_position(self) -> int | None:
        """The first operation at which the peak is reached; `None` for a function without operations."""
        return self.held.index(self.peak) if self.held else None

    @property
    def standing(self) -> int:
        """The bytes that are live all the time: inputs, outputs and states."""
        return sum(buffer.held for buffer in self.buffers if buffer.kind != "value")

    def live(self, position: int) -> list[Buffer]:
        """What is live during an operation, the largest first."""
        found = [buffer for buffer in self.buffers if buffer.first <= position <= buffer.last and buffer.held]
        return sorted(found, key=lambda buffer: -buffer.held)

    def largest(self) -> list[Buffer]:
        """All memory, the largest first."""
        return sorted(self.buffers, key=lambda buffer: -buffer.held)

    def crossing(self, position: int) -> list[Buffer]:
        """What a program cut before an operation hands from its first part to its second, but for inputs and states."""
        return [buffer for buffer, (made, used) in self.spans.items() if made < position <= used]

    @cached_property
    def spans(self) -> dict[Buffer, tuple[int, int]]:
        """For each buffer but inputs and states, who makes it and the last that uses it: an output's memory is older."""
        spans: dict[Buffer, tuple[int, int]] = {}
        for position, node in enumerate(self.nodes):
            for operand in (*used_values(node), *node.outputs):
                buffer = self.of.get(operand)
                if buffer is not None and buffer.kind in {"value", "output"}:
                    first, _ = spans.get(buffer, (position, position))
                    spans[buffer] = first, position
        return spans


def used_values(node: Node) -> Iterator[Operand]:
    """What an operation takes, and what its nested blocks use from outside."""
    for bound in node.inputs.values():
        yield from bound
    yield from node.captures
