"""The graph of control flow and states: nested blocks, what they capture and return, and the order of accesses."""

from __future__ import annotations

from anecheck.mil.graph import Graph, Node
from anecheck.mil.parser import parse
from anecheck.mil.types import StateType, TensorType

LOOP = """
    func main<ios18>(tensor<fp16, [4]> x, bool flag, state<tensor<fp16, [4]>> s) {
        fp16 one = const()[val = fp16(0x1p+0)];
        tensor<fp16, [4]> y = relu(x = x);
        tensor<fp16, [4]> z = while_loop(loop_vars = x) {
            block(tensor<fp16, [4]> h) {
                bool more = less(x = h, y = one);
            } -> (more);
            block(tensor<fp16, [4]> h) {
                fp16 two = const()[val = fp16(0x1p+1)];
                tensor<fp16, [4]> y2 = add(x = y, y = x);
                tensor<fp16, [4]> inner = cond(pred = flag) {
                    block() {
                        tensor<fp16, [4]> x = mul(x = h, y = two);
                        tensor<fp16, [4]> deep = sub(x = x, y = y);
                    } -> (deep);
                    block() {
                    } -> (y2);
                };
            } -> (inner);
        };
        tensor<fp16, [4]> last = mul(x = x, y = z);
    } -> (last);
"""

STATES = """
    func main<ios18>(state<tensor<fp16, [4]>> s, state<tensor<fp16, [4]>> t, bool flag) {
        tensor<fp16, [4]> a = read_state(input = s);
        tensor<fp16, [4]> b = read_state(input = t);
        write_state(input = s, data = b);
        tensor<fp16, [4]> c = cond(pred = flag) {
            block() {
                tensor<fp16, [4]> d = read_state(input = s);
            } -> (d);
            block() { } -> (a);
        };
        write_state(input = s, data = c)[name = string("second write")];
    } -> (c);
"""


def graph_of(source: str) -> Graph:
    return Graph(parse(source).functions["main"])


def node(graph: Graph, name: str) -> Node:
    """The first operation of a name."""
    return next(found for found in graph.nodes if found.name == name)


def edges(graph: Graph, kind: str) -> list[tuple[str, str, str]]:
    """The edges of a kind: from, to, and the value or state."""
    return [
        (source.name, target.name, data["operand"].name)
        for source, target, data in graph.networkx.edges(data=True)
        if data["kind"] == kind
    ]


def test_operations_without_outputs_go_by_their_name_attribute_or_their_type() -> None:
    graph = graph_of(STATES)
    assert [found.name for found in graph.nodes] == ["a", "b", "write_state", "c", "d", "second write"]


def test_nested_operations_have_the_outermost_index_and_the_path_of_their_block() -> None:
    graph = graph_of(LOOP)
    assert [(found.name, found.index, found.block) for found in graph.nodes] == [
        ("y", 0, ()),
        ("z", 1, ()),
        ("more", 1, ((1, 0),)),
        ("y2", 1, ((1, 1),)),
        ("inner", 1, ((1, 1),)),
        ("x", 1, ((1, 1), (1, 0))),
        ("deep", 1, ((1, 1), (1, 0))),
        ("last", 2, ()),
    ]


def test_blocks_capture_what_they_use_or_return_from_outside() -> None:
    graph = graph_of(LOOP)
    captures = {found.name: [operand.name for operand in found.captures] for found in graph.nodes if found.captures}
    assert captures == {"z": ["y", "x", "flag"], "inner": ["h", "y", "y2"]}
    assert list(node(graph, "z").captures)[:2] == [node(graph, "y").outputs[0], graph.inputs[0]]


def test_names_of_an_inner_block_hide_those_outside() -> None:
    graph = graph_of(LOOP)
    hiding, deep, last = node(graph, "x"), node(graph, "deep"), node(graph, "last")
    assert deep.operand("x") is hiding.outputs[0]
    assert hiding.operand("x") is not graph.inputs[0]
    assert last.operand("x") is graph.inputs[0]
    assert deep.operand("y") is node(graph, "y").outputs[0]


def test_the_blocks_of_one_operation_have_inputs_of_their_own() -> None:
    graph = graph_of(LOOP)
    condition, body = node(graph, "more").operand("x"), node(graph, "x").operand("x")
    assert condition is not None
    assert body is not None
    assert (condition.name, body.name) == ("h", "h")
    assert condition is not body
    assert (condition.producer, condition.value) == (None, None)


def test_a_value_that_a_block_returns_has_no_only_user() -> None:
    graph = graph_of(LOOP)
    assert graph.only_user(node(graph, "x").outputs[0]) is node(graph, "deep")
    returned = graph_of("""
        func main<ios18>(bool flag, fp16 x) {
            fp16 y = relu(x = x);
            fp16 z = cond(pred = flag) { block() { fp16 n = exp(x = y); } -> (n); block() { } -> (y); };
        } -> (z);
    """)
    y = node(returned, "y").outputs[0]
    assert [user.name for user, _ in returned.consumers(y)] == ["n"]
    assert returned.only_user(y) is None


def test_the_networkx_graph_has_an_edge_for_each_use_capture_and_result() -> None:
    graph = graph_of(LOOP)
    assert graph.networkx.name == "main"
    assert graph.networkx.nodes[node(graph, "deep")] == {"index": 1, "type": "sub"}
    assert list(graph.networkx) == graph.nodes
    assert edges(graph, "data") == [("y", "y2", "y"), ("y", "deep", "y"), ("z", "last", "z"), ("x", "deep", "x")]
    assert edges(graph, "capture") == [("y", "z", "y"), ("y", "inner", "y"), ("y2", "inner", "y2")]
    assert edges(graph, "result") == [
        ("more", "z", "more"),
        ("y2", "inner", "y2"),
        ("inner", "z", "inner"),
        ("deep", "inner", "deep"),
    ]
    parameters = [data.get("parameter") for *_, data in graph.networkx.edges(data=True) if data["kind"] == "data"]
    assert parameters == ["x", "y", "y", "x"]


def test_accesses_to_a_state_are_ordered_into_nested_blocks_too() -> None:
    graph = graph_of(STATES)
    assert edges(graph, "state") == [
        ("a", "write_state", "s"),
        ("write_state", "d", "s"),
        ("d", "second write", "s"),
    ]
    assert graph.inputs[0].tensor == TensorType("fp16", (4,))
    assert graph.inputs[0].type == StateType(TensorType("fp16", (4,)))
