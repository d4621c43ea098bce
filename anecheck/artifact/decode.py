"""Protobuf messages to a `Program`. Weights stay where they are; only references to them are kept.

Nearly all of the time goes into calls to protobuf, hence two habits: `messages[:]` makes a list in one call, where a loop
over the messages makes one for each and another that fails; and maps are read by sorted keys, because their own order
changes from one run to the next.
"""

from __future__ import annotations

from typing import Any, NoReturn

from anecheck.artifact.errors import ArtifactError, Fault
from anecheck.artifact.proto import data_types
from anecheck.mil.program import Argument, Block, Function, Operation, Program, Variable
from anecheck.mil.types import BITS, VARIADIC, DictType, ListType, StateType, TensorType, TupleType, Type
from anecheck.mil.values import BlobValue, DictValue, ListValue, TensorValue, TupleValue, Value, pack

UNTYPED = TensorType("unknown", (VARIADIC,))
"""What a value is whose type is not set."""

SHORT = 256
"""Up to so many bytes a value is kept for others that are the same; longer ones are weights."""

# The generated message classes have no static types: a message is `Any` here.
Message = Any


def decode_program(message: Message) -> Program:
    """Turn a `MILSpec.Program` message into a `Program`.

    Raises:
        ArtifactError: the message is no well-formed program; says which function or operation and what is wrong.
    """
    if not message.functions:
        raise ArtifactError(Fault.INVALID_PROGRAM, "the ML Program holds no functions; export the model again")
    decoder = _Decoder()
    functions = {name: decoder.function(name, message.functions[name]) for name in sorted(message.functions)}
    return Program(functions, decoder.attributes(message.attributes))


