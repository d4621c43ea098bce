"""The graph of a function: names resolved, constants folded in, every operation with its place."""

from __future__ import annotations

from anecheck.mil.graph import Graph, Operand
from anecheck.mil.parser import parse
from anecheck.mil.program import Block, Function, Operation, Variable
from anecheck.mil.types import TensorType
from anecheck.mil.values import BlobValue
from tests.mil.programs import number, text

CHAIN = """
    func main<ios17>(tensor<fp16, [1, 8]> x, tensor<fp16, [1, 8]> spare) {
        int32 axis = const()[name = string("axis"), val = int32(-1)];
        tensor<int32, [2]> begin = const()[val = tensor<int32, [2]>([0, 3])];
        tensor<fp16, [8, 8]> w = const()[val = tensor<fp16, [8, 8]>(BLOBFILE(path = string("w.bin"), offset = uint64(64)))];
        tensor<fp16, [1, 8]> a = linear(x = x, weight = w, bias = tensor<fp16, [2]>([0x1p+0, 0x1p+1]))[name = string("l")];
        tensor<fp16, [1, 4]> b, tensor<fp16, [1, 4]> c = split(x = a, axis = axis, sizes = begin);
        tensor<fp16, [1, 4]> d = concat(values = (b, c, b), axis = axis);
        tensor<fp16, [1, 4]> unused = relu(x = c);
    } -> (d, x, axis);
"""

CONSTEXPR = """
    func main<ios18>(tensor<fp16, [1, 8]> x) {
        int8 zero = const()[val = int8(0)];
        tensor<fp16, [8, 8]> old = constexpr_affine_dequantize()[axis = int32(0),
            quantized_data = tensor<int8, [8, 8]>(BLOBFILE(path = string("w.bin"), offset = uint64(64)))];
        tensor<fp16, [8, 8]> new = constexpr_lut_to_dense(
            indices = tensor<uint4, [8, 8]>(BLOBFILE(path = string("w.bin"), offset = uint64(192))), lut = old);
        tensor<fp16, [1, 8]> y = linear(x = x, weight = new,
            bias = tensor<fp16, [8]>(BLOBFILE(path = string("w.bin"), offset = uint64(64))));
        tensor<fp16, [1, 8]> z = linear(x = y, weight = new,
            bias = tensor<fp16, [8]>(BLOBFILE(path = string("v.bin"), offset = uint64(64))));
    } -> (z);
"""


def graph_of(source: str) -> Graph:
    return Graph(parse(source).functions["main"])


def names(operands: tuple[Operand, ...]) -> list[str]:
    return [operand.name for operand in operands]


def test_every_operation_but_constants_is_a_node_and_is_numbered_in_file_order() -> None:
    graph = graph_of(CHAIN)
    assert [(found.index, found.block, found.type) for found in graph.nodes] == [
        (0, (), "linear"),
        (1, (), "split"),
        (2, (), "concat"),
        (3, (), "relu"),
    ]
    assert {kind: [found.name for found in nodes] for kind, nodes in graph.by_type.items()} == {
        "linear": ["a"],
        "split": ["b"],
        "concat": ["d"],
        "relu": ["unused"],
    }


def test_operands_are_bound_to_parameters_and_constants_are_among_them() -> None:
    graph = graph_of(CHAIN)
    linear, split, concat = graph.nodes[:3]
    assert names(linear.inputs["x"]) == ["x"]
    assert linear.operand("x") is graph.inputs[0]
    assert linear.operand("absent") is None
    assert linear.tensor("weight") == TensorType("fp16", (8, 8))
    assert linear.tensor("absent") is None
    assert linear.constant("bias") == (1.0, 2.0)
    assert linear.scalar("bias") is None
    assert linear.constant("weight") is None
    assert linear.constant("x") is None
    assert (split.constant("sizes"), split.scalar("axis")) == ((0, 3), -1)
    assert [(parameter, operand.name) for parameter, operand in concat.operands()] == [
        ("values", "b"),
        ("values", "c"),
        ("values", "b"),
        ("axis", "axis"),
    ]


