"""Working sets by hand: every sum stands in its test, in elements × bytes, with rows of the engine of 64 bytes."""

from __future__ import annotations

import pytest

from anecheck.mil.graph import Graph
from anecheck.mil.parser import parse
from anecheck.predict.footprint import Buffer, Footprint, footprint

T = "tensor<fp16, [1, 64, 32]>"
"""64 rows of 32: 4096 bytes, packed and laid out."""
B = 4096
WIDE = "tensor<fp16, [1, 128, 32]>"


def function(inputs: str, outputs: str, *rows: str) -> Footprint:
    """The working set of a function, all of it on the engine."""
    text = f"func main<ios18>({inputs}) {{ {' '.join(rows)} }} -> ({outputs});"
    return footprint(Graph(parse(text).functions["main"]), 64)


def relu(result: str, x: str, kind: str = T) -> str:
    return f"{kind} {result} = relu(x = {x});"


def add(result: str, x: str, y: str, kind: str = T) -> str:
    return f"{kind} {result} = add(x = {x}, y = {y});"


def reshape(result: str, x: str, kind: str) -> str:
    sizes = kind.partition("[")[2].rstrip(">")
    count = sizes.count(",") + 1
    return f"{kind} {result} = reshape(shape = tensor<int32, [{count}]>([{sizes}), x = {x});"


def names(buffers: list[Buffer]) -> list[str]:
    return sorted(buffer.value.name for buffer in buffers)


def at_peak(found: Footprint) -> tuple[str, list[str]]:
    """The operation at which most is live, and what that is."""
    position = found.peak_position
    assert position is not None
    return found.nodes[position].name, names(found.live(position))


def test_a_chain_holds_its_ends_and_two_values() -> None:
    found = function(f"{T} x", "y", relu("a", "x"), relu("b", "a"), relu("c", "b"), relu("y", "c"))
    # x and y all the time; a at its making; a and b; b and c; c at its last use
    assert found.held == (3 * B, 4 * B, 4 * B, 3 * B) == found.packed
    assert (found.peak, found.peak_position, found.standing) == (4 * B, 1, 2 * B)
    assert at_peak(found) == ("b", ["a", "b", "x", "y"])
    assert {buffer.value.name: buffer.kind for buffer in found.buffers} == {
        "x": "input", "a": "value", "b": "value", "c": "value", "y": "output",
    }  # fmt: skip


def test_a_residual_is_held_over_what_it_skips() -> None:
    found = function(
        f"{T} x", "y",
        relu("skip", "x"), relu("wide", "skip", WIDE), relu("narrow", "wide"), add("sum", "narrow", "skip"), relu("y", "sum"),
    )  # fmt: skip
    # x, y | + skip | + skip, wide (2 B) | + skip, wide, narrow | + skip, narrow, sum | + sum
    assert found.held == (3 * B, 5 * B, 6 * B, 5 * B, 3 * B)
    assert at_peak(found) == ("narrow", ["narrow", "skip", "wide", "x", "y"])
    assert found.live(2)[0].value.name == "wide"
    assert found.largest()[0].value.name == "wide"


def test_a_diamond_holds_both_of_its_sides() -> None:
    found = function(
        f"{T} x", "y",
        relu("a", "x"), relu("left", "a", WIDE), relu("right", "a", WIDE), add("both", "left", "right", WIDE), relu("y", "both"),
    )  # fmt: skip
    # standing 2 B | a | a, left (2 B) | a, left, right | left, right, both | both
    assert found.held == (3 * B, 5 * B, 7 * B, 8 * B, 4 * B)
    assert at_peak(found) == ("both", ["both", "left", "right", "x", "y"])


def test_a_result_that_nobody_uses_is_held_while_it_is_made() -> None:
    found = function(f"{T} x", "y", relu("unused", "x", WIDE), relu("y", "x"))
    assert found.held == (4 * B, 2 * B)
    assert at_peak(found) == ("unused", ["unused", "x", "y"])


