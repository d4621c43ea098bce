"""MIL text in both spellings: what a program is printed as, and what is read from Apple's own notation."""

from __future__ import annotations

from anecheck.mil.model import Kind, Layer, Model
from anecheck.mil.parser import parse
from anecheck.mil.printer import model_lines, opset_text, print_program, type_text
from anecheck.mil.program import Block, Function, Operation, Program, Variable, walk
from anecheck.mil.types import VARIADIC, DictType, ListType, StateType, TensorType, TupleType
from anecheck.mil.values import BlobValue, DictValue, ListValue, TensorValue, TupleValue, pack
from tests.mil.programs import STRING, constant, number, operation, text

HALVES = TensorType("fp16", (1, 4))
WEIGHTS = "@model_path/weights/weight.bin"
BUILD = DictValue(DictType(STRING, STRING), ((text("coremlc-version"), text("3500.4")), (text("a"), text("b"))))

OLDER = Program(
    {
        "main": Function(
            "main",
            "CoreML7",
            (Variable("x", HALVES),),
            Block(
                (),
                (
                    constant(Variable("axis", TensorType("int32", ())), number("int32", -1)),
                    constant(
                        Variable("w", TensorType("fp16", (4, 4))), BlobValue(TensorType("fp16", (4, 4)), WEIGHTS, 64)
                    ),
                    constant(
                        Variable("p", TensorType("int32", (2, 2))),
                        TensorValue(TensorType("int32", (2, 2)), pack("int32", (1, 2, 3, 4))),
                    ),
                    operation("linear", Variable("y", HALVES), x="x", weight="w"),
                    Operation(
                        "concat",
                        {"values": ("x", "y"), "axis": ("axis",), "interleave": (number("bool", 0),)},
                        (Variable("z", TensorType("fp16", (None, 8))),),
                    ),
                ),
                ("z", "y"),
            ),
        )
    },
    {"buildInfo": BUILD},
)
OLDER_TEXT = """\
program(1.0)
[buildInfo = dict<tensor<string, []>, tensor<string, []>>({{"coremlc-version", "3500.4"}, {"a", "b"}})]
{
    func main<ios17>(tensor<fp16, [1, 4]> x) {
        tensor<int32, []> axis = const()[name = tensor<string, []>("axis"), val = tensor<int32, []>(-1)];
        tensor<fp16, [4, 4]> w = const()[name = tensor<string, []>("w"), val = tensor<fp16, [4, 4]>(BLOBFILE(\
path = tensor<string, []>("@model_path/weights/weight.bin"), offset = tensor<uint64, []>(64)))];
        tensor<int32, [2, 2]> p = const()[name = tensor<string, []>("p"), val = tensor<int32, [2, 2]>([[1, 2], [3, 4]])];
        tensor<fp16, [1, 4]> y = linear(weight = w, x = x)[name = tensor<string, []>("y")];
        tensor<fp16, [?, 8]> z = concat(axis = axis, interleave = tensor<bool, []>(false), values = (x, y));
    } -> (z, y);
}
"""

NEWER = Program(
    {
        "main": Function(
            "main",
            "CoreML9",
            (Variable("cache", StateType(HALVES)), Variable("flag", TensorType("bool", ()))),
            Block(
                (),
                (
                    operation("read_state", Variable("old", HALVES), input="cache"),
                    Operation(
                        "cond",
                        {"pred": ("flag",)},
                        (Variable("new", HALVES),),
                        (
                            Block(
                                (),
                                (operation("mul", Variable("half", HALVES), x="old", y=number("fp16", 0.5)),),
                                ("half",),
                            ),
                            Block((Variable("i", TensorType("int32", ())),), (), ("old",)),
                        ),
                        {"name": text("cond_0")},
                    ),
                    Operation("write_state", {"input": ("cache",), "data": ("new",)}, ()),
                ),
                ("new",),
            ),
        ),
        "aside": Function("aside", "CoreML8", (), Block((), (), ())),
    },
)
NEWER_TEXT = """\
program(1.3)
{
    func main<ios26>(state<tensor<fp16, [1, 4]>> cache, bool flag) {
        tensor<fp16, [1, 4]> old = read_state(input = cache)[name = string("old")];
        tensor<fp16, [1, 4]> new = cond(pred = flag)[name = string("cond_0")] {
            block() {
                tensor<fp16, [1, 4]> half = mul(x = old, y = fp16(0x1p-1))[name = string("half")];
            } -> (half);
            block(int32 i) {
            } -> (old);
        };
        write_state(data = new, input = cache);
    } -> (new);
    func aside<ios18>() {
    } -> ();
}
"""

