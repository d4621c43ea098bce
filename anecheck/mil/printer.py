"""Programs as MIL text, in the notation of the `model.mil` inside a compiled model.

Two spellings exist. `program(1.0)`, up to iOS 17, writes every scalar as a tensor of rank 0
(`tensor<int32, []>(1)`); `program(1.3)`, from iOS 18 on, writes `int32(1)`. The printer takes the one that the program's
newest opset uses.

Every statement stands on a line of its own. Two things are this printer's own, because no sample of Apple's shows them:
nested blocks (`{ block(…) { … } -> (…); }`) and backquoted names for those that are no identifiers.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest

from anecheck.mil.model import Model
from anecheck.mil.program import Argument, Block, Function, Operation, Program, Variable
from anecheck.mil.types import BITS, DictType, ListType, TensorType, TupleType, Type, dimension_text
from anecheck.mil.values import BlobValue, DictValue, ListValue, Scalar, TensorValue, Value

OPSET = re.compile(r"CoreML(0|[1-9][0-9]{0,2})")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_.@/$]*\Z")
INDENT = "    "
MAXIMUM_NESTING = 16
"""Tensors of a higher rank are written flat, so that a damaged program cannot exhaust the stack."""


def print_program(program: Program) -> str:
    """Write `program` as MIL text that `anecheck.mil.parser.parse` reads back to an equal program."""
    return "\n".join(lines(program)) + "\n"


def lines(program: Program) -> Iterator[str]:
    """Yield the lines of the text, each without its newline."""
    writer = _Writer(scalars=_spells_scalars(program))
    yield f"program({'1.3' if writer.scalars else '1.0'})"
    if program.attributes:
        yield writer.attributes(program.attributes)
    yield "{"
    for function in _main_first(program.functions.values()):
        yield from writer.function(function)
    yield "}"


def model_lines(model: Model) -> Iterator[str]:
    """Yield the lines of every program of a model, a pipeline's parts under a comment each; other kinds as comments."""
    for name, program in model.programs:
        if name:
            yield f"// part {_plain(name)}"
        yield from lines(program)
    if not model.programs:
        yield f"// {model.format}: no ML Program"
        yield from (
            f"// {_plain(layer.name)}: {layer.type} {_plain(layer.custom_class)}".rstrip() for layer in model.layers
        )
        yield from (f"// part {_plain(part.name)}: {part.format}" for part in model.parts)


def operation_lines(model: Model) -> dict[int, int]:
    """Map `id(operation)` to the number, from 1, of the line on which `model_lines` writes it."""
    numbers: dict[int, int] = {}
    line = 1
    for name, program in model.programs:
        line += bool(name) + 2 + bool(program.attributes)
        for function in _main_first(program.functions.values()):
            line = _number(function.block, line + 1, numbers) + 1
        line += 1
    return numbers


def result_column(program: Program, operation: Operation, depth: int) -> int:
    """The column, from 1, at which `lines` names an operation's first result, or the operation where it has none.

    `depth` is the number of nested blocks that it lies in.
    """
    writer = _Writer(scalars=_spells_scalars(program))
    before = f"{writer.type(operation.outputs[0].type)} " if operation.outputs else ""
    return len(INDENT) * 2 * (depth + 1) + len(before) + 1


def type_text(kind: Type) -> str:
    """Spell a type, e.g. `tensor<fp16, [1, ?]>`."""
    return _Writer(scalars=True).type(kind)


def opset_text(opset: str) -> str:
    """Spell an opset as function headers do: "CoreML7" is `ios17`, "CoreML9" is `ios26`."""
    number = opset_number(opset)
    if number < 0:
        return opset
    return f"ios{number + 10 if number < 9 else number + 17}"


def opset_number(opset: str) -> int:
    """The number of an opset, 7 for "CoreML7"; -1 if it has none."""
    match = OPSET.fullmatch(opset)
    return int(match[1]) if match else -1


def _number(block: Block, line: int, numbers: dict[int, int]) -> int:
    for operation in block.operations:
        numbers[id(operation)] = line
        line += 1
        for nested in operation.blocks:
            line = _number(nested, line + 1, numbers) + 1
        line += bool(operation.blocks)
    return line


def _spells_scalars(program: Program) -> bool:
    return any(opset_number(function.opset) >= 8 for function in program.functions.values())


def _main_first(functions: Iterable[Function]) -> list[Function]:
    return sorted(functions, key=lambda function: (function.name != "main", function.name))


