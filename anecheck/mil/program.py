"""A program as it stands in a model: functions, blocks, operations. Small, frozen, and equal when they say the same.

Names refer to each other as in the file; `anecheck.mil.graph` resolves them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from anecheck.mil.types import Type
from anecheck.mil.values import Value

Argument: TypeAlias = str | Value
"""What is bound to a parameter: the name of a variable, or a value written in place."""


class Variable(NamedTuple):
    """A named value of a `type`: an input of a function or block, or an output of an operation."""

    name: str
    type: Type


class Operation(NamedTuple):
    """One operation.

    `inputs` binds each parameter to one argument or, for variadic parameters such as `concat`'s `values`, to several.
    `blocks` are the nested blocks of control flow. `attributes` hold `name`, and for `const` its `val`.
    """

    type: str
    inputs: Mapping[str, tuple[Argument, ...]]
    outputs: tuple[Variable, ...]
    blocks: tuple[Block, ...] = ()
    attributes: Mapping[str, Value] = {}  # nobody changes it


@dataclass(frozen=True, slots=True)
class Block:
    """A sequence of operations in execution order, with its own inputs; `outputs` are names."""

    inputs: tuple[Variable, ...]
    operations: tuple[Operation, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """An entry point of a program, written in one `opset` ("CoreML7"); its block has no inputs of its own."""

    name: str
    opset: str
    inputs: tuple[Variable, ...]
    block: Block
    attributes: Mapping[str, Value] = field(default_factory=dict)

    @property
    def opset_number(self) -> int:
        """The number of the operation set (8 for "CoreML8", that of iOS 18); 0 where it is spelt in another way."""
        digits = self.opset.removeprefix("CoreML")
        return int(digits) if digits.isdigit() else 0


@dataclass(frozen=True, slots=True)
class Program:
    """An ML Program: functions by name, and attributes such as `buildInfo`."""

    functions: Mapping[str, Function]
    attributes: Mapping[str, Value] = field(default_factory=dict)


def walk(block: Block) -> Iterator[Operation]:
    """Yield every operation of `block` and of the blocks nested in it, in file order, outer before inner."""
    for operation in block.operations:
        yield operation
        for nested in operation.blocks:
            yield from walk(nested)