# The shape information of a real compiled model, in Apple's own layout: types inside the lists, hex floats, one line.
APPLE_TEXT = """
program(1.0)
[buildInfo = dict<tensor<string, []>, tensor<string, []>>({{"coremlc-component-MIL", "3500.14.1"}})]
{
    func main<ios17>(tensor<fp32, [1, ?]> audio) [FlexibleShapeInformation = tuple<tuple<tensor<string, []>, \
dict<tensor<string, []>, tensor<int32, [?]>>>, tuple<tensor<string, []>, dict<tensor<string, []>, \
list<tensor<int32, [2]>, ?>>>>((("DefaultShapes", {{"audio", [1, 16000]}}), \
("RangeDims", {{"audio", [[1, 1], [16000, 240000]]}})))] {
            tensor<string, []> to = const()[name = tensor<string, []>("to"), val = tensor<string, []>("fp16")];
            tensor<fp16, [1, ?]> y = cast(dtype = to, x = audio)[name = tensor<string, []>("cast_0")];
            tensor<fp16, []> e = const()[name = tensor<string, []>("e"), val = tensor<fp16, []>(0x1.5p-17)];
        } -> (y);
}"""


def test_a_program_up_to_ios_17_writes_scalars_as_tensors_of_rank_0() -> None:
    assert print_program(OLDER) == OLDER_TEXT


def test_a_program_from_ios_18_on_writes_scalars_as_such() -> None:
    assert print_program(NEWER) == NEWER_TEXT


def test_what_was_printed_is_read_back() -> None:
    assert parse(OLDER_TEXT) == OLDER
    assert parse(NEWER_TEXT) == NEWER


def test_one_new_function_makes_the_whole_program_use_the_newer_spelling() -> None:
    old, new = (Function(name, f"CoreML{number}", (), Block((), (), ())) for name, number in (("a", 7), ("b", 8)))
    assert print_program(Program({"a": old})).startswith("program(1.0)\n")
    assert print_program(Program({"a": old, "b": new})).startswith("program(1.3)\n")


def test_main_comes_first_and_the_others_in_the_order_of_their_names() -> None:
    functions = {name: Function(name, "CoreML8", (), Block((), (), ())) for name in ("z", "main", "a")}
    headers = [line.split("<")[0].strip() for line in print_program(Program(functions)).splitlines() if "func" in line]
    assert headers == ["func main", "func a", "func z"]


def test_shape_information_of_compiled_models_is_kept_as_a_value() -> None:
    information = parse(APPLE_TEXT).functions["main"].attributes["FlexibleShapeInformation"]
    assert isinstance(information, TupleValue)
    defaults, ranges = information.items
    assert isinstance(defaults, TupleValue)
    assert isinstance(ranges, TupleValue)
    sizes = TensorType("int32", (None,))
    assert defaults.items == (
        text("DefaultShapes"),
        DictValue(DictType(STRING, sizes), ((text("audio"), TensorValue(sizes, pack("int32", (1, 16000)))),)),
    )
    pair = TensorType("int32", (2,))
    limits = ListValue(
        ListType(pair, None),
        (TensorValue(pair, pack("int32", (1, 1))), TensorValue(pair, pack("int32", (16000, 240000)))),
    )
    assert ranges.items[1] == DictValue(DictType(STRING, limits.type), ((text("audio"), limits),))


def test_apples_layout_reads_like_ours() -> None:
    program = parse(APPLE_TEXT)
    assert parse(print_program(program)) == program
    (_, cast, epsilon) = walk(program.functions["main"].block)
    assert cast == Operation(
        "cast",
        {"x": ("audio",), "dtype": ("to",)},
        (Variable("y", TensorType("fp16", (1, None))),),
        (),
        {"name": text("cast_0")},
    )
    assert epsilon.attributes["val"] == number("fp16", 1.3125 * 2**-17)