class _Writer:
    """Writes types, values and statements; `scalars` selects the newer spelling."""

    def __init__(self, *, scalars: bool) -> None:
        self.scalars = scalars

    def function(self, function: Function) -> Iterator[str]:
        opset = _name(opset_text(function.opset))
        header = f"func {_name(function.name)}<{opset}>({self._variables(function.inputs)})"
        yield f"{INDENT}{header}{self._bracketed(function.attributes)} {{"
        yield from self._statements(function.block, INDENT * 2)
        yield f"{INDENT}}} -> ({_names(function.block.outputs)});"

    def attributes(self, attributes: Mapping[str, Value]) -> str:
        return f"[{', '.join(f'{_name(key)} = {self.value(attributes[key])}' for key in sorted(attributes))}]"

    def type(self, kind: Type) -> str:
        if isinstance(kind, TensorType):
            if self.scalars and not kind.shape and (kind.dtype in BITS or kind.dtype == "string"):
                return kind.dtype
            return f"tensor<{_name(kind.dtype)}, [{', '.join(map(dimension_text, kind.shape))}]>"
        if isinstance(kind, ListType):
            return f"list<{self.type(kind.element)}, {dimension_text(kind.length)}>"
        if isinstance(kind, TupleType):
            return f"tuple<{', '.join(map(self.type, kind.elements))}>"
        if isinstance(kind, DictType):
            return f"dict<{self.type(kind.key)}, {self.type(kind.value)}>"
        return f"state<{self.type(kind.wrapped)}>"

    def value(self, value: Value) -> str:
        return f"{self.type(value.type)}({self._literal(value)})"

    def _literal(self, value: Value) -> str:
        """Write what stands between a value's parentheses."""
        if isinstance(value, TensorValue):
            return _tensor_literal(value)
        if isinstance(value, BlobValue):
            path = self.value(TensorValue(TensorType("string", ()), (value.path,)))
            offset = self.value(TensorValue(TensorType("uint64", ()), struct.pack("<Q", value.offset)))
            return f"BLOBFILE(path = {path}, offset = {offset})"
        if isinstance(value, ListValue):
            return f"[{', '.join([self._element(item, value.type.element) for item in value.items])}]"
        if isinstance(value, DictValue):
            kinds = value.type
            pairs = [
                f"{{{self._element(key, kinds.key)}, {self._element(item, kinds.value)}}}" for key, item in value.items
            ]
            return f"{{{', '.join(pairs)}}}"
        items = zip_longest(value.items, value.type.elements[: len(value.items)])
        return f"({', '.join([self._element(item, kind) for item, kind in items])})"

    def _element(self, value: Value, kind: Type | None) -> str:
        """Write an element of a container, with its type only where it is not what the container's type says."""
        return self._literal(value) if value.type == kind else self.value(value)

    def _statements(self, block: Block, indent: str) -> Iterator[str]:
        for operation in block.operations:
            head = indent + self._statement(operation)
            if not operation.blocks:
                yield head + ";"
                continue
            yield head + " {"
            for nested in operation.blocks:
                yield f"{indent}{INDENT}block({self._variables(nested.inputs)}) {{"
                yield from self._statements(nested, indent + INDENT * 2)
                yield f"{indent}{INDENT}}} -> ({_names(nested.outputs)});"
            yield indent + "};"

    def _statement(self, operation: Operation) -> str:
        results = f"{self._variables(operation.outputs)} = " if operation.outputs else ""
        arguments = (f"{_name(key)} = {self._arguments(operation.inputs[key])}" for key in sorted(operation.inputs))
        return f"{results}{_name(operation.type)}({', '.join(arguments)}){self._bracketed(operation.attributes)}"

    def _arguments(self, arguments: tuple[Argument, ...]) -> str:
        if len(arguments) == 1:
            return self._argument(arguments[0])
        return f"({', '.join(map(self._argument, arguments))})"

    def _argument(self, argument: Argument) -> str:
        return _name(argument) if isinstance(argument, str) else self.value(argument)

    def _variables(self, variables: tuple[Variable, ...]) -> str:
        return ", ".join(f"{self.type(variable.type)} {_name(variable.name)}" for variable in variables)

    def _bracketed(self, attributes: Mapping[str, Value]) -> str:
        return self.attributes(attributes) if attributes else ""


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(map(_name, names))


def _plain(text: str) -> str:
    """Keep a comment on its line, and control characters out of it."""
    return json.dumps(text)[1:-1]


def _name(name: str) -> str:
    return name if IDENTIFIER.match(name) else f"`{json.dumps(name)[1:-1].replace('`', chr(92) + 'u0060')}`"


def _tensor_literal(value: TensorValue) -> str:
    texts = [_scalar(element) for element in value.elements()]
    shape, count = value.type.shape, value.type.element_count
    if not shape and len(texts) == 1:
        return texts[0]
    if count != len(texts) or count == 0 or len(shape) > MAXIMUM_NESTING:
        return f"[{', '.join(texts)}]"
    return _nested(texts, [size for size in shape if size is not None])


def _nested(texts: list[str], shape: list[int]) -> str:
    if len(shape) > 1:
        step = len(texts) // shape[0]
        texts = [_nested(texts[start : start + step], shape[1:]) for start in range(0, len(texts), step)]
    return f"[{', '.join(texts)}]"


def _scalar(element: Scalar) -> str:
    if isinstance(element, str):
        return json.dumps(element)
    if isinstance(element, bool):
        return "true" if element else "false"
    if isinstance(element, int):
        return str(element)
    if math.isnan(element):
        return "nan" if math.copysign(1.0, element) > 0 else "-nan"
    if math.isinf(element):
        return "inf" if element > 0 else "-inf"
    mantissa, _, exponent = element.hex().partition("p")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}p{int(exponent):+d}"
