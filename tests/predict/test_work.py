"""Arithmetic and traffic of single operations, worked out by hand."""

from __future__ import annotations

import pytest

from anecheck.knowledge.target import parse_target
from anecheck.mil.graph import Graph
from anecheck.mil.parser import parse
from anecheck.predict.weights import Weights, streams
from anecheck.predict.work import Work, operations, weight_bytes_read, work
from tests.predict.programs import KNOWLEDGE, blob

SPATIAL = (
    'dilations = tensor<int32, [2]>([{dilation}, {dilation}]), groups = int32({groups}), pad_type = string("same"), '
    "strides = tensor<int32, [2]>([{stride}, {stride}])"
)
POOL = "kernel_sizes = tensor<int32, [2]>([3, 2]), strides = tensor<int32, [2]>([2, 2])"


def spatial(stride: int = 1, dilation: int = 1, groups: int = 1) -> str:
    return SPATIAL.format(stride=stride, dilation=dilation, groups=groups)


def graph_of(inputs: str, *rows: str) -> Graph:
    """A function of some inputs, whose last row makes `y`."""
    return Graph(parse(f"func main<ios18>({inputs}) {{ {' '.join(rows)} }} -> (y);").functions["main"])


def last(inputs: str, *rows: str) -> float:
    """The operations of the last row."""
    return operations(graph_of(inputs, *rows).nodes[-1])


def traffic(inputs: str, *rows: str) -> Work:
    return work(graph_of(inputs, *rows).nodes[-1], 64)


@pytest.mark.parametrize(
    ("settings", "weight", "result", "expected"),
    [
        (spatial(), "[32, 16, 3, 3]", "[1, 32, 8, 8]", 2 * 32 * 64 * 16 * 9),
        (spatial(stride=2), "[32, 16, 3, 3]", "[1, 32, 4, 4]", 2 * 32 * 16 * 16 * 9),
        (spatial(dilation=2), "[32, 16, 3, 3]", "[1, 32, 8, 8]", 2 * 32 * 64 * 16 * 9),  # holes multiply nothing
        (spatial(groups=4), "[32, 4, 3, 3]", "[1, 32, 8, 8]", 2 * 32 * 64 * 4 * 9),
        (spatial(groups=16), "[16, 1, 5, 1]", "[1, 16, 8, 8]", 2 * 16 * 64 * 5),
    ],
    ids=["plain", "stride", "dilation", "groups", "depthwise"],
)
def test_convolutions(settings: str, weight: str, result: str, expected: int) -> None:
    row = f"tensor<fp16, {result}> y = conv({settings}, weight = {blob(weight)}, x = x);"
    assert last("tensor<fp16, [1, 16, 8, 8]> x", row) == expected


@pytest.mark.parametrize(("groups", "weight"), [(1, "[16, 8, 4, 4]"), (4, "[16, 2, 4, 4]")])
def test_transposed_convolutions(groups: int, weight: str) -> None:
    settings = spatial(stride=2, groups=groups)
    row = f"tensor<fp16, [1, 8, 16, 16]> y = conv_transpose({settings}, weight = {blob(weight)}, x = x);"
    each = {1: 8 * 16, 4: 2 * 16}[groups]  # every input element meets the taps of its group's outputs
    assert last("tensor<fp16, [1, 16, 8, 8]> x", row) == 2 * 16 * 64 * each


def test_linear() -> None:
    row = f"tensor<fp16, [1, 10, 32]> y = linear(weight = {blob('[32, 64]')}, x = x);"
    assert last("tensor<fp16, [1, 10, 64]> x", row) == 2 * 10 * 32 * 64


@pytest.mark.parametrize("over_x", [False, True])
@pytest.mark.parametrize("over_y", [False, True])
def test_matmul_in_every_orientation(over_x: bool, over_y: bool) -> None:
    x, y = ("[2, 7, 5]" if over_x else "[2, 5, 7]"), ("[2, 3, 7]" if over_y else "[2, 7, 3]")
    flags = f"transpose_x = bool({str(over_x).lower()}), transpose_y = bool({str(over_y).lower()})"
    row = f"tensor<fp16, [2, 5, 3]> y = matmul({flags}, x = a, y = b);"
    assert last(f"tensor<fp16, {x}> a, tensor<fp16, {y}> b", row) == 2 * 2 * 5 * 7 * 3


def test_matmul_broadcasts() -> None:
    row = "tensor<fp16, [4, 2, 5, 3]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = a, y = b);"
    assert last("tensor<fp16, [4, 2, 5, 7]> a, tensor<fp16, [7, 3]> b", row) == 2 * 4 * 2 * 5 * 7 * 3


