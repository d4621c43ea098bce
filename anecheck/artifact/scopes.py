"""What coremltools remembers of a conversion while the program is in memory: its operations with their scopes.

A scope says where an operation comes from: the PyTorch modules round it (programs of `torch.jit.trace`), or the Python stack that
called it (programs of `torch.export`). Passes hand scopes on to what they put in an operation's place. None of it is saved.

The objects are coremltools' own, which this module knows by their attributes alone: it imports nothing of coremltools.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

from anecheck.artifact.weight_names import owner

# coremltools has no static types: its objects are `Any` here.
Object = Any

MODULE_NAMES: Final = "TORCHSCRIPT_MODULE_NAME"
MODULE_TYPES: Final = "TORCHSCRIPT_MODULE_TYPE"
STACK: Final = "EXIR_STACK_TRACE"
UNKNOWN: Final = "UNKNOWN_SCOPE_NAME"
INLINED: Final = "UNKNOWN_INSTANCE"
"""What scripts have for a function that was put in place of its call: no module."""
FRAME: Final = re.compile(r'^\s*File "(.+)", line (\d+), in ', re.MULTILINE)

NO_SCOPES: Final = (
    "the model has no scopes to capture: it was loaded from disk, or assembled of other models; "
    "call anecheck.capture on what ct.convert returned, before anything else is done with it"
)
NOT_TORCH: Final = (
    "none of the model's operations says which PyTorch module or line it comes from; "
    "convert with ct.convert from torch.jit.trace or torch.export"
)


class CaptureError(ValueError):
    """There is nothing to capture; the message says why and what to do."""


class Module(NamedTuple):
    """A module round an operation: its name in the one round it, and its class."""

    name: str
    type: str


Scope: TypeAlias = tuple[Module, ...]


class Scoped(NamedTuple):
    """An operation as it will stand in the saved model, and where it comes from.

    `modules` are those round it that are called, from the outside in: a `ModuleList` is none of them. `owner` is the module whose
    weight it uses, as the weight's name spells it, and `is_anonymous` whether it uses one whose name says nothing. `frames` are
    files and lines, from the outside in.
    """

    name: str
    type: str
    modules: Scope = ()
    owner: str | None = None
    is_anonymous: bool = False
    frames: tuple[tuple[str, int], ...] = ()


def scoped_functions(mlmodel: Object) -> dict[str, list[Scoped]]:
    """The operations of every function of a model that was just converted, those of nested blocks too.

    Raises:
        TypeError: it is no model of coremltools.
        CaptureError: it has no scopes.
    """
    if not hasattr(mlmodel, "_mil_program"):
        raise TypeError(f"anecheck.capture takes the model that ct.convert returned, not {type(mlmodel).__name__!r}")
    program = mlmodel._mil_program  # noqa: SLF001  # there is no other way to it that makes no copy
    if program is None:
        raise CaptureError(NO_SCOPES)
    found = {label: list(_scoped(function.operations)) for label, function in program.functions.items()}
    if not any(operation.modules or operation.frames for operations in found.values() for operation in operations):
        raise CaptureError(NOT_TORCH)
    return found


def _scoped(operations: Iterable[Object], outer: Scope = (), around: Scope = ()) -> Iterator[Scoped]:
    """The operations of a block, nested in an operation with the scope `outer`, of which `around` is its own.

    The scope of what is nested is that of the operation round it and then its own, which begins at the outermost module again;
    or only the former, where the converter made it up.
    """
    for operation in operations:
        if operation.op_type == "const" or not operation.outputs:
            continue
        scopes = {getattr(key, "name", key): value for key, value in operation.scopes.items()}
        scope = _scope(scopes)
        own = (scope[len(outer) :] or around) if scope[: len(outer)] == outer else scope
        name, anonymous = _owner(operation)
        for saved, kind in _as_saved(operation):
            yield Scoped(saved, kind, own[:-1], name, anonymous, _frames(scopes))
        for block in operation.blocks:
            yield from _scoped(block.operations, scope, own)


def _as_saved(operation: Object) -> Iterator[tuple[str, str]]:
    """The names and types under which an operation is saved: an update of a state is written, then read."""
    name, kind = operation.outputs[0].name, operation.op_type
    if kind == "coreml_update_state":
        yield f"{operation.name}_write_state", "write_state"
        yield name, "read_state"
    else:
        yield name, "custom_layer" if "class_name" in getattr(operation, "bindings", {}) else kind


def _scope(scopes: dict[str, Any]) -> Scope:
    """The modules of a scope, and last the operation itself, as if it were one; nothing where one of them is not known."""
    names, types = list(scopes.get(MODULE_NAMES) or ()), list(scopes.get(MODULE_TYPES) or ())
    if len(names) != len(types) or UNKNOWN in names:
        return ()
    return tuple(Module(*pair) for pair in zip(names, types, strict=True) if pair[0] != INLINED)


def _frames(scopes: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    """The frames of a stack; a converter's own operations have a word in its place, or nothing."""
    text = "\n".join(part for part in scopes.get(STACK) or () if isinstance(part, str))
    return tuple((file, int(line)) for file, line in FRAME.findall(text))


def _owner(operation: Object) -> tuple[str | None, bool]:
    """The module whose weight an operation uses, by its name, and whether it uses weights without such a name."""
    names: list[str | None] = []
    for parameter, bound in operation.inputs.items():
        for operand in bound if isinstance(bound, (list, tuple)) else (bound,):
            made_by = getattr(operand, "op", None)
            kind = getattr(made_by, "op_type", "")
            if (kind == "const" and getattr(operand, "rank", 0) > 1) or kind.startswith("constexpr_"):
                names.append(owner(operand.name, parameter))
            elif kind == "const":
                names += filter(None, (owner(operand.name, parameter),))
    return next(filter(None, names), None), None in names
