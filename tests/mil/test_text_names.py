"""Names and values that a text must carry unharmed, whatever they hold."""

from __future__ import annotations

import math

import pytest
from hypothesis import given

from anecheck.mil.parser import parse
from anecheck.mil.printer import print_program
from anecheck.mil.program import Block, Function, Operation, Program, Variable
from anecheck.mil.types import DictType, ListType, StateType, TensorType, TupleType
from anecheck.mil.values import BlobValue, DictValue, ListValue, TensorValue, TupleValue, Value
from tests.mil.programs import STRANGE_NAMES, STRING, names, number, text

HALF = TensorType("fp16", ())
LONG = "layer_" + "ä" * 10_000


def around(*operations: Operation, opset: str = "CoreML8") -> Program:
    """A program of these operations."""
    return Program({"main": Function("main", opset, (), Block((), operations, ()))})


def printed(value: Value, opset: str = "CoreML8") -> str:
    """How a value is written as a constant; it is also read back."""
    program = around(Operation("const", {}, (Variable("c", HALF),), (), {"val": value}), opset=opset)
    output = print_program(program)
    assert parse(output) == program
    (line,) = (line.strip() for line in output.splitlines() if "const()" in line)
    return line.partition("[val = ")[2].removesuffix("];")


def everywhere(name: str) -> Program:
    """A program in which one name stands wherever a name can stand."""
    kind = TensorType(name, (1,))
    inner = Operation(name, {name: (name,)}, (Variable(name, kind),), (), {name: text(name)})
    block = Block((Variable(name, kind),), (inner,), (name,))
    outer = Operation(name, {name: (name, name), "x": (name,)}, (Variable(name, kind),), (block,), {name: text(name)})
    silent = Operation(name, {}, ())
    function = Function(
        name, f"{name} 1", (Variable(name, HALF),), Block((), (silent, outer), (name,)), {name: text(name)}
    )
    return Program({name: function}, {name: text(name)})


@pytest.mark.parametrize("name", [*STRANGE_NAMES, LONG], ids=lambda name: ascii(name)[:20])
def test_strange_names_survive_in_every_place(name: str) -> None:
    program = everywhere(name)
    assert parse(print_program(program)) == program


@given(names)
def test_any_name_survives_in_every_place(name: str) -> None:
    program = everywhere(name)
    assert parse(print_program(program)) == program


@pytest.mark.parametrize("name", [*STRANGE_NAMES, LONG], ids=lambda name: ascii(name)[:20])
def test_a_text_holds_nothing_but_visible_ascii_and_line_ends(name: str) -> None:
    output = print_program(everywhere(name))
    assert all(" " <= character <= "~" or character == "\n" for character in output)
    assert output.count("\n") == 12


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("conv_1.weight/a@b$c", "conv_1.weight/a@b$c"),
        ("", "``"),
        ("1st layer", "`1st layer`"),
        ("a`b", "`a\\u0060b`"),
        ('a"b\\c', '`a\\"b\\\\c`'),
        ("\x1b[31m\n", "`\\u001b[31m\\n`"),
        ("né", "`n\\u00e9`"),
        ("🦊", "`\\ud83e\\udd8a`"),
    ],
)
def test_names_that_are_no_identifiers_stand_in_backquotes(name: str, spelling: str) -> None:
    output = print_program(around(Operation("relu", {"x": (name,)}, ())))
    assert f"        relu(x = {spelling});\n" in output


