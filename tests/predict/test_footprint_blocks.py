"""Working sets by hand where memory is not plain: states, branches, loops, and several devices."""

from __future__ import annotations

import pytest

from anecheck.artifact.load import load
from anecheck.mil.graph import Graph
from anecheck.mil.parser import parse
from anecheck.predict.assess import Assessment
from anecheck.predict.footprint import Footprint, copies, footprint
from tests.conftest import FIXTURES
from tests.predict.programs import ANE, CPU, LARGE, SMALL, devices, judged, large, model_of, named, program
from tests.predict.test_footprint import B, T, add, function, names, relu

STATE = f"state<{T}> s"
READ, WRITE = f"{T} old = read_state(input = s);", "write_state(data = new, input = s);"
ROW = "tensor<fp16, [1, 1, 32]>"
"""A row of the state: 64 bytes."""
UPDATE = f"{T} new = slice_update(begin = {{0}}, end = {{0}}, update = u, x = old);".format(
    "tensor<int32, [3]>([0, 0, 0])"
)


# States


def test_a_state_read_changed_in_place_and_written_back_allocates_nothing() -> None:
    again = f"{T} now = read_state(input = s);"
    found = function(f"{STATE}, {ROW} u", "y", READ, UPDATE, WRITE, again, relu("y", "now"))
    # the state, the row of 64 bytes and y, all the time
    assert found.held == (2 * B + 64,) * 5
    assert {buffer.value.name: buffer.kind for buffer in found.buffers} == {"s": "state", "u": "input", "y": "output"}
    assert found.of[found.nodes[1].outputs[0]].kind == "state"


@pytest.mark.parametrize(
    ("what", "rows"),
    [
        ("used after", (READ, UPDATE, WRITE, add("y", "old", "new"))),
        (
            "used after in another shape",
            (READ, f"{T} seen = identity(x = old);", UPDATE, WRITE, add("y", "seen", "new")),
        ),
    ],
)
def test_an_update_of_what_is_needed_after_allocates(what: str, rows: tuple[str, ...]) -> None:
    found = function(f"{STATE}, {ROW} u", "y", *rows)
    assert found.peak == 3 * B + 64, what
    assert names(found.live(len(rows) - 1)) == ["new", "s", "u", "y"]


def test_an_update_that_is_not_written_back_allocates() -> None:
    found = function(f"{STATE}, {ROW} u", "y", READ, UPDATE, relu("y", "new"))
    assert found.held == (2 * B + 64, 3 * B + 64, 3 * B + 64)


def test_an_update_that_is_written_to_another_state_allocates() -> None:
    found = function(
        f"{STATE}, state<{T}> other, {ROW} u",
        "y",
        READ,
        UPDATE,
        WRITE.replace("input = s", "input = other"),
        relu("y", "u", ROW),
    )
    assert found.held == (2 * B + 128, 3 * B + 128, 3 * B + 128, 2 * B + 128)


def test_a_state_replaced_as_a_whole_needs_the_new_value_beside_it() -> None:
    found = function(f"{STATE}, {T} x", "y", READ, add("new", "old", "x"), WRITE, relu("y", "x"))
    # s, x and y; new from its making until it is written
    assert found.held == (3 * B, 4 * B, 4 * B, 3 * B)


def test_a_state_is_live_before_and_after_its_use() -> None:
    found = function(f"{STATE}, {T} x", "y", relu("a", "x"), READ, add("b", "a", "old"), relu("c", "b"), relu("y", "c"))
    assert {(buffer.first, buffer.last) for buffer in found.buffers if buffer.kind == "state"} == {(0, 4)}
    assert found.standing == 3 * B
    assert [names(found.crossing(cut)) for cut in range(5)] == [[], ["a"], ["a"], ["b"], ["c"]]


def test_the_caches_of_a_language_model_are_changed_in_place() -> None:
    (assessment,) = judged(load(FIXTURES / "zoo" / "llama_stateful_static.mlpackage")).assessments
    found = assessment.footprint
    updates = [node for node in found.nodes if node.type == "slice_update"]
    assert updates
    assert {found.of[node.outputs[0]].kind for node in updates} == {"state"}


# Blocks


def test_what_a_branch_uses_lives_to_the_end_of_both() -> None:
    found = function(
        f"{T} x, tensor<bool, [64]> p", "y",
        relu("a", "x"),
        f"""{T} c = cond(pred = p) {{
            block() {{ {relu("t1", "a")} {relu("t2", "t1")} }} -> (t2);
            block() {{ {relu("f1", "x")} {relu("f2", "f1")} }} -> (f2);
        }};""",
        relu("y", "c"),
    )  # fmt: skip
    # x, y and p (64 bytes) all the time. a to the end of the last branch, although only the first uses it; what the branches
    # return lives there too, and c, which becomes one of them, begins there
    assert [node.name for node in found.nodes] == ["a", "c", "t1", "t2", "f1", "f2", "y"]
    extra = [["a"], ["a"], ["a", "t1"], ["a", "t1", "t2"], ["a", "f1", "t2"], ["a", "c", "f1", "f2", "t2"], ["c"]]
    assert [names([each for each in found.live(at) if each.kind == "value"]) for at in range(7)] == extra
    assert found.held == tuple((2 + len(each)) * B + 64 for each in extra)