class _Decoder:
    """Decodes one program.

    `_operation_read` is the operation that is being read, if it is one, and `_where` is what else, for error messages.
    `_types` has the types by their encoding: a program repeats a few types all over, and encoding one again is a single
    call, where reading it field by field takes ten. `_values` has the constants that are written out, likewise.
    """

    def __init__(self) -> None:
        self._dtypes = data_types()
        self._types: dict[bytes, Type] = {}
        self._values: dict[bytes, Value] = {}
        self._where = "the program"
        self._operation_read: Message = None

    def _fail(self, what: str) -> NoReturn:
        where, operation = self._where, self._operation_read
        if operation is not None:
            outputs, kind = operation.outputs, operation.type
            where = f"operation '{outputs[0].name}' ({kind})" if outputs else f"a {kind} operation"
        raise ArtifactError(Fault.INVALID_PROGRAM, f"{where}: {what}; the file is damaged, export the model again")

    def function(self, name: str, message: Message) -> Function:
        self._where, self._operation_read = f"function '{name}'", None
        if message.opset not in message.block_specializations:
            self._fail(f"no block for its opset '{message.opset}'")
        block = self._block(message.block_specializations[message.opset])
        return Function(
            name, message.opset, self._variables(message.inputs), block, self.attributes(message.attributes)
        )

    def attributes(self, message: Message) -> dict[str, Value]:
        return {
            key: self._value(message[key]) if key == "name" else self._shared(message[key]) for key in sorted(message)
        }

    def _shared(self, message: Message) -> Value:
        """A value that other operations may have as well, such as a stride: one object for all of them."""
        encoded = message.SerializeToString()
        found = self._values.get(encoded)
        if found is None:
            found = self._value(message)
            if len(encoded) <= SHORT:
                self._values[encoded] = found
        return found

    def _block(self, message: Message) -> Block:
        return Block(
            self._variables(message.inputs),
            tuple([self._operation(operation) for operation in message.operations[:]]),
            tuple(message.outputs),
        )

    def _operation(self, message: Message) -> Operation:
        self._operation_read = message
        inputs, blocks = message.inputs, message.blocks
        arguments = self._arguments
        return Operation(
            message.type,
            {key: arguments(inputs[key]) for key in sorted(inputs)} if inputs else {},
            self._variables(message.outputs),
            tuple([self._block(block) for block in blocks]) if blocks else (),
            self.attributes(message.attributes),
        )

    def _arguments(self, message: Message) -> tuple[Argument, ...]:
        bindings = message.arguments[:]
        if len(bindings) == 1 and (name := bindings[0].name):  # nearly always: a name, and no value in place
            return (name,)
        bound = ((binding.WhichOneof("binding"), binding) for binding in bindings)
        return tuple(
            binding.name if which == "name" else self._value(binding.value) for which, binding in bound if which
        )

    def _variables(self, messages: Message) -> tuple[Variable, ...]:
        known, new = self._types.get, self._type  # looked up in place: this is called for every operation
        return tuple(
            [
                Variable(message.name, known((kind := message.type).SerializeToString()) or new(kind))
                for message in messages[:]
            ]
        )

    # Types

    def _type(self, message: Message) -> Type:
        encoded = message.SerializeToString()
        found = self._types.get(encoded)
        if found is None:
            found = self._types[encoded] = self._new_type(message)
        return found

    def _new_type(self, message: Message) -> Type:
        kind = message.WhichOneof("type")
        if kind == "tensorType":
            return self._tensor_type(message.tensorType)
        if kind == "listType":
            return ListType(self._type(message.listType.type), self._dimension(message.listType.length))
        if kind == "dictionaryType":
            pair = message.dictionaryType
            return DictType(self._type(pair.keyType), self._type(pair.valueType))
        if kind == "tupleType":
            return TupleType(tuple(self._type(element) for element in message.tupleType.types))
        if kind == "stateType":
            return StateType(self._type(message.stateType.wrappedType))
        return UNTYPED

    def _tensor_type(self, message: Message) -> TensorType:
        number = message.dataType
        return TensorType(self._dtypes.get(number, f"unknown{number}"), tuple(map(self._dimension, message.dimensions)))

    @staticmethod
    def _dimension(message: Message) -> int | None:
        if message.WhichOneof("dimension") == "constant":
            return int(message.constant.size)
        return VARIADIC if message.unknown.variadic else None

    # Values

    def _value(self, message: Message) -> Value:
        declared = message.type
        kind = self._types.get(declared.SerializeToString()) or self._type(declared)
        if isinstance(kind, TensorType) and kind.dtype == "string":  # most values are: every operation has a name
            values = message.immediateValue.tensor.strings.values[:]
            if values:
                return TensorValue(kind, tuple(values))
        which = message.WhichOneof("value")
        if which == "blobFileValue":
            if not isinstance(kind, TensorType):
                self._fail(f"a {kind} in the weight file, where only tensors can be")
            return BlobValue(kind, message.blobFileValue.fileName, message.blobFileValue.offset)
        if which != "immediateValue":
            return self._empty(kind)
        return self._immediate(kind, message.immediateValue)

    def _empty(self, kind: Type) -> Value:
        """A value that is not set: coremltools writes empty lists, tuples and dictionaries like this."""
        if isinstance(kind, ListType):
            return ListValue(kind, ())
        if isinstance(kind, TupleType):
            return TupleValue(kind, ())
        if isinstance(kind, DictType):
            return DictValue(kind, ())
        self._fail(f"a constant of type {kind} without a value")

    def _immediate(self, kind: Type, message: Message) -> Value:
        which = message.WhichOneof("value")
        if which == "tensor" and isinstance(kind, TensorType):
            return self._tensor(kind, message.tensor)
        if which == "list" and isinstance(kind, ListType):
            return ListValue(kind, tuple(map(self._value, message.list.values)))
        if which == "tuple" and isinstance(kind, TupleType):
            return TupleValue(kind, tuple(map(self._value, message.tuple.values)))
        if which == "dictionary" and isinstance(kind, DictType):
            pairs = message.dictionary.values
            return DictValue(kind, tuple((self._value(pair.key), self._value(pair.value)) for pair in pairs))
        self._fail(f"a constant of type {kind} that holds a {which}")

    def _tensor(self, kind: TensorType, message: Message) -> TensorValue:
        which = message.WhichOneof("value")
        if which is None:  # an empty tensor
            return TensorValue(kind, () if kind.dtype == "string" else b"")
        values = getattr(message, which).values
        if which == "strings":
            if kind.dtype != "string":
                self._fail(f"strings in a constant of type {kind}")
            return TensorValue(kind, tuple(values[:]))
        if which == "bytes":
            return TensorValue(kind, self._checked(kind, values))
        try:
            return TensorValue(kind, pack(kind.dtype, values))
        except ValueError as error:
            self._fail(f"a constant of type {kind} that holds {which} ({error})")

    def _checked(self, kind: TensorType, data: bytes) -> bytes:
        bits = BITS.get(kind.dtype)
        if bits is None or (bits >= 8 and len(data) * 8 % bits):
            self._fail(f"a constant of type {kind} that holds {len(data)} bytes")
        return bytes(data)