def test_backquotes_take_any_character_and_json_escapes() -> None:
    (function,) = parse("func `a b\nc\\u00e9\\t\\\\``<ios17>() { } -> ();".replace("``", "`")).functions.values()
    assert function.name == "a b\ncé\t\\"


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        (number("fp16", 0.0), "fp16(0x0p+0)"),
        (number("fp16", -0.0), "fp16(-0x0p+0)"),
        (number("fp16", 65504.0), "fp16(0x1.ffcp+15)"),
        (number("fp16", 2**-24), "fp16(0x1p-24)"),
        (number("fp32", 0.1), "fp32(0x1.99999ap-4)"),
        (number("fp64", 5e-324), "fp64(0x0.0000000000001p-1022)"),
        (number("fp32", math.inf), "fp32(inf)"),
        (number("fp32", -math.inf), "fp32(-inf)"),
        (number("fp64", math.nan), "fp64(nan)"),
        (number("bool", 1), "bool(true)"),
        (number("int8", -128), "int8(-128)"),
        (number("uint64", 2**64 - 1), "uint64(18446744073709551615)"),
        (number("int4", -8), "int4(-8)"),
        (number("bf16", 0x3F80), "bf16(16256)"),
        (number("fp8e5m2", 60), "fp8e5m2(60)"),
        (text('naïve "quoted"\n\x1b'), 'string("na\\u00efve \\"quoted\\"\\n\\u001b")'),
        (TensorValue(TensorType("string", (2,)), ("a", "")), 'tensor<string, [2]>(["a", ""])'),
        (TensorValue(TensorType("uint2", (2, 3)), b"\xe4\x04"), "tensor<uint2, [2, 3]>([[0, 1, 2], [3, 0, 1]])"),
        (TensorValue(TensorType("int8", (1, 1, 2)), b"\x01\xff"), "tensor<int8, [1, 1, 2]>([[[1, -1]]])"),
        (TensorValue(TensorType("int8", (None, 2)), b"\x01\xff"), "tensor<int8, [?, 2]>([1, -1])"),
        (TensorValue(TensorType("int8", (0, 4)), b""), "tensor<int8, [0, 4]>([])"),
        (TensorValue(TensorType("int8", (2,)), b"\x01"), "tensor<int8, [2]>([1])"),
        (TensorValue(HALF, b""), "fp16([])"),
        (TensorValue(TensorType("int8", (1,) * 17), b"\x01"), f"tensor<int8, [{', '.join(['1'] * 17)}]>([1])"),
        (
            BlobValue(TensorType("uint4", (8, None)), "@model_path/w.bin", 2**63),
            'tensor<uint4, [8, ?]>(BLOBFILE(path = string("@model_path/w.bin"), offset = uint64(9223372036854775808)))',
        ),
        (ListValue(ListType(STRING, 2), (text("a"), text("b"))), 'list<string, 2>(["a", "b"])'),
        (ListValue(ListType(HALF, None), ()), "list<fp16, ?>([])"),
        (
            DictValue(DictType(STRING, HALF), ((text("a"), number("fp16", 1)), (text("a"), number("fp16", 2)))),
            'dict<string, fp16>({{"a", 0x1p+0}, {"a", 0x1p+1}})',
        ),
        (DictValue(DictType(STRING, HALF), ()), "dict<string, fp16>({})"),
        (TupleValue(TupleType((STRING, HALF)), (text("a"), number("fp16", 3))), 'tuple<string, fp16>(("a", 0x1.8p+1))'),
        (TupleValue(TupleType(()), ()), "tuple<>(())"),
        (
            ListValue(ListType(HALF, 1), (BlobValue(HALF, "w", 64),)),
            'list<fp16, 1>([BLOBFILE(path = string("w"), offset = uint64(64))])',
        ),
    ],
)
def test_values_have_a_spelling_each(value: Value, spelling: str) -> None:
    assert printed(value) == spelling


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        (number("int32", 7), "tensor<int32, []>(7)"),
        (text("a"), 'tensor<string, []>("a")'),
        (TensorValue(TensorType("bool", (1,)), b"\x00"), "tensor<bool, [1]>([false])"),
        (ListValue(ListType(STRING, 1), (text("a"),)), 'list<tensor<string, []>, 1>(["a"])'),
        (
            BlobValue(HALF, "w", 64),
            'tensor<fp16, []>(BLOBFILE(path = tensor<string, []>("w"), offset = tensor<uint64, []>(64)))',
        ),
    ],
)
def test_values_up_to_ios_17_never_use_bare_scalars(value: Value, spelling: str) -> None:
    assert printed(value, "CoreML7") == spelling


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("fp32(0X1.8P1)", number("fp32", 3.0)),
        ("fp32(1)", number("fp32", 1.0)),
        ("fp32(-1.5e-3)", number("fp32", -1.5e-3)),
        ("fp32(+inf)", number("fp32", math.inf)),
        ("fp64(1e999)", number("fp64", math.inf)),
        ("int32(0x10)", number("int32", 16)),
        ("tensor<int8, [2, 2]>([1, 2, 3, 4])", TensorValue(TensorType("int8", (2, 2)), b"\1\2\3\4")),
        ("tensor<int8, [4]>([[1, 2], [3, 4]])", TensorValue(TensorType("int8", (4,)), b"\1\2\3\4")),
        ("list<fp16, 1>([fp16(1.0)])", ListValue(ListType(HALF, 1), (number("fp16", 1),))),
        ('string("a\nb\\u00e9\\/")', text("a\nbé/")),
        ('string("\\ud83e\\udd8a")', text("🦊")),
    ],
)
def test_other_spellings_of_the_same_values_are_read(literal: str, value: Value) -> None:
    program = parse(f"func main<ios18>() {{ fp16 c = const()[val = {literal}]; }} -> ();")
    assert program.functions["main"].block.operations[0].attributes["val"] == value