@pytest.mark.parametrize(
    ("equation", "a", "b", "result", "expected"),
    [
        ("bchq,bkhc->bkhq", "[1, 64, 8, 5]", "[1, 7, 8, 64]", "[1, 7, 8, 5]", 2 * 64 * 8 * 5 * 7),
        ("nchw, nwhu -> nchu", "[2, 3, 4, 5]", "[2, 5, 4, 6]", "[2, 3, 4, 6]", 2 * 2 * 3 * 4 * 5 * 6),
        ("ab,bc->c", "[2, 3]", "[3, 4]", "[4]", 2 * 2 * 3 * 4),
    ],
)
def test_einsum_sums_what_its_equation_says(equation: str, a: str, b: str, result: str, expected: int) -> None:
    row = f'tensor<fp16, {result}> y = einsum(equation = string("{equation}"), values = (a, b));'
    assert last(f"tensor<fp16, {a}> a, tensor<fp16, {b}> b", row) == expected


def test_attention_counts_both_products_and_the_softmax_between() -> None:
    inputs = "tensor<fp16, [1, 4, 10, 16]> q, tensor<fp16, [1, 4, 20, 16]> k, tensor<fp16, [1, 4, 20, 8]> v"
    row = "tensor<fp16, [1, 4, 10, 8]> y = scaled_dot_product_attention(query = q, key = k, value = v);"
    scores = 4 * 10 * 20
    assert last(inputs, row) == 2 * scores * 16 + 2 * scores * 8 + 3 * scores


@pytest.mark.parametrize("kind", ["max_pool", "avg_pool", "l2_pool"])
def test_pools_look_at_their_kernel_for_each_result(kind: str) -> None:
    row = f"tensor<fp16, [1, 16, 4, 4]> y = {kind}({POOL}, x = x);"
    assert last("tensor<fp16, [1, 16, 8, 8]> x", row) == 16 * 16 * 6


@pytest.mark.parametrize(("kind", "gates"), [("lstm", 4), ("gru", 3), ("rnn", 1)])
def test_recurrent_layers_multiply_their_weights_at_every_step(kind: str, gates: int) -> None:
    rows, steps, batch, width, hidden = gates * 32, 10, 2, 64, 32
    row = (
        f"tensor<fp16, [{steps}, {batch}, {hidden}]> y = {kind}(x = x, weight_ih = {blob(f'[{rows}, {width}]')}, "
        f"weight_hh = {blob(f'[{rows}, {hidden}]', offset=65536)});"
    )
    expected = 2 * steps * batch * (rows * width + rows * hidden)
    assert last(f"tensor<fp16, [{steps}, {batch}, {width}]> x", row) == expected


def test_a_layer_in_both_directions_multiplies_both_weights() -> None:
    back = f", weight_ih_back = {blob('[128, 64]', offset=131072)}, weight_hh_back = {blob('[128, 32]', offset=262144)}"
    row = (
        f"tensor<fp16, [10, 2, 64]> y = lstm(x = x, weight_ih = {blob('[128, 64]')}, "
        f"weight_hh = {blob('[128, 32]', offset=65536)}{back});"
    )
    assert last("tensor<fp16, [10, 2, 64]> x", row) == 2 * (2 * 10 * 2 * (128 * 64 + 128 * 32))


def test_other_operations_count_their_elements() -> None:
    x = "tensor<fp16, [1, 16, 8, 8]> x"
    assert last(x, "tensor<fp16, [1, 16, 8, 8]> y = relu(x = x);") == 16 * 64
    assert last(x, "tensor<fp16, [1, 16, 1, 1]> y = reduce_mean(axes = tensor<int32, [2]>([2, 3]), x = x);") == 16 * 64


def test_unknown_dimensions_count_as_one() -> None:
    row = "tensor<fp16, [?, 5, 3]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = a, y = b);"
    assert last("tensor<fp16, [?, 5, ?]> a, tensor<fp16, [?, ?, 3]> b", row) == 2 * 5 * 3
    row = f"tensor<fp16, [?, 32]> y = linear(weight = {blob('[32, 64]')}, x = x);"
    assert last("tensor<fp16, [?, 64]> x", row) == 2 * 32 * 64
    row = f"tensor<fp16, [..., 32]> y = linear(weight = {blob('[32, ...]')}, x = x);"
    assert last("tensor<fp16, [...]> x", row) == 2 * 32


# Bytes


def test_operands_and_results_move_as_they_are_laid_out() -> None:
    found = traffic(
        "tensor<fp16, [1, 16, 1]> a, tensor<fp16, [1, 1, 40]> b", "tensor<fp16, [1, 16, 40]> y = add(x = a, y = b);"
    )
    assert found == Work(16 * 40, 16 * 64 + 128 + 16 * 128, 16 * 2 + 40 * 2 + 16 * 40 * 2)


def test_an_operand_bound_twice_is_read_once() -> None:
    assert traffic("tensor<fp16, [1, 16, 32]> x", "tensor<fp16, [1, 16, 32]> y = mul(x = x, y = x);").moved == 2 * 1024


