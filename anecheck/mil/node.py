"""A node of the graph, an operation with its operands resolved, and an operand, a value as somebody uses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from anecheck.mil.program import Operation
from anecheck.mil.types import StateType, TensorType, Type
from anecheck.mil.values import Scalar, TensorValue, Value

Path: TypeAlias = tuple[tuple[int, int], ...]
"""Where a nested block is: (position of the operation in its block, number of the nested block) from the outside in."""

CONSTEXPR_PREFIX = "constexpr_"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Operand:
    """A value in the graph, as somebody uses it. There is one object for each named value.

    `producer` is the node that makes it, `None` for inputs and constants. `value` is set for constants.
    """

    name: str
    type: Type
    producer: Node | None = None
    value: Value | None = None

    def __repr__(self) -> str:
        return f"<{self.type} {self.name}>"

    @property
    def tensor(self) -> TensorType | None:
        """The type if it is a tensor or a state that holds one."""
        kind = self.type
        if isinstance(kind, StateType):
            kind = kind.wrapped
        return kind if isinstance(kind, TensorType) else None

    @property
    def is_constant(self) -> bool:
        """Whether the value is known before the model runs: a constant, or weights that `constexpr_*` expands."""
        return self.value is not None or (self.producer is not None and self.producer.is_constexpr)


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """An operation in the graph (every one but `const`).

    `type` is the operation's, e.g. "conv". `index` counts the operations of the function's own block in file order, from 0;
    a node in a nested block has the index of the outermost operation around it, and `block` says where its block lies.
    `captures` are the values that the operation's own nested blocks use from outside, in the order of their first use.
    `running_tensors` are the types of the operands and results that exist while the model runs: no constants, and nothing
    that is no tensor.
    """

    operation: Operation
    type: str
    index: int
    block: Path
    inputs: dict[str, tuple[Operand, ...]]
    outputs: tuple[Operand, ...] = ()
    captures: dict[Operand, None] = field(default_factory=dict)
    running_tensors: tuple[TensorType, ...] = ()

    def __repr__(self) -> str:
        return f"<{self.type} {self.name}>"

    @property
    def name(self) -> str:
        """The name of the first output, which is how people know an operation; the `name` attribute where none is."""
        if self.operation.outputs:
            return self.operation.outputs[0].name
        value = self.operation.attributes.get("name")
        return str(value.elements()[0]) if isinstance(value, TensorValue) and value.data else self.operation.type

    @property
    def is_constexpr(self) -> bool:
        """Whether the operation only expands compressed weights, so that nothing of it runs with the model."""
        return self.type.startswith(CONSTEXPR_PREFIX)

    def operand(self, parameter: str) -> Operand | None:
        """What is bound to a parameter (the first of several); `None` where nothing is."""
        bound = self.inputs.get(parameter)
        return bound[0] if bound else None

    def tensor(self, parameter: str) -> TensorType | None:
        """The tensor type of what is bound to a parameter."""
        operand = self.operand(parameter)
        return operand.tensor if operand else None

    def operands(self) -> Iterator[tuple[str, Operand]]:
        """Every parameter with each operand bound to it."""
        for parameter, bound in self.inputs.items():
            for operand in bound:
                yield parameter, operand

    def constant(self, parameter: str) -> tuple[Scalar, ...] | None:
        """The elements of a constant parameter, flat; `None` if nothing is bound, or something not written out."""
        operand = self.operand(parameter)
        return operand.value.elements() if operand and isinstance(operand.value, TensorValue) else None

    def scalar(self, parameter: str) -> Scalar | None:
        """The only element of a constant parameter; `None` like `constant`, and where there are several."""
        elements = self.constant(parameter)
        return elements[0] if elements and len(elements) == 1 else None
