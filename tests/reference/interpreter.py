"""The reference: what a MIL program computes, operation by operation, in numpy.

Every operation computes in float64 and its result is rounded to the type that the program declares, so fp16 tensors hold
what an engine with wide accumulators would leave in them. Without the rounding (`exact`) the same program shows what it
computes over the reals, which tells a wrong rewrite from one that only rounds differently.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

import tests.reference.operations  # noqa: F401  # fills the table
from anecheck.mil.program import Block, Operation, Program, Variable
from anecheck.mil.types import StateType, TensorType
from anecheck.mil.values import Value
from tests.reference.table import TABLE, Bound, Call, State
from tests.reference.tensors import Array, InterpreterError, constant, numpy_type, rounded

Scope = ChainMap[str, Bound]


def run(
    program: Program, inputs: Mapping[str, Array], function: str = "main", *, exact: bool = False
) -> dict[str, Array]:
    """Execute a function and give its outputs by name.

    `inputs` has an array for each input, of the declared type. An array for a state is its buffer: the function changes it
    in place. With `exact`, floating-point results are not rounded and outputs come as float64.

    Raises:
        InterpreterError: an operation is unknown, or the program or its inputs do not fit together.
    """
    entry = program.functions[function]
    names = {variable.name for variable in entry.inputs}
    if names != set(inputs):
        raise InterpreterError(f"{function} takes {sorted(names)}, not {sorted(inputs)}")
    scope: Scope = ChainMap()
    for variable in entry.inputs:
        scope[variable.name] = _given(variable, inputs[variable.name], exact=exact)
    execution = _Execution(entry.opset, exact)
    with np.errstate(all="ignore"):
        results = execution.block(entry.block, scope)
    return dict(zip(entry.block.outputs, results, strict=True))


@dataclass(frozen=True, slots=True)
class _Execution:
    opset: str
    exact: bool

    def block(self, block: Block, scope: Scope) -> tuple[Array, ...]:
        for operation in block.operations:
            if operation.type == "const":
                (variable,) = operation.outputs
                value = operation.attributes["val"]
                if value.type != variable.type:
                    raise InterpreterError(f"const '{variable.name}' is {value.type}, declared as {variable.type}")
                scope[variable.name] = self.value(value)
            else:
                results = self.operation(operation, scope)
                scope.update(zip((variable.name for variable in operation.outputs), results, strict=True))
        return tuple(_array(name, scope) for name in block.outputs)

    def operation(self, operation: Operation, scope: Scope) -> tuple[Array, ...]:
        compute = TABLE.get(operation.type)
        if compute is None:
            raise InterpreterError(f"the reference does not know the operation {operation.type}")
        attributes = {name: (self.value(value),) for name, value in operation.attributes.items() if name != "name"}
        bound: dict[str, tuple[Bound, ...]] = {
            parameter: tuple(
                _found(argument, scope) if isinstance(argument, str) else self.value(argument) for argument in arguments
            )
            for parameter, arguments in operation.inputs.items()
        }

        def run_block(number: int, arguments: Sequence[Array]) -> tuple[Array, ...]:
            nested = operation.blocks[number]
            own: dict[str, Bound] = {
                variable.name: argument for variable, argument in zip(nested.inputs, arguments, strict=True)
            }
            return self.block(nested, scope.new_child(own))

        results = compute(Call(operation, self.opset, {**attributes, **bound}, run_block))
        results = results if isinstance(results, tuple) else (results,)
        if len(results) != len(operation.outputs):
            raise InterpreterError(f"{operation.type} has {len(results)} results, not {len(operation.outputs)}")
        return tuple(
            self.declared(operation, variable, result)
            for variable, result in zip(operation.outputs, results, strict=True)
        )

    def declared(self, operation: Operation, variable: Variable, result: Array) -> Array:
        """A result as the program declares it, if it is of that shape and kind of number."""
        kind = variable.type
        if not isinstance(kind, TensorType):
            raise InterpreterError(f"{operation.type} '{variable.name}' is no tensor but {kind}")
        result = np.asarray(result)
        if not _fits(kind, result.shape):
            raise InterpreterError(f"{operation.type} '{variable.name}' is {list(result.shape)}, declared as {kind}")
        target = numpy_type(kind.dtype).kind
        if result.dtype.kind != target and {result.dtype.kind, target} != {"i", "u"}:
            raise InterpreterError(f"{operation.type} '{variable.name}' is {result.dtype}, declared as {kind}")
        return rounded(result, kind.dtype, exact=self.exact)

    def value(self, value: Value) -> Array:
        array = constant(value)
        return array.astype(np.float64) if self.exact and array.dtype.kind == "f" else array


def _given(variable: Variable, array: Array, *, exact: bool) -> Bound:
    kind = variable.type.wrapped if isinstance(variable.type, StateType) else variable.type
    if not isinstance(kind, TensorType):
        raise InterpreterError(f"the input {variable.name} is no tensor but {kind}")
    if array.dtype != numpy_type(kind.dtype) or not _fits(kind, array.shape):
        raise InterpreterError(f"the input {variable.name} is {array.dtype}{list(array.shape)}, declared as {kind}")
    if isinstance(variable.type, StateType):
        return State(array)
    return array.astype(np.float64) if exact and array.dtype.kind == "f" else array


def _fits(kind: TensorType, shape: tuple[int, ...]) -> bool:
    return len(shape) == kind.rank and all(
        declared is None or declared == size for declared, size in zip(kind.shape, shape, strict=True)
    )


def _found(name: str, scope: Scope) -> Bound:
    if name not in scope:
        raise InterpreterError(f"nothing is named {name}")
    return scope[name]


def _array(name: str, scope: Scope) -> Array:
    value = _found(name, scope)
    if isinstance(value, State):
        raise InterpreterError(f"{name} is a state, not a tensor")
    return value
