"""Exports as a tool would write them: the same program with other names, numbers and order, or with something changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count

from anecheck.mil.model import Feature, Interface, Model
from anecheck.mil.program import Argument, Block, Function, Operation, Program, Variable


class Renaming:
    """Gives every value a number for a name, in the order in which they come."""

    def __init__(self) -> None:
        self._numbers = count(1000)
        self._names: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        return self._names.setdefault(name, f"v{next(self._numbers)}")

    def block(self, block: Block) -> Block:
        """A block with all names changed, those of operations as well."""
        return Block(
            tuple(map(self._variable, block.inputs)),
            tuple(map(self._operation, block.operations)),
            tuple(map(self, block.outputs)),
        )

    def function(self, function: Function) -> Function:
        """A function, its inputs' names changed too."""
        inputs = tuple(map(self._variable, function.inputs))
        return replace(function, inputs=inputs, block=self.block(function.block))

    def feature(self, feature: Feature) -> Feature:
        """An input or output of the model, called as the function calls it."""
        return replace(feature, name=self(feature.name))

    def _variable(self, variable: Variable) -> Variable:
        return Variable(self(variable.name), variable.type)

    def _argument(self, argument: Argument) -> Argument:
        return self(argument) if isinstance(argument, str) else argument

    def _operation(self, operation: Operation) -> Operation:
        return Operation(
            operation.type,
            {key: tuple(map(self._argument, bound)) for key, bound in operation.inputs.items()},
            tuple(map(self._variable, operation.outputs)),
            tuple(map(self.block, operation.blocks)),
            {key: value for key, value in operation.attributes.items() if key != "name"},
        )


def re_exported(model: Model) -> Model:
    """The same model with every operation, value, input and output called by another name."""
    program, interfaces = model.program, dict(model.interfaces)
    if program is not None:
        functions: dict[str, Function] = {}
        for name, function in program.functions.items():
            renaming = Renaming()
            functions[name] = renaming.function(function)
            if name in interfaces:
                interfaces[name] = _interface(interfaces[name], renaming)
        program = Program(functions, program.attributes)
    return replace(model, program=program, interfaces=interfaces, parts=tuple(map(re_exported, model.parts)))


def _interface(interface: Interface, renaming: Renaming) -> Interface:
    features = [tuple(map(renaming.feature, each)) for each in (interface.inputs, interface.outputs, interface.states)]
    return replace(interface, inputs=features[0], outputs=features[1], states=features[2])


def reordered(function: Function, seed: int) -> Function:
    """The function with its operations in another order, as far as what they take and give allows; states keep theirs."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    waiting = list(function.block.operations)
    made = {name for operation in waiting for name in _results(operation)}
    done: set[str] = set()
    order: list[Operation] = []
    while waiting:
        ready = [each for each in waiting if not (_taken(each) & made) - done]
        states = [each for each in waiting if each.type in {"read_state", "write_state"}]
        ready = [each for each in ready if each not in states[1:]]
        chosen = chance.choice(ready)
        waiting.remove(chosen)
        done.update(_results(chosen))
        order.append(chosen)
    return replace(function, block=replace(function.block, operations=tuple(order)))


def _results(operation: Operation) -> set[str]:
    return {variable.name for variable in operation.outputs}


def _taken(operation: Operation) -> set[str]:
    own = {name for bound in operation.inputs.values() for name in bound if isinstance(name, str)}
    nested = {name for block in operation.blocks for each in block.operations for name in _taken(each)}
    return own | nested | {name for block in operation.blocks for name in block.outputs}


def changed(model: Model, change: Callable[[Function], Function], name: str = "main") -> Model:
    """The model with one function changed."""
    assert model.program is not None
    functions: Mapping[str, Function] = {**model.program.functions, name: change(model.program.functions[name])}
    return replace(model, program=replace(model.program, functions=functions))