def test_values_may_stand_in_place_of_names_alone_and_in_lists() -> None:
    program = around(
        Operation("classify", {"classes": (ListValue(ListType(STRING, 1), (text("cat"),)),), "p": ("x",)}, ()),
        Operation("concat", {"values": ("x", number("fp16", 1), "y"), "none": ()}, ()),
    )
    output = print_program(program)
    assert '        classify(classes = list<string, 1>(["cat"]), p = x);\n' in output
    assert "        concat(none = (), values = (x, fp16(0x1p+0), y));\n" in output
    assert parse(output) == program


def test_states_have_a_type_but_no_value() -> None:
    program = Program({"f": Function("f", "CoreML8", (Variable("s", StateType(HALF)),), Block((), (), ("s",)))})
    assert parse(print_program(program)) == program
    with pytest.raises(ValueError, match="states have none"):
        parse("func f<ios18>() { fp16 c = const()[val = state<fp16>(1)]; } -> ();")


def test_nan_is_written_with_its_sign_and_without_its_payload() -> None:
    quiet, negative, other = (TensorValue(HALF, bytes.fromhex(code)) for code in ("007e", "00fe", "ff7f"))
    assert printed(quiet) == "fp16(nan)"
    assert printed(negative) == "fp16(-nan)"
    changed = parse(print_program(around(Operation("const", {}, (), (), {"val": other}))))
    assert changed.functions["main"].block.operations[0].attributes["val"] == quiet


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        (ListValue(ListType(HALF, 2), (number("fp16", 1), text("a"))), 'list<fp16, 2>([0x1p+0, string("a")])'),
        (
            DictValue(DictType(HALF, HALF), ((text("a"), number("fp16", 1)),)),
            'dict<fp16, fp16>({{string("a"), 0x1p+0}})',
        ),
        (TupleValue(TupleType((HALF,)), (text("a"), text("b"))), 'tuple<fp16>((string("a"), string("b")))'),
        (TupleValue(TupleType((STRING, HALF)), (text("a"),)), 'tuple<string, fp16>(("a"))'),
        (
            ListValue(ListType(HALF, 1), (ListValue(ListType(HALF, 0), ()),)),
            "list<fp16, 1>([list<fp16, 0>([])])",
        ),
        (
            ListValue(ListType(STRING, 1), (BlobValue(HALF, "w", 64),)),
            'list<string, 1>([fp16(BLOBFILE(path = string("w"), offset = uint64(64)))])',
        ),
    ],
)
def test_elements_that_are_not_what_their_container_says_keep_their_type(value: Value, spelling: str) -> None:
    assert printed(value) == spelling
