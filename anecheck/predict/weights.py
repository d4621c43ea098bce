"""Weights: what they take in the file, and what a prediction reads of them on an engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import Target
from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.types import TensorType, Type
from anecheck.mil.values import BlobValue, TensorValue
from anecheck.predict.layout import packed_bytes

EXPANDED_ONCE_LOADED: Final = {"ios": (17,), "ipados": (17,), "macos": (14,), "tvos": (17,), "watchos": (10,)}
"""The first systems that keep compressed weights as they are; earlier ones expand them when a model is loaded. coremltools'
documentation says so of palettes, sparse and 8-bit weights."""

PALETTE, SPARSE, INT8, BLOCKWISE = "streams-int4-lut", "streams-sparse", "streams-int8", "streams-blockwise"
"""Capabilities of `families.toml`: the forms that an engine reads from memory as they are stored."""

NEEDS: Final = {
    "constexpr_lut_to_dense": (PALETTE,),
    "constexpr_lut_to_sparse": (PALETTE, SPARSE),
    "constexpr_sparse_to_dense": (SPARSE,),
    "constexpr_affine_dequantize": (INT8,),
    "constexpr_blockwise_shift_scale": (INT8,),
    "constexpr_sparse_blockwise_shift_scale": (INT8, SPARSE),
}

SETTINGS: Final = frozenset({"name", "shape", "axis", "vector_axis", "output_dtype"})
"""Parameters of `constexpr_*` that say how to expand, and are no part of the weight."""

Key = tuple[object, ...]
Place = tuple[str, int]


class Weight(NamedTuple):
    """A weight as operations use it: bytes as stored, bytes expanded, and the capabilities that reading it as stored needs.

    `key` is the same for the same weight, in whatever function of a model it is used.
    """

    stored: int
    dense: int
    needs: frozenset[str]
    key: Key

    @property
    def is_compressed(self) -> bool:
        """Whether it is stored in a form that `constexpr_*` operations expand."""
        return bool(self.needs)

    def read(self, streams: frozenset[str]) -> int:
        """The bytes that one prediction reads, and memory holds, on an engine that streams these forms."""
        return self.stored if self.needs and self.needs <= streams else self.dense


class Weights:
    """The weights of one function: by the operand that is one, by the operation that uses them, and all, each once."""

    def __init__(self, graph: Graph) -> None:
        self._known: dict[Node, Weight] = {}
        self.of: dict[Operand, Weight] = {}
        self.of_node: dict[Node, tuple[Weight, ...]] = {}
        self.all: dict[Key, Weight] = {}
        for node in graph.weighted:
            found = None
            for bound in node.inputs.values():
                for operand in bound:
                    value, producer = operand.value, operand.producer
                    if isinstance(value, BlobValue):
                        size = value.type.byte_count or 0
                        weight = Weight(size, size, frozenset(), (value.path, value.offset))
                    elif producer is not None and producer.is_constexpr:
                        weight = self._expanded(producer, operand)
                    else:
                        continue
                    found = (*(found or ()), weight)
                    self.of[operand] = weight
                    self.all.setdefault(weight.key, weight)
            if found:
                self.of_node[node] = found

    def _expanded(self, node: Node, operand: Operand) -> Weight:
        """The weight that a `constexpr_*` gives, with all that it is made of."""
        known = self._known.get(node)
        if known is None:
            made_of = _made_of(node)
            parts = dict(part for inner in made_of for part in _stored_parts(inner))
            needs = frozenset(need for inner in made_of for need in _needs(inner))
            places = sorted(place for place in parts if isinstance(place, tuple))
            key: Key = (*places, operand.type) if places else (id(node),)
            known = self._known[node] = Weight(sum(parts.values()), packed_bytes(operand.type), needs, key)
        return known


def streams(target: Target, knowledge: Knowledge) -> frozenset[str]:
    """The forms of compressed weights that a target reads from memory as they are stored.

    None before iOS 17 and macOS 14; where no release is named, a later one is meant.
    """
    if target.is_since(EXPANDED_ONCE_LOADED) is False:
        return frozenset()
    family = knowledge.families[target.family]
    return frozenset(item.name for item in family.capability if item.name.startswith("streams-") and item.value is True)


def stored_and_resident(weights: Iterable[Weight], forms: frozenset[str]) -> tuple[int, int]:
    """The bytes of weights in the file and in memory, the same weight counted once."""
    each = {weight.key: weight for weight in weights}.values()
    return sum(weight.stored for weight in each), sum(weight.read(forms) for weight in each)


def _needs(node: Node) -> tuple[str, ...]:
    if node.type in {"constexpr_blockwise_shift_scale", "constexpr_sparse_blockwise_shift_scale"} and _in_blocks(node):
        return tuple(BLOCKWISE if need == INT8 else need for need in NEEDS[node.type])
    return NEEDS.get(node.type, ())


def _in_blocks(node: Node) -> bool:
    """Whether a weight has a scale for each block, not for each channel: several axes are cut, or one into larger parts."""
    scale, weight = _type_of(node, "scale"), _type_of(node, "data") or _type_of(node, "data_mask")
    if not isinstance(scale, TensorType) or not isinstance(weight, TensorType):
        return False
    cut = [(count, size) for count, size in zip(scale.shape, weight.shape, strict=False) if count != 1]
    return len(cut) > 1 or any(count != size for count, size in cut)


def _type_of(node: Node, parameter: str) -> Type | None:
    operand = node.operand(parameter)
    if operand is not None:
        return operand.type
    value = node.operation.attributes.get(parameter)
    return value.type if isinstance(value, (TensorValue, BlobValue)) else None


def _made_of(node: Node) -> dict[Node, None]:
    """A `constexpr_*` and those whose results it expands further, each once."""
    found = {node: None}
    for _, operand in node.operands():
        if operand.producer is not None and operand.producer.is_constexpr:
            found.update(_made_of(operand.producer))
    return found


def _stored_parts(node: Node) -> Iterator[tuple[Place | int, int]]:
    """What a `constexpr_*` itself holds: position in the weight file (any number where it is written out) and bytes."""
    for name, value in (
        *node.operation.attributes.items(),
        *((parameter, operand.value) for parameter, operand in node.operands()),
    ):
        if name in SETTINGS:
            continue
        if isinstance(value, BlobValue):
            yield (value.path, value.offset), value.type.byte_count or 0
        elif isinstance(value, TensorValue) and value.type.dtype != "string":
            yield id(value), value.type.byte_count or 0