def test_what_a_loop_captures_lives_to_its_end() -> None:
    found = function(
        f"{T} x", "y",
        relu("start", "x"), relu("captured", "x"),
        f"""{T} w = while_loop(loop_vars = (start)) {{
            block({T} v) {{ tensor<bool, [64]> go = custom(x = v); }} -> (go);
            block({T} v) {{ {add("v1", "v", "captured")} {relu("v2", "v1")} }} -> (v2);
        }};""",
        relu("y", "w"),
    )  # fmt: skip
    assert [node.name for node in found.nodes] == ["start", "captured", "w", "go", "v1", "v2", "y"]
    both = ["captured", "start"]
    extra = [["start"], both, both, [*both, "go"], [*both, "go", "v1"], [*both, "go", "v1", "v2", "w"], ["w"]]
    assert [names([each for each in found.live(at) if each.kind == "value"]) for at in range(7)] == [
        sorted(each) for each in extra
    ]
    size = {"go": 64}
    assert found.held == tuple(2 * B + sum(size.get(name, B) for name in each) for each in extra)
    start = found.of[found.nodes[0].outputs[0]]
    assert found.of[found.nodes[4].inputs["x"][0]] is start  # the loop's variable begins as it


def test_a_loop_variable_that_begins_as_a_constant_has_memory_of_its_own() -> None:
    weight = 'tensor<fp16, [1, 64, 32]>(BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))'
    found = function(
        f"{T} x", "y",
        f"""{T} w = while_loop(loop_vars = ({weight})) {{
            block({T} v) {{ tensor<bool, [64]> go = custom(x = v); }} -> (go);
            block({T} v) {{ {add("v1", "v", "x")} }} -> (v1);
        }};""",
        relu("y", "w"),
    )  # fmt: skip
    # x and y; v through the loop; go (64 bytes) from its making; v1 and w at the end
    assert found.held == (3 * B, 3 * B + 64, 5 * B + 64, 3 * B)


def test_a_look_that_a_branch_returns_lives_to_the_end() -> None:
    found = function(
        f"{T} x, tensor<bool, [64]> p", "y",
        f"""{T} c = cond(pred = p) {{
            block() {{ {relu("t", "x")} {T} seen = identity(x = t); }} -> (seen);
            block() {{ {relu("f", "x")} {relu("g", "f")} }} -> (g);
        }};""",
        relu("y", "c"),
    )  # fmt: skip
    t = found.of[found.nodes[1].outputs[0]]
    assert [node.name for node in found.nodes][t.first : t.last + 1] == ["t", "seen", "f", "g"]


def test_a_loop_in_a_branch_keeps_what_it_uses_to_its_own_end() -> None:
    found = function(
        f"{T} x, tensor<bool, [64]> p", "y",
        f"""{T} c = cond(pred = p) {{
            block() {{
                {relu("a", "x")}
                {T} w = while_loop(loop_vars = (x)) {{
                    block({T} v) {{ tensor<bool, [64]> go = custom(x = v); }} -> (go);
                    block({T} v) {{ {add("m", "v", "a")} {relu("n", "m")} }} -> (n);
                }};
                {relu("after", "w")}
            }} -> (after);
            block() {{ {relu("f", "x")} }} -> (f);
        }};""",
        relu("y", "c"),
    )  # fmt: skip
    order = [node.name for node in found.nodes]
    assert order == ["c", "a", "w", "go", "m", "n", "after", "f", "y"]
    span = {buffer.value.name: order[buffer.first : buffer.last + 1] for buffer in found.buffers}
    assert span["a"] == ["a", "w", "go", "m", "n"]
    assert span["w"] == ["n", "after"]
    assert span["after"] == ["after", "f"]


# Devices

CUMSUM = f"{LARGE} {{0}} = cumsum(axis = int32(1), exclusive = bool(false), reverse = bool(false), x = {{1}});"
PADDED, PACKED = 256 * 28 * 64, 256 * 28 * 28 * 2
"""Rows of 28 in fp16 are 56 bytes, laid out as 64."""


def assessed(text: str) -> Assessment:
    (assessment,) = judged(model_of(text)).assessments
    return assessment


