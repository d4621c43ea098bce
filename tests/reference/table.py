"""The table of operations, and what an operation sees of the place where it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from anecheck.mil.program import Operation
from tests.reference.tensors import Array, InterpreterError, widen

Result: TypeAlias = "Array | tuple[Array, ...]"
Compute: TypeAlias = "Callable[[Call], Result]"

TABLE: Final[dict[str, Compute]] = {}
"""What every operation computes, by its name in MIL. Results are rounded by the interpreter."""

WITH_NEGATIVE_INDICES: Final = frozenset({"CoreML3", "CoreML4", "CoreML5", "CoreML6"})
"""The operation sets up to iOS 16, in which a negative index counts from the end."""


def operation(*names: str) -> Callable[[Compute], Compute]:
    """Enter a function into the table."""

    def enter(compute: Compute) -> Compute:
        for name in names:
            if name in TABLE:
                raise KeyError(f"{name} is in the table already")
            TABLE[name] = compute
        return compute

    return enter


@dataclass(slots=True)
class State:
    """A buffer that outlives a prediction; writing replaces the elements of the caller's array."""

    buffer: Array


Bound: TypeAlias = "Array | State"


@dataclass(frozen=True, slots=True)
class Call:
    """One use of an operation, with its parameters evaluated.

    `run_block` executes a nested block by its number.
    """

    operation: Operation
    opset: str
    bound: Mapping[str, tuple[Bound, ...]]
    run_block: Callable[[int, Sequence[Array]], tuple[Array, ...]]

    def has(self, parameter: str) -> bool:
        """Whether anything is bound to a parameter."""
        return parameter in self.bound

    def fail(self, reason: str) -> InterpreterError:
        """An error that names the operation."""
        name = self.operation.outputs[0].name if self.operation.outputs else "?"
        return InterpreterError(f"{self.operation.type} '{name}': {reason}")

    def state(self, parameter: str) -> State:
        """The state bound to a parameter."""
        (value,) = self.bound[parameter]
        if not isinstance(value, State):
            raise self.fail(f"{parameter} is no state")
        return value

    def unwidened(self, parameter: str) -> list[Array]:
        """What is bound to a parameter, in the types that it has in the program."""
        if parameter not in self.bound:
            raise self.fail(f"{parameter} is missing")
        arrays = [value for value in self.bound[parameter] if not isinstance(value, State)]
        if len(arrays) != len(self.bound[parameter]):
            raise self.fail(f"{parameter} is a state")
        return arrays

    def tensors(self, parameter: str) -> list[Array]:
        """All tensors bound to a variadic parameter, which are of one type."""
        arrays = self.unwidened(parameter)
        if len({array.dtype for array in arrays}) > 1:
            raise self.fail(f"{parameter} mixes types: {', '.join(str(array.dtype) for array in arrays)}")
        return [widen(array) for array in arrays]

    def tensor(self, parameter: str) -> Array:
        """The tensor bound to a parameter."""
        (array,) = self.tensors(parameter)
        return array

    def optional(self, parameter: str) -> Array | None:
        """The tensor bound to a parameter, if any is."""
        return self.tensor(parameter) if self.has(parameter) else None

    def pair(self, first: str = "x", second: str = "y") -> tuple[Array, Array]:
        """Two operands, which have to be of the same type."""
        (a,), (b,) = self.unwidened(first), self.unwidened(second)
        if a.dtype != b.dtype:
            raise self.fail(f"{first} is {a.dtype} and {second} is {b.dtype}")
        return widen(a), widen(b)

    def number(self, parameter: str, default: float | None = None) -> float:
        """A scalar parameter as a number."""
        if default is not None and not self.has(parameter):
            return default
        return float(self.tensor(parameter).item())

    def integer(self, parameter: str, default: int | None = None) -> int:
        """A scalar parameter as an integer."""
        if default is not None and not self.has(parameter):
            return default
        return int(self.tensor(parameter).item())

    def flag(self, parameter: str, *, default: bool = False) -> bool:
        """A scalar parameter as a truth value."""
        return bool(self.tensor(parameter).item()) if self.has(parameter) else default

    def text(self, parameter: str, default: str | None = None) -> str:
        """A string parameter."""
        if default is not None and not self.has(parameter):
            return default
        return str(self.tensor(parameter).item())

    def integers(self, parameter: str, default: Sequence[int] | None = None) -> list[int]:
        """A vector of integers."""
        if default is not None and not self.has(parameter):
            return list(default)
        return [int(element) for element in self.tensor(parameter).reshape(-1)]

    def axis(self, parameter: str, rank: int, default: int | None = None) -> int:
        """An axis of a tensor of `rank`, counted from the front."""
        axis = self.integer(parameter, default)
        if not -rank <= axis < rank:
            raise self.fail(f"{parameter} = {axis} is no axis of {rank}")
        return axis % rank

    def axes(self, parameter: str, rank: int) -> tuple[int, ...]:
        """Several axes of a tensor of `rank`, by default all."""
        axes = self.integers(parameter, range(rank))
        if any(not -rank <= axis < rank for axis in axes):
            raise self.fail(f"{parameter} = {axes} are no axes of {rank}")
        return tuple(axis % rank for axis in axes)

    def indices(self, parameter: str, size: int | Array) -> Array:
        """Indices into an axis of `size`, none of them out of range; negative ones count from the end up to iOS 16."""
        indices = self.tensor(parameter)
        lowest = -np.asarray(size) if self.opset in WITH_NEGATIVE_INDICES else np.asarray(0)
        if np.any(indices < lowest) or np.any(indices >= size):
            raise self.fail(f"{parameter} reach outside 0 … {np.asarray(size) - 1}")
        return np.asarray(indices % size)