def test_weights_are_not_among_what_moves() -> None:
    row = f"tensor<fp16, [1, 32]> y = linear(weight = {blob('[32, 32]')}, x = x);"
    assert traffic("tensor<fp16, [1, 32]> x", row) == Work(2 * 32 * 32, 128, 128)


@pytest.mark.parametrize(
    "row",
    [
        "tensor<fp16, [32, 16]> y = reshape(shape = tensor<int32, [2]>([32, 16]), x = x);",
        "tensor<fp16, [16, 32]> y = squeeze(axes = tensor<int32, [1]>([0]), x = x);",
        "tensor<fp16, [1, 1, 16, 32]> y = expand_dims(axes = tensor<int32, [1]>([0]), x = x);",
        "tensor<fp16, [1, 16, 32]> y = identity(x = x);",
    ],
)
def test_another_look_moves_nothing(row: str) -> None:
    assert traffic("tensor<fp16, [1, 16, 32]> x", row) == Work(0.0, 0, 0)


def test_reading_a_state_moves_nothing() -> None:
    row = "tensor<fp16, [1, 16, 32]> y = read_state(input = s);"
    assert traffic("state<tensor<fp16, [1, 16, 32]>> s", row) == Work(0.0, 0, 0)


# Weights


def read(target: str, inputs: str, *rows: str) -> int:
    graph = graph_of(inputs, *rows)
    forms = streams(parse_target(target, KNOWLEDGE), KNOWLEDGE)
    return weight_bytes_read(graph.nodes[-1], Weights(graph), forms)


TOKENS = "tensor<int32, [1, 8]> i"
ROWS = "tensor<fp16, [1, 8, 64]> y = gather(axis = int32(0), indices = i, x = {0});"
PACKED = (
    f"tensor<fp16, [1000, 64]> w = constexpr_blockwise_shift_scale(data = {blob('[1000, 64]', dtype='int8')}, "
    f"scale = {blob('[1000, 1]', offset=131072)});"
)


def test_a_layer_reads_its_weights_in_the_form_that_its_family_streams() -> None:
    row = "tensor<fp16, [1, 1000]> y = linear(weight = w, x = x);"
    assert read("h16", "tensor<fp16, [1, 64]> x", PACKED, row) == 1000 * 64 + 1000 * 2
    assert read("h13", "tensor<fp16, [1, 64]> x", PACKED, row) == 1000 * 64 * 2
    assert read("a17pro/ios16", "tensor<fp16, [1, 64]> x", PACKED, row) == 1000 * 64 * 2


def test_all_weights_of_an_operation_are_read_each_once() -> None:
    row = f"tensor<fp16, [1, 32]> y = linear(bias = {blob('[32]', offset=8192)}, weight = {blob('[32, 64]')}, x = x);"
    assert read("h16", "tensor<fp16, [1, 64]> x", row) == 32 * 64 * 2 + 32 * 2
    define = f"tensor<fp16, [16, 16]> w = const()[val = {blob('[16, 16]')}];"
    row = "tensor<fp16, [16, 16]> y = matmul(transpose_x = bool(false), transpose_y = bool(true), x = w, y = w);"
    assert read("h16", "tensor<fp16, [1]> x", define, row) == 512


def test_a_gather_reads_the_rows_that_it_takes() -> None:
    assert read("h16", TOKENS, ROWS.format(blob("[1000, 64]"))) == 8 * 64 * 2
    along = f"tensor<fp16, [1, 8]> y = gather_along_axis(axis = int32(0), indices = i, x = {blob('[1000, 8]')});"
    assert read("h16", TOKENS, along) == 8 * 2
    deep = f"tensor<fp16, [1, 64]> y = gather_nd(batch_dims = int32(0), indices = i, x = {blob('[9, 9, 9, 9, 9, 9, 9, 9, 64]')});"
    assert read("h16", TOKENS, deep) == 64 * 2


def test_rows_taken_again_and_again_are_no_more_than_the_table() -> None:
    assert read("h16", TOKENS, ROWS.format(blob("[2, 64]"))) == 2 * 64 * 2


def test_rows_of_a_compressed_table_are_read_in_its_form() -> None:
    row = ROWS.format("w")
    assert read("h16", TOKENS, PACKED, row) == 8 * 64 + 8 * 2
    assert read("h13", TOKENS, PACKED, row) == 8 * 64 * 2


def test_a_gather_by_constant_indices_reads_those_too() -> None:
    row = (
        f"tensor<fp16, [8, 64]> y = gather(axis = int32(0), indices = {blob('[8]', dtype='int32', offset=131072)}, "
        f"x = {blob('[1000, 64]')});"
    )
    assert read("h16", "tensor<fp16, [1]> x", row) == 8 * 64 * 2 + 8 * 4


def test_a_gather_from_a_run_time_value_reads_no_weight() -> None:
    assert read("h16", f"tensor<fp16, [1000, 64]> t, {TOKENS}", ROWS.format("t")) == 0