def test_all_results_of_an_operation_are_held() -> None:
    halves = "tensor<fp16, [1, 32, 32]>"
    split = f"{halves} p, {halves} q = split(axis = int32(1), num_splits = int32(2), x = x);"
    found = function(f"{T} x", "y", split, relu("y", "p", halves))
    # x 1, y 1/2; p lives on and q does not
    assert found.held == (B + B // 2 + B // 2 + B // 2, B + B // 2 + B // 2)


def test_inputs_and_outputs_live_through_the_run() -> None:
    found = function(
        f"{T} x, {T} late, {T} never", "early, y", relu("early", "x"), relu("b", "early"), add("y", "b", "late")
    )
    assert [buffer.value.name for buffer in found.buffers if (buffer.first, buffer.last) == (0, 2)] == [
        "x", "late", "never", "early", "y",
    ]  # fmt: skip
    assert found.held == (5 * B, 6 * B, 6 * B)
    assert found.standing == 5 * B


def test_a_function_without_operations_holds_its_inputs() -> None:
    found = function(f"{T} x, {WIDE} z", "x")
    assert (found.held, found.peak, found.peak_packed, found.peak_position) == ((), 3 * B, 3 * B, None)
    thin = function("tensor<fp16, [64, 1]> x", "x")
    assert (thin.peak, thin.peak_packed) == (B, 64 * 2)


def test_constants_and_weights_are_no_part_of_it() -> None:
    weight = 'tensor<fp16, [64, 32]>(BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))'
    found = function(f"{T} x", "y", f"{T} y = add(x = x, y = {weight});")
    assert names(list(found.buffers)) == ["x", "y"]


# Aliases


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("reshape", reshape("v", "a", "tensor<fp16, [64, 32]>")),
        ("squeeze", "tensor<fp16, [64, 32]> v = squeeze(axes = tensor<int32, [1]>([0]), x = a);"),
        ("expand_dims", "tensor<fp16, [1, 1, 64, 32]> v = expand_dims(axes = tensor<int32, [1]>([0]), x = a);"),
        ("identity", f"{T} v = identity(x = a);"),
    ],
)
def test_another_look_is_the_same_memory_and_lives_as_long_as_either(kind: str, row: str) -> None:
    found = function(f"{T} x", "y", relu("a", "x"), row, relu("b", "x"), f"{T} y = add(x = v, y = b);")
    # a, then a seen as v, kept until y; b beside it
    assert found.held == (3 * B, 3 * B, 4 * B, 4 * B), kind
    (a,) = (buffer for buffer in found.buffers if buffer.value.name == "a")
    assert (a.first, a.last) == (0, 3)
    assert found.of[found.nodes[1].outputs[0]] is a


def test_the_source_outlives_its_look() -> None:
    found = function(
        f"{T} x",
        "y",
        relu("a", "x"),
        f"{T} v = identity(x = a);",
        relu("b", "v"),
        add("c", "b", "x"),
        add("y", "c", "a"),
    )
    # x, y and a throughout; then b, b and c, c
    assert found.held == (3 * B, 3 * B, 4 * B, 5 * B, 4 * B)


def test_a_look_that_is_laid_out_larger_takes_the_larger() -> None:
    thin = "tensor<fp16, [1, 2048, 1]>"
    found = function(f"{T} x", "y", relu("a", "x"), reshape("v", "a", thin), f"{thin} y = relu(x = v);")
    # v and y: 2048 rows of 64 bytes for 2 bytes each, 32 B
    assert found.held == ((1 + 32 + 32) * B,) * 3
    assert found.packed == (3 * B,) * 3
    a = found.of[found.nodes[0].outputs[0]]
    assert (a.packed, a.laid_out, a.padding) == (B, 32 * B, 31 * B)


def test_a_look_at_an_input_is_the_input() -> None:
    found = function(f"{T} x", "y", f"{T} v = identity(x = x);", relu("y", "v"))
    assert found.held == (2 * B, 2 * B)
    assert found.of[found.nodes[0].outputs[0]].kind == "input"


def test_an_input_that_is_returned_stays_an_input() -> None:
    found = function(f"{T} x", "v", f"{T} v = identity(x = x);", relu("a", "v"))
    assert [(buffer.value.name, buffer.kind) for buffer in found.buffers] == [("x", "input"), ("a", "value")]
    assert found.crossing(1) == []