def test_functions_need_no_program_around_them() -> None:
    function = "func main<ios17>(fp16 x) { fp16 y = relu(x = x); } -> (y);"
    assert parse(function) == parse(f"program(1.0) {{ {function} }}")
    assert list(parse(f"{function} // the end\n{function.replace('main', 'other')}").functions) == ["main", "other"]


def test_comments_and_space_are_skipped_wherever_they_stand() -> None:
    program = parse("//\nfunc // main(\n main<ios17> ( fp16 //x\nx){fp16 y=relu(x=x);//}\n\t}\r\n->(y);// -> nothing")
    assert program == parse("func main<ios17>(fp16 x) { fp16 y = relu(x = x); } -> (y);")
    assert parse('func f<ios17>() { string s = const()[val = string("// no comment")]; } -> (s);') == Program(
        {
            "f": Function(
                "f",
                "CoreML7",
                (),
                Block(
                    (), (Operation("const", {}, (Variable("s", STRING),), (), {"val": text("// no comment")}),), ("s",)
                ),
            )
        }
    )


def test_opsets_are_spelled_after_the_system() -> None:
    assert [opset_text(f"CoreML{number}") for number in (3, 5, 8, 9, 10)] == [
        "ios13",
        "ios15",
        "ios18",
        "ios26",
        "ios27",
    ]
    assert [opset_text(name) for name in ("", "CoreML", "CoreML²", "CoreML07")] == ["", "CoreML", "CoreML²", "CoreML07"]
    headers = ("ios13", "ios18", "ios26", "CoreML7", "`ios²`", "`ios 17`", "ios" + "9" * 5000)
    read = [parse(f"func main<{header}>() {{ }} -> ();").functions["main"].opset for header in headers]
    assert read == ["CoreML3", "CoreML8", "CoreML9", "CoreML7", "ios²", "ios 17", "ios" + "9" * 5000]


def test_types_have_a_spelling_each() -> None:
    tensor = TensorType("fp16", (1, None, VARIADIC))
    nested = DictType(STRING, TupleType((ListType(tensor, 3), ListType(StateType(tensor), None), TupleType(()))))
    assert type_text(nested) == (
        "dict<string, tuple<list<tensor<fp16, [1, ?, ...]>, 3>, list<state<tensor<fp16, [1, ?, ...]>>, ?>, tuple<>>>"
    )
    assert str(nested.value) == "tuple<list<fp16[1, ?, ...], 3>, list<state<fp16[1, ?, ...]>, ?>, tuple<>>"


def test_a_pipeline_is_printed_part_by_part_and_other_models_as_comments() -> None:
    program = Program({"main": Function("main", "CoreML7", (), Block((), (), ()))})
    layers = (Layer("conv\n1", "convolution"), Layer("swirl", "custom", "Swirl\x1b"))
    parts = tuple(
        Model("", kind, form, 1, program=program if kind is Kind.ML_PROGRAM else None, name=name)
        for name, kind, form in (("scale", Kind.OTHER, "scaler"), ("né\x9bt", Kind.ML_PROGRAM, "mlProgram"))
    )
    body = ["program(1.0)", "{", "    func main<ios17>() {", "    } -> ();", "}"]
    pipeline = Model("", Kind.PIPELINE, "pipeline", 1, parts=parts)
    assert list(model_lines(pipeline)) == ["// part n\\u00e9\\u009bt", *body]
    assert list(model_lines(Model("", Kind.PIPELINE, "pipeline", 1, parts=parts[:1]))) == [
        "// pipeline: no ML Program",
        "// part scale: scaler",
    ]
    assert list(model_lines(Model("", Kind.NEURAL_NETWORK, "neuralNetwork", 1, layers=layers))) == [
        "// neuralNetwork: no ML Program",
        "// conv\\n1: convolution",
        "// swirl: custom Swirl\\u001b",
    ]
