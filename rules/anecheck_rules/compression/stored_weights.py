"""Compressed weights as a program holds them: what `constexpr_*` operations store, and who computes with the result."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.types import BITS, TensorType
from anecheck.mil.values import BlobValue, Scalar, TensorValue

PALETTES = frozenset({"constexpr_lut_to_dense", "constexpr_lut_to_sparse"})
"""Operations that look weights up in a table, by their codes."""

SCALED = frozenset(
    {"constexpr_affine_dequantize", "constexpr_blockwise_shift_scale", "constexpr_sparse_blockwise_shift_scale"}
)
"""Operations that multiply stored integers by a scale."""

KERNELS = frozenset({"conv", "conv_transpose"})
PROJECTIONS = frozenset({"conv", "conv_transpose", "linear", "matmul"})
"""Operations that sum products of their input and a weight."""


def stored(node: Node, parameter: str) -> Operand | None:
    """What is bound to a parameter of a `constexpr_*`: an input from iOS 18 on, an attribute before."""
    operand = node.operand(parameter)
    if operand is not None:
        return operand
    value = node.operation.attributes.get(parameter)
    return Operand("", value.type, None, value) if isinstance(value, (TensorValue, BlobValue)) else None


def stored_type(node: Node, parameter: str) -> TensorType | None:
    """The tensor type of what is bound to a parameter of a `constexpr_*`."""
    operand = stored(node, parameter)
    return operand.tensor if operand is not None else None


def stored_constant(node: Node, parameter: str) -> tuple[Scalar, ...] | None:
    """The elements of what is bound to a parameter of a `constexpr_*`; `None` where they are in the weight file."""
    operand = stored(node, parameter)
    return operand.value.elements() if operand is not None and isinstance(operand.value, TensorValue) else None


def uses(node: Node, graph: Graph) -> list[tuple[Node, str]]:
    """Who computes with the weight that a `constexpr_*` expands, each with the parameter it is bound to.

    Further `constexpr_*` operations that work on the same weight are passed; a table or a scale that it expands for one of
    them is no weight.
    """
    found: dict[tuple[Node, str], None] = {}
    for output in node.outputs:
        for user, parameter in graph.consumers(output):
            if not user.is_constexpr:
                found[user, parameter] = None
            elif parameter not in {"lut", "scale", "offset"}:
                found.update(dict.fromkeys(uses(user, graph)))
    return list(found)


def weight_uses(node: Node, graph: Graph) -> Iterator[tuple[Node, tuple[int, ...]]]:
    """Who sums products with the weight that a `constexpr_*` expands, with the axes of the weight that are summed over."""
    for user, parameter in uses(node, graph):
        weight = user.tensor(parameter)
        if weight is not None and (parameter == "weight" or user.type == "matmul"):
            summed = summed_axes(user, parameter, weight)
            if summed:
                yield user, summed


def summed_axes(user: Node, parameter: str, weight: TensorType) -> tuple[int, ...]:
    """The axes of a weight over which an operation sums; none where that is unknown."""
    rank = weight.rank
    if user.type == "linear":
        return (1,) if rank == 2 else ()
    if user.type == "conv":
        return tuple(range(1, rank))
    if user.type == "conv_transpose":
        depthwise = rank > 0 and user.scalar("groups") == weight.shape[0]
        return tuple(axis for axis in range(rank) if axis != 1 and (axis or not depthwise))
    if user.type != "matmul" or rank == 0:
        return ()
    transposed = user.scalar(f"transpose_{parameter}") is True
    summed_last = transposed if parameter == "y" else not transposed
    return (rank - 1,) if summed_last or rank == 1 else (rank - 2,)


def palette_bits(palette: Node) -> int | None:
    """How many bits each code of a palettized weight has."""
    codes = stored_type(palette, "indices_nonzero_data" if palette.type == "constexpr_lut_to_sparse" else "indices")
    table = stored_type(palette, "lut")
    if codes is None or table is None:
        return None
    if "shape" in palette.operation.attributes:  # up to iOS 17, codes are packed into bytes
        return ((table.element_count or 1) - 1).bit_length()
    return BITS.get(codes.dtype)