def test_a_look_tells_a_size_that_its_source_does_not() -> None:
    found = function(
        "tensor<fp16, [?]> x", "y", relu("a", "x", "tensor<fp16, [?]>"), reshape("v", "a", T), relu("y", "v")
    )
    a = found.of[found.nodes[0].outputs[0]]
    assert (a.packed, a.laid_out) == (B, B)


def test_a_look_that_is_returned_makes_its_source_an_output() -> None:
    found = function(
        f"{T} x", "y", relu("a", "x"), relu("b", "a"), add("c", "a", "b"), reshape("y", "c", "tensor<fp16, [64, 32]>")
    )
    c = found.of[found.nodes[2].outputs[0]]
    assert (c.kind, c.value.name, c.first, c.last) == ("output", "c", 0, 3)
    assert found.held == (3 * B, 4 * B, 4 * B, 2 * B)


def test_an_output_used_in_two_shapes_counts_once() -> None:
    found = function(f"{T} x", "a, v", relu("a", "x"), reshape("v", "a", "tensor<fp16, [64, 32]>"))
    assert found.held == (2 * B, 2 * B)


def test_a_state_is_not_changed_in_place_where_its_old_content_is_returned() -> None:
    place = "begin = tensor<int32, [3]>([0, 4, 0]), end = tensor<int32, [3]>([1, 5, 32])"
    found = function(
        f"state<{T}> s, tensor<fp16, [1, 1, 32]> u", "old",
        f"{T} old = read_state(input = s);", f"{T} new = slice_update({place}, update = u, x = old);",
        "write_state(data = new, input = s);",
    )  # fmt: skip
    assert found.held == (B + 64, 2 * B + 64, 2 * B + 64)


# Sizes


@pytest.mark.parametrize(("dtype", "size", "times"), [("fp16", 2, 32), ("int8", 1, 64)])
def test_a_singleton_last_axis_costs_a_whole_row(dtype: str, size: int, times: int) -> None:
    kind = f"tensor<{dtype}, [1, 256, 1, 1]>"
    found = function(f"{kind} x", "y", relu("y", "x", kind))
    assert found.packed == (2 * 256 * size,)
    assert found.held == (2 * 256 * 64,) == (times * found.packed[0],)
    assert all(buffer.padding == 256 * 64 - 256 * size for buffer in found.buffers)


def test_dtypes_by_their_bits() -> None:
    inputs = "tensor<uint4, [4, 128]> n, tensor<bool, [4, 64]> p, tensor<fp32, [4, 16]> f, tensor<int32, [4, 17]> i"
    found = function(inputs, "y", "tensor<fp16, [4, 32]> y = custom(a = n, b = p, c = f, d = i);")
    assert {buffer.value.name: (buffer.packed, buffer.laid_out) for buffer in found.buffers} == {
        "n": (4 * 64, 4 * 64),
        "p": (4 * 64, 4 * 64),
        "f": (4 * 64, 4 * 64),
        "i": (4 * 68, 4 * 128),
        "y": (4 * 64, 4 * 64),
    }


def test_unknown_dimensions_count_as_one() -> None:
    kind = "tensor<fp16, [?, 64, 32]>"
    assert function(f"{kind} x", "y", relu("y", "x", kind)).held == (2 * B,)


# Cuts


def test_what_crosses_each_cut() -> None:
    found = function(
        f"{T} x", "early, y",
        relu("a", "x"), reshape("v", "a", "tensor<fp16, [64, 32]>"), relu("early", "x"), add("b", "v", "early"),
        add("y", "b", "x"),
    )  # fmt: skip
    # a lives to b as v; early is used by b; inputs do not count, and nothing has been made before the first operation
    assert [names(found.crossing(cut)) for cut in range(5)] == [[], ["a"], ["a"], ["a", "early"], ["b"]]


def test_an_output_that_the_rest_does_not_use_does_not_cross() -> None:
    found = function(f"{T} x", "early, y", relu("early", "x"), relu("b", "x"), relu("y", "b"))
    assert [names(found.crossing(cut)) for cut in range(3)] == [[], [], ["b"]]
