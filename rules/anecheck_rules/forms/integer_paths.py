"""Where 32-bit integers flow in a graph."""

from __future__ import annotations

from anecheck.mil.graph import Node, Operand

WIDE_INTEGERS = frozenset({"int32", "uint32", "int64", "uint64"})
"""Integer types that the engine takes no tensors of."""

PREPARATION = frozenset(
    {
        *("cast", "greater_equal", "less", "select", "maximum", "minimum"),
        *("add", "sub", "mul", "floor_div", "mod"),
        *("shape", "concat", "stack", "expand_dims", "squeeze", "reshape"),
    }
)
"""What converters put before indices and bounds: wrapping negative ones, clamping, arithmetic, joining, and casts."""

FARTHEST = 64
"""How many operations are followed from one: real preparations have at most ten."""


def is_wide(operand: Operand) -> bool:
    """Whether a value is a tensor of 32-bit or wider integers that only exists while the model runs."""
    tensor = operand.tensor
    return tensor is not None and tensor.dtype in WIDE_INTEGERS and not operand.is_constant


def touches_wide(node: Node) -> bool:
    """Whether a node takes or gives 32-bit integers while the model runs."""
    return not WIDE_INTEGERS.isdisjoint([tensor.dtype for tensor in node.running_tensors])


def index_preparation(indices: Operand) -> tuple[Node, ...]:
    """The integer operations that only prepare `indices`, in execution order.

    coremltools wraps run-time indices so that negative ones count from the end, and narrows them:

        ids ──> cast ──> greater_equal(0) ──┐
                  ├────> add(size) ─────────┤
                  └─────────────────────────┴─> select ──> cast(int16) ──> gather
    """
    found: dict[Node, None] = {}
    pending = [indices]
    while pending and len(found) < FARTHEST:
        producer = pending.pop().producer
        if producer is None or producer in found or producer.type not in PREPARATION or not touches_wide(producer):
            continue
        found[producer] = None
        pending += [operand for _, operand in producer.operands()]
    return tuple(sorted(found, key=lambda node: (node.block, node.index)))