def test_what_only_the_cpu_touches_is_packed_and_what_crosses_is_copied() -> None:
    rows = [
        large("a", "x"),
        large("b", "a"),
        CUMSUM.format("c", "b"),
        CUMSUM.format("d", "c"),
        large("e", "d"),
        large("y", "e"),
    ]
    assessment = assessed(program(rows, ["y"]))
    assert devices(assessment.placement) == [ANE, ANE, CPU, CPU, ANE, ANE]
    found = assessment.footprint
    assert {buffer.value.name: buffer.on_engine for buffer in found.buffers} == {
        "x": True, "a": True, "b": True, "c": False, "d": True, "e": True, "y": True,
    }  # fmt: skip
    # x and y padded throughout; a; a, b; b, c; c, d; d, e; e
    p, q = PADDED, PACKED
    assert found.held == (3 * p, 4 * p, 3 * p + q, 3 * p + q, 4 * p, 3 * p)
    assert found.packed == (3 * q, 4 * q, 4 * q, 4 * q, 4 * q, 3 * q)
    assert [(each.value.name, each.source, each.target, each.position, each.size) for each in assessment.copies] == [
        ("b", ANE, CPU, 2, PACKED),
        ("d", CPU, ANE, 4, PACKED),
    ]


def test_a_function_on_the_cpu_is_packed() -> None:
    assessment = assessed(
        program(
            [f"{SMALL} y = cumsum(axis = int32(1), exclusive = bool(false), reverse = bool(false), x = x);"],
            ["y"],
            SMALL,
        )
    )
    assert devices(assessment.placement) == [CPU]
    assert assessment.footprint.held == assessment.footprint.packed == (2 * 16 * 8 * 8 * 2,)
    assert assessment.copies == ()


def test_a_value_is_copied_once_to_each_device_however_often_it_is_used() -> None:
    rows = [
        large("a", "x"),
        CUMSUM.format("b", "a"), CUMSUM.format("c", "a"), f"{LARGE} d = add(x = b, y = c);",
        large("e", "d"), f"{LARGE} f = add(x = e, y = a);", f"{LARGE} g = mul(x = f, y = b);", large("y", "g"),
    ]  # fmt: skip
    assessment = assessed(program(rows, ["y"]))
    assert devices(assessment.placement) == [ANE, CPU, CPU, ANE, ANE, ANE, ANE, ANE]
    assert [(each.value.name, each.source, each.target, each.position) for each in assessment.copies] == [
        ("a", ANE, CPU, 1),
        ("b", CPU, ANE, 3),
        ("c", CPU, ANE, 3),
    ]
    assert {each.size for each in assessment.copies} == {PACKED}


def test_weights_that_are_expanded_are_not_copied() -> None:
    (assessment,) = judged(load(FIXTURES / "zoo" / "vit_b_16_int4_blocks.mlpackage")).assessments
    assert assessment.placement.switches > 0
    assert assessment.copies
    assert all(not each.value.is_constant for each in assessment.copies)


def test_inputs_need_no_copy() -> None:
    rows = [
        large("a", "x"),
        CUMSUM.format("b", "x"),
        f"{LARGE} c = add(x = a, y = b);",
        large("d", "c"),
        large("y", "d"),
    ]
    assessment = assessed(program(rows, ["y"]))
    assert devices(assessment.placement)[:3] == [ANE, CPU, ANE]
    assert [(each.value.name, each.target) for each in copies(assessment.graph, assessment.placement)] == [("b", ANE)]


def test_what_a_branch_on_the_cpu_uses_crosses_to_it_and_its_result_back() -> None:
    text = f"""
        func main<ios18>({LARGE} x) {{
            {large("a", "x")}
            tensor<fp16, []> mean = reduce_mean(axes = tensor<int32, [4]>([0, 1, 2, 3]), keep_dims = bool(false), x = a);
            tensor<bool, []> positive = greater(x = mean, y = fp16(0));
            {LARGE} b = cond(pred = positive) {{
                block() {{ {large("c", "a")} {LARGE} d = exp(x = c); }} -> (d);
                block() {{ {LARGE} e = relu(x = a); }} -> (e);
            }};
            {large("y", "b")}
        }} -> (y);
    """
    assessment = assessed(text)
    assert named(assessment.placement, "b").device is CPU
    crossed = {(each.value.name, each.target) for each in assessment.copies}
    assert {("a", CPU), ("b", ANE)} <= crossed
    assert not {name for name, _ in crossed} & {"c", "d", "e"}
    on_engine = {buffer.value.name for buffer in assessment.footprint.buffers if buffer.on_engine}
    assert {"x", "a", "b", "y"} <= on_engine
    assert not {"c", "d", "e"} & on_engine


def test_without_a_placement_all_is_the_engines() -> None:
    graph = Graph(parse(program([large("a", "x"), large("y", "a")], ["y"])).functions["main"])
    found: Footprint = footprint(graph, 64)
    assert found.held == (3 * PADDED, 3 * PADDED)
    assert found.packed == (3 * PACKED, 3 * PACKED)
