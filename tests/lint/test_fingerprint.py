"""Fingerprints stay when operations are renamed or renumbered, and differ when the graph does."""

from __future__ import annotations

from anecheck.lint.fingerprint import fingerprint
from anecheck.mil.graph import Graph
from anecheck.mil.parser import parse


def prints(text: str) -> list[str]:
    graph = Graph(parse(text).functions["main"])
    return [fingerprint("ANE104", "main", graph, node, "") for node in graph.nodes]


ORIGINAL = """
    func main<ios17>(tensor<fp16, [1, 8]> x) {
        tensor<fp16, [1, 8]> a = exp(x = x);
        tensor<fp16, [1, 8]> b = relu(x = a);
        tensor<fp16, [1, 8]> y = log(x = b);
    } -> (y);
"""


def test_renaming_changes_nothing() -> None:
    renamed = ORIGINAL.replace(" a ", " op_17 ").replace("= a)", "= op_17)").replace("(x = b", "(x = c")
    renamed = renamed.replace("> b =", "> c =")
    assert "op_17" in renamed
    assert prints(renamed) == prints(ORIGINAL)


def test_renumbering_changes_nothing() -> None:
    longer = """
        func main<ios17>(tensor<fp16, [1, 8]> x, tensor<fp16, [2, 2]> z) {
            tensor<fp16, [2, 2]> w = sqrt(x = z);
            tensor<fp16, [1, 8]> a = exp(x = x);
            tensor<fp16, [1, 8]> b = relu(x = a);
            tensor<fp16, [1, 8]> y = log(x = b);
        } -> (y, w);
    """
    assert prints(longer)[1:] == prints(ORIGINAL)


def test_another_shape_neighbour_rule_or_function_gives_another_fingerprint() -> None:
    graph = Graph(parse(ORIGINAL).functions["main"])
    middle = graph.nodes[1]
    own = fingerprint("ANE104", "main", graph, middle, "")
    assert prints(ORIGINAL.replace("8]", "9]"))[1] != own
    assert prints(ORIGINAL.replace("exp", "sin"))[1] != own
    assert fingerprint("ANE105", "main", graph, middle, "") != own
    assert fingerprint("ANE104", "other", graph, middle, "") != own


def test_a_finding_without_an_operation_is_known_by_its_message() -> None:
    assert fingerprint("ANE801", "", None, None, "a") != fingerprint("ANE801", "", None, None, "b")
