"""Exports as a tool would write them: the same program with other names, numbers and order, or with something changed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from itertools import count, pairwise

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
        return feature._replace(name=self(feature.name))

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
    return interface._replace(inputs=features[0], outputs=features[1], states=features[2])


def edited(function: Function, seed: int, edits: int) -> tuple[Function, set[str]]:
    """The function with operations replaced by others, or others put behind them; and the names of those replaced."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    running = [each for each in function.block.operations if _may_change(each)]
    chosen = {each.outputs[0].name: chance.random() < 0.5 for each in chance.sample(running, edits)}
    operations: list[Operation] = []
    moved: dict[str, str] = {}
    for operation in function.block.operations:
        inputs = {key: tuple([_moved(each, moved) for each in bound]) for key, bound in operation.inputs.items()}
        current = operation._replace(inputs=inputs)
        result = current.outputs[0] if current.outputs else None
        if result is None or result.name not in chosen:
            operations.append(current)
        elif chosen[result.name]:
            operations.append(current._replace(type=f"other_{current.type}"))
        else:
            moved[result.name] = f"{result.name}_behind"
            behind = Operation("erf", {"x": (result.name,)}, (Variable(moved[result.name], result.type),))
            operations += [current, behind]
    outputs = tuple([moved.get(name, name) for name in function.block.outputs])
    block = replace(function.block, operations=tuple(operations), outputs=outputs)
    return replace(function, block=block), {name for name, replaced in chosen.items() if replaced}


def _may_change(operation: Operation) -> bool:
    fixed = operation.type == "const" or operation.type.startswith("constexpr_") or operation.blocks
    return not fixed and len(operation.outputs) == 1


def _moved(argument: Argument, moved: Mapping[str, str]) -> Argument:
    return moved.get(argument, argument) if isinstance(argument, str) else argument


def reordered(function: Function, seed: int) -> Function:
    """The function with its operations in another order, as far as what they take and give allows; states keep theirs."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    operations = function.block.operations
    makers = {name: number for number, operation in enumerate(operations) for name in _results(operation)}
    needs = [{makers[name] for name in _taken(operation) if name in makers} for operation in operations]
    states = [number for number, operation in enumerate(operations) if operation.type in {"read_state", "write_state"}]
    for earlier, later in pairwise(states):
        needs[later].add(earlier)
    frees: list[list[int]] = [[] for _ in operations]
    for number, before in enumerate(needs):
        for each in before:
            frees[each].append(number)
    ready, order = [number for number, before in enumerate(needs) if not before], []
    while ready:
        chosen = ready.pop(chance.randrange(len(ready)))
        order.append(operations[chosen])
        for number in frees[chosen]:
            needs[number].discard(chosen)
            ready += [] if needs[number] else [number]
    return replace(function, block=replace(function.block, operations=tuple(order)))


def _results(operation: Operation) -> set[str]:
    return {variable.name for variable in operation.outputs}


def _taken(operation: Operation) -> set[str]:
    own = {name for bound in operation.inputs.values() for name in bound if isinstance(name, str)}
    nested = {name for block in operation.blocks for each in block.operations for name in _taken(each)}
    return own | nested | {name for block in operation.blocks for name in block.outputs}
