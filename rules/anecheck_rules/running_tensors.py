"""The tensors of an operation that exist while the model runs."""

from __future__ import annotations

from anecheck.mil.graph import Node
from anecheck.mil.types import TensorType


def running_tensors(node: Node) -> list[TensorType]:
    """The types of a node's operands and results, without constants and without what is no tensor."""
    operands = [operand for bound in node.inputs.values() for operand in bound if operand.value is None]
    tensors = [operand.tensor for operand in operands if not operand.is_constant]
    tensors += [output.tensor for output in node.outputs]
    return [tensor for tensor in tensors if tensor is not None]
