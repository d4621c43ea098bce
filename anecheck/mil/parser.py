"""MIL text to a program: a recursive descent over the notation of a compiled model's `model.mil`.

    program(V) [buildInfo = VALUE] { func NAME<ios17>(TYPE name, …) [attribute = VALUE] { STATEMENT… } -> (name, …); }
    STATEMENT = TYPE name, … = operation(parameter = ARGUMENT, …)[attribute = VALUE, …] { block(…) {…} -> (…); … };
    ARGUMENT  = name | VALUE | (ARGUMENT, …)
    TYPE      = tensor<dtype, [1, ?]> | dtype | list<T, n> | dict<K, V> | tuple<…> | state<T>
    VALUE     = TYPE( literal | [literal, …] | (literal, …) | {{key, value}, …} | BLOBFILE(path = VALUE, offset = VALUE) )

Operations without results have no `… =`. `//` starts a comment.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from anecheck.mil.literals import element_reader
from anecheck.mil.program import Argument, Block, Function, Operation, Program, Variable
from anecheck.mil.scanner import Scanner
from anecheck.mil.types import BITS, VARIADIC, DictType, ListType, StateType, TensorType, TupleType, Type
from anecheck.mil.values import BlobValue, DictValue, ListValue, Scalar, TensorValue, TupleValue, Value, pack

OPSET = re.compile(r"ios(0|[1-9][0-9]{0,3})")
LONGEST_DIMENSION = 20
"""Digits of the largest number that fits 64 bits."""


def parse(text: str) -> Program:
    """Read a whole program, or functions without the `program(…) { … }` around them.

    Raises:
        MilSyntaxError: what was found instead of what was expected, and where.
    """
    return _Parser(text).program()


class _Parser(Scanner):
    def __init__(self, text: str) -> None:
        self._types: dict[str, Type] = {}
        super().__init__(text)

    # Programs and functions

    def program(self) -> Program:
        if self.token == "func":
            functions = self._functions("end")
            self._expect_end()
            return Program(functions)
        self.expect("program")
        self.expect("(")
        if self.kind != "number":
            self.fail("a version such as 1.0")
        self.advance()
        self.expect(")")
        attributes = self._attributes()
        self.expect("{")
        functions = self._functions("}")
        self.expect("}")
        self._expect_end()
        return Program(functions, attributes)

    def _expect_end(self) -> None:
        if self.kind != "end":
            self.fail("the end of the text")

    def _functions(self, close: str) -> dict[str, Function]:
        functions: dict[str, Function] = {}
        while close not in {self.token, self.kind}:
            function = self.function()
            functions[function.name] = function
        return functions

    def function(self) -> Function:
        self.expect("func")
        name = self.name("the name of a function")
        self.expect("<")
        opset = _opset(self.name("an opset such as ios17"))
        self.expect(">")
        self.expect("(")
        inputs = self.sequence(self._variable, ")")
        attributes = self._attributes()
        operations, outputs = self._body()
        return Function(name, opset, inputs, Block((), operations, outputs), attributes)

    def _body(self) -> tuple[tuple[Operation, ...], tuple[str, ...]]:
        self.expect("{")
        operations: list[Operation] = []
        while not self.accept("}"):
            operations.append(self._statement())
        self.expect("->")
        self.expect("(")
        outputs = self.sequence(lambda: self.name("the name of an output"), ")")
        self.expect(";")
        return tuple(operations), outputs

    def _block(self) -> Block:
        self.expect("block")
        self.expect("(")
        inputs = self.sequence(self._variable, ")")
        operations, outputs = self.nested(self._body)
        return Block(inputs, operations, outputs)

    # Statements

    def _statement(self) -> Operation:
        outputs: list[Variable] = []
        if self._at_type():
            outputs.append(self._variable())
            while self.accept(","):
                outputs.append(self._variable())
            self.expect("=")
        kind = self.name("the type of an operation")
        self.expect("(")
        inputs = dict(self.sequence(self._binding, ")"))
        attributes = self._attributes()
        blocks: list[Block] = []
        if self.accept("{"):
            while not self.accept("}"):
                blocks.append(self._block())
        self.expect(";")
        return Operation(kind, inputs, tuple(outputs), tuple(blocks), attributes)

    def _variable(self) -> Variable:
        kind = self._type()
        return Variable(self.name("the name of a value"), kind)

    def _binding(self) -> tuple[str, tuple[Argument, ...]]:
        name = self.name("the name of a parameter")
        self.expect("=")
        if self.accept("("):
            return name, self.sequence(self._argument, ")")
        return name, (self._argument(),)

    def _argument(self) -> Argument:
        return self._value() if self._at_value() else self.name("a name or a value")

    def _attributes(self) -> dict[str, Value]:
        return dict(self.sequence(self._attribute, "]")) if self.accept("[") else {}

    def _attribute(self) -> tuple[str, Value]:
        name = self.name("the name of an attribute")
        self.expect("=")
        return name, self._value()

    # Types. `tensor<…>` and friends are recognised by the next character, so that values may be named like types.

    def _at_type(self) -> bool:
        if self.kind != "name":
            return False
        return self.following() == "<" or ((self.token in BITS or self.token == "string") and self.following() != "(")

    def _at_value(self) -> bool:
        return self.kind == "name" and self.following() in {"<", "("}

    def _type(self) -> Type:
        start = self.start
        kind = self.nested(self._fresh_type)
        # Types recur by the thousand: one object for each spelling.
        return self._types.setdefault(self.text(start), kind)

    def _fresh_type(self) -> Type:
        name = self.name("a type")
        if not self.accept("<"):
            return TensorType(name, ())
        if name == "tensor":
            dtype = self.name("an element type")
            self.expect(",")
            self.expect("[")
            shape = self.sequence(self._dimension, "]")
            self.expect(">")
            return TensorType(dtype, shape)
        if name == "list":
            element = self._type()
            self.expect(",")
            length = self._dimension()
            self.expect(">")
            return ListType(element, length)
        return self._container(name)

    def _container(self, name: str) -> Type:
        elements = self.sequence(self._type, ">")
        if name == "tuple":
            return TupleType(elements)
        if name == "dict" and len(elements) == 2:
            return DictType(*elements)
        if name == "state" and len(elements) == 1:
            return StateType(*elements)
        self.fail("tensor<…>, list<…>, tuple<…>, dict<…> or state<…> with its elements")

    def _dimension(self) -> int | None:
        if self.accept("?"):
            return None
        if self.accept("..."):
            return VARIADIC
        token = self.token
        if self.kind != "number" or not token.isdigit() or len(token) > LONGEST_DIMENSION:
            self.fail("a dimension: a number, ? or ...")
        self.advance()
        return int(token)

    # Values

    def _value(self) -> Value:
        kind = self._type()
        self.expect("(")
        value = self.nested(lambda: self._literal(kind))
        self.expect(")")
        return value

    def _literal(self, kind: Type) -> Value:
        if isinstance(kind, TensorType):
            return self._blob(kind) if self.accept("BLOBFILE") else self._tensor(kind)
        if isinstance(kind, ListType):
            self.expect("[")
            return ListValue(kind, self.sequence(lambda: self._element(kind.element), "]"))
        if isinstance(kind, DictType):
            self.expect("{")
            return DictValue(kind, self.sequence(lambda: self._pair(kind), "}"))
        if isinstance(kind, TupleType):
            self.expect("(")
            elements = iter(kind.elements)
            return TupleValue(kind, self.sequence(lambda: self._element(next(elements, TupleType(()))), ")"))
        self.fail("a value; states have none")

    def _element(self, kind: Type) -> Value:
        """Read an element of a container: a bare literal of the container's element type, or a value with its own."""
        if self._at_value() and self.token != "BLOBFILE":
            return self._value()
        return self.nested(lambda: self._literal(kind))

    def _pair(self, kind: DictType) -> tuple[Value, Value]:
        self.expect("{")
        key = self._element(kind.key)
        self.expect(",")
        value = self._element(kind.value)
        self.expect("}")
        return key, value

    def _blob(self, kind: TensorType) -> BlobValue:
        self.expect("(")
        parts = dict(self.sequence(self._attribute, ")"))
        path, offset = (_single(parts.get(key)) for key in ("path", "offset"))
        if not isinstance(path, str) or not isinstance(offset, int) or offset < 0:
            self.fail("BLOBFILE(path = string, offset = uint64)")
        return BlobValue(kind, path, offset)

    def _tensor(self, kind: TensorType) -> TensorValue:
        elements: list[Scalar] = []
        read = element_reader(kind.dtype)
        self._elements(read, elements)
        if kind.dtype == "string":
            return TensorValue(kind, tuple(map(str, elements)))
        try:
            return TensorValue(kind, pack(kind.dtype, elements))
        except ValueError as error:
            self.fail(f"elements of {kind.dtype} ({error})")

    def _elements(self, read: Callable[[str], Scalar], elements: list[Scalar]) -> None:
        if not self.accept("["):
            try:
                elements.append(read(self.token))
            except (ValueError, OverflowError):
                self.fail("an element of the tensor's type")
            self.advance()
        elif not self.accept("]"):
            self.nested(lambda: self._elements(read, elements))
            while self.accept(","):
                self.nested(lambda: self._elements(read, elements))
            self.expect("]")


def _single(value: Value | None) -> Scalar | None:
    if isinstance(value, TensorValue):
        elements = value.elements()
        return elements[0] if len(elements) == 1 else None
    return None


def _opset(text: str) -> str:
    """Turn the spelling of a function header into an opset's name: `ios17` is "CoreML7", `ios26` is "CoreML9"."""
    match = OPSET.fullmatch(text)
    if match is None:
        return text
    number = int(match[1])
    return f"CoreML{number - 10 if number < 19 else number - 17}"
