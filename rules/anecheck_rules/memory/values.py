"""Values in memory, as the rules on it name them: their shapes, their bytes, and whether the engine has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from anecheck.knowledge.evidence import Device
from anecheck.lint.rule import Context, GraphContext
from anecheck.mil.graph import Node, Operand
from anecheck.mil.types import TensorType
from anecheck.predict.assess import Assessment
from anecheck.predict.footprint import ALIASES, Buffer
from anecheck.predict.layout import engine_bytes

SHOWN = 5
"""How many values a finding lists in its data; its message names the first."""


class Held(NamedTuple):
    """A value in a shape that some operation computes with, and the memory that holds it."""

    operand: Operand
    tensor: TensorType
    laid_out: int
    buffer: Buffer

    @property
    def packed(self) -> int:
        """Its bytes without padding."""
        return self.buffer.packed

    @property
    def shape(self) -> str:
        """The shape and the type of its elements, in words."""
        return f"{sizes(self.tensor)} {self.tensor.dtype}"

    def facts(self) -> dict[str, object]:
        """The value as data of a finding."""
        return {
            "value": self.operand.name,
            "shape": list(self.tensor.shape),
            "bytes": self.packed,
            "laid_out_bytes": self.laid_out,
        }


def assessed(context: Context) -> Iterator[tuple[GraphContext, Assessment]]:
    """Every function with its numbers."""
    return zip(context.functions, context.assessments, strict=True)


def held(assessment: Assessment, above: int, wanted: Callable[[Buffer], bool] | None = None) -> list[Held]:
    """The values on the engine that take more than so many bytes, each memory once, the largest as laid out first.

    `wanted` chooses among them.

    Where the same memory is seen in several shapes, the largest of them counts that some operation computes with: an
    operation that only looks at a value in another shape moves nothing.
    """
    footprint, graph = assessment.footprint, assessment.graph
    large = [buffer for buffer in footprint.buffers if buffer.laid_out > above and buffer.on_engine]
    buffers = {buffer for buffer in large if wanted is None or wanted(buffer)}
    if not buffers:
        return []
    largest: dict[Buffer, Held] = {}
    for operand, buffer in footprint.of.items():
        tensor = operand.tensor
        if buffer not in buffers or tensor is None:
            continue
        users = (user for user, _ in graph.consumers(operand))
        if _computes(operand.producer) or any(_computes(user) for user in users):
            laid_out = engine_bytes(tensor, assessment.alignment)
            if buffer not in largest or laid_out > largest[buffer].laid_out:
                largest[buffer] = Held(operand, tensor, laid_out, buffer)
    return sorted(largest.values(), key=lambda value: -value.laid_out)


def _computes(node: Node | None) -> bool:
    return node is not None and node.type not in ALIASES


def makers(values: list[Held]) -> tuple[Node, ...]:
    """The operations that make the first of the values, where operations do."""
    return tuple(value.operand.producer for value in values[:SHOWN] if value.operand.producer is not None)


def on_engine(assessment: Assessment, nodes: list[Node]) -> list[Node]:
    """Those of some operations that are predicted to run on the engine."""
    if not nodes:
        return []
    engine = {placed.node.index for placed in assessment.placement.operations if placed.device is Device.ANE}
    return [node for node in nodes if node.index in engine]


def sizes(tensor: TensorType) -> str:
    """A shape in words: "1 × 64 × 128 × ?"."""
    return " × ".join("?" if size is None or size < 0 else str(size) for size in tensor.shape) or "1"


def amount(size: float) -> str:
    """A number of bytes in words, in units of 1024."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}" if size < 1000 * unit else f"{size / unit:.0f} {name}"
    return f"{size:g} bytes"


def counted(count: int, noun: str, verb: str = "") -> str:
    """A number of things, with the verb in agreement: "1 value takes", "2 values take"."""
    return f"{count} {noun}{'' if count == 1 else 's'}" + (f" {verb}{'s' if count == 1 else ''}" if verb else "")