def test_an_operand_is_one_object_wherever_it_is_used() -> None:
    graph = graph_of(CHAIN)
    linear, split, concat = graph.nodes[:3]
    assert split.operand("x") is linear.outputs[0]
    assert concat.inputs["values"] == (split.outputs[0], split.outputs[1], split.outputs[0])
    assert split.operand("axis") is concat.operand("axis") is graph.outputs[2]
    assert split.outputs[1].producer is split


def test_constants_are_known_before_the_model_runs_and_inputs_are_not() -> None:
    linear = graph_of(CHAIN).nodes[0]
    weight, bias, x = (linear.operand(name) for name in ("weight", "bias", "x"))
    assert weight is not None
    assert bias is not None
    assert x is not None
    assert weight.is_constant
    assert isinstance(weight.value, BlobValue)
    assert bias.is_constant
    assert bias.name == ""
    assert (x.is_constant, x.producer, x.value) == (False, None, None)


def test_users_of_a_value_are_known_with_the_parameter() -> None:
    graph = graph_of(CHAIN)
    linear, split, concat, relu = graph.nodes
    b, c = split.outputs
    assert graph.consumers(b) == [(concat, "values"), (concat, "values")]
    assert graph.consumers(c) == [(concat, "values"), (relu, "x")]
    assert graph.users(split) == [concat, relu]
    assert graph.consumers(linear.outputs[0]) == [(split, "x")]
    assert graph.users(relu) == []


def test_the_only_user_is_the_only_one_that_sees_a_value() -> None:
    graph = graph_of(CHAIN)
    linear, split, _, relu = graph.nodes
    assert graph.only_user(linear.outputs[0]) is split
    assert graph.only_user(split.outputs[0]) is None  # used twice
    assert graph.only_user(relu.outputs[0]) is None  # used by nobody
    assert graph.only_user(graph.inputs[0]) is None  # used once, and returned


def test_outputs_are_what_the_function_returns() -> None:
    graph = graph_of(CHAIN)
    assert names(graph.outputs) == ["d", "x", "axis"]
    assert [graph.is_output(found.outputs[0]) for found in graph.nodes] == [False, False, True, False]
    assert [graph.is_output(operand) for operand in graph.inputs] == [True, False]


def test_unused_values_and_inputs_have_no_users() -> None:
    graph = graph_of(CHAIN)
    unused = [operand.name for found in graph.nodes for operand in found.outputs if not graph.consumers(operand)]
    assert unused == ["d", "unused"]
    assert names(tuple(operand for operand in graph.inputs if not graph.consumers(operand))) == ["spare"]


def test_compressed_weights_are_constants_made_by_nodes_that_do_not_run() -> None:
    graph = graph_of(CONSTEXPR)
    assert [found.is_constexpr for found in graph.nodes] == [True, True, False, False]
    assert [found.name for found in graph.running] == ["y", "z"]
    weight = graph.nodes[2].operand("weight")
    assert weight is not None
    assert weight.producer is graph.nodes[1]
    assert (weight.is_constant, weight.value) == (True, None)


def test_references_into_weight_files_are_listed_once_each() -> None:
    graph = graph_of(CONSTEXPR)
    assert [(value.path, value.offset) for value in graph.weights] == [
        ("w.bin", 64),
        ("w.bin", 192),
        ("v.bin", 64),
    ]
    assert [value.offset for value in graph_of(CHAIN).weights] == [64]


def test_sub_byte_scalars_are_scalars() -> None:
    graph = graph_of("func main<ios18>() { fp16 y = relu(x = uint4(5), z = tensor<uint4, [3]>([1, 2, 3])); } -> (y);")
    assert graph.nodes[0].scalar("x") == 5
    assert graph.nodes[0].constant("z") == (1, 2, 3)


def test_odd_programs_have_a_graph_too() -> None:
    kind = TensorType("fp16", ())
    a, b, c, y = (Variable(name, kind) for name in "abcy")
    operations = (
        Operation("const", {}, (), (), {"val": number("fp16", 1)}),
        Operation("const", {}, (b, c), (), {"name": text("two")}),
        Operation("add", {"x": ("c",), "y": ("a",), "z": ()}, (y,)),
    )
    graph = Graph(Function("main", "CoreML7", (), Block((a,), operations, ("y",))))
    (add,) = graph.nodes
    assert [(parameter, operand.name) for parameter, operand in add.operands()] == [("x", "c"), ("y", "a")]
    assert add.operand("z") is None
    assert graph.inputs == ()
