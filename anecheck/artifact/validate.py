"""Whether the names of a program refer to something: the only promise that the rest of anecheck builds on."""

from __future__ import annotations

from anecheck.artifact.errors import ArtifactError, Fault
from anecheck.mil.program import Block, Operation, Program, Variable

Scopes = tuple[set[str], ...]
"""The names that are visible, innermost block first."""


def validate(program: Program) -> None:
    """Check that every name is defined once in its block, and before its use.

    Inner blocks see the names of the blocks around them and may hide them.

    Raises:
        ArtifactError: the first name that breaks this, with its operation and function.
    """
    for function in program.functions.values():
        _validate_block(function.block, function.inputs + function.block.inputs, (), f"function '{function.name}'")


def _validate_block(block: Block, inputs: tuple[Variable, ...], outer: Scopes, where: str) -> None:
    own: set[str] = set()
    scopes = (own, *outer)
    _define(inputs, own, where)
    for operation in block.operations:
        _validate_names(operation, scopes, where)
        for nested in operation.blocks:
            _validate_block(nested, nested.inputs, scopes, where)
        _define(operation.outputs, own, where)
    for name in block.outputs:
        if not any(name in scope for scope in scopes):
            raise _invalid(f"{where}: its output '{name}' is never defined")


def _validate_names(operation: Operation, scopes: Scopes, where: str) -> None:
    own = scopes[0]
    for arguments in operation.inputs.values():
        for argument in arguments:
            if not isinstance(argument, str) or argument in own:
                continue
            if not any(argument in scope for scope in scopes):
                result = f" '{operation.outputs[0].name}'" if operation.outputs else ""
                raise _invalid(f"{where}: {operation.type}{result} uses '{argument}' before anything defines it")


def _define(variables: tuple[Variable, ...], own: set[str], where: str) -> None:
    for variable in variables:
        if variable.name in own:
            raise _invalid(f"{where}: '{variable.name}' is defined twice")
        own.add(variable.name)


def _invalid(what: str) -> ArtifactError:
    return ArtifactError(
        Fault.INVALID_PROGRAM, f"{what}; the file is damaged or was edited by hand, export the model again"
    )
