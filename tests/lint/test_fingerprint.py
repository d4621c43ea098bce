"""Fingerprints stay when operations are renamed or renumbered, and differ when the graph does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from anecheck.artifact.load import load
from anecheck.lint.asked.options import Options
from anecheck.lint.asked.settings import resolve
from anecheck.lint.asked.wanted import Wanted
from anecheck.lint.diagnostics import UNKNOWN_OPERATION, diagnose
from anecheck.lint.examine import lint_model
from anecheck.lint.fingerprint import fingerprint, subject
from anecheck.lint.registry import load_registry
from anecheck.mil.graph import Graph
from anecheck.mil.parser import parse
from tests.conftest import FIXTURES
from tests.lint.exports import re_exported


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


def test_a_finding_without_an_operation_is_known_by_what_it_is_about() -> None:
    assert fingerprint("ANE801", "", None, None, "a") != fingerprint("ANE801", "", None, None, "b")


def test_what_a_finding_is_about_is_no_name_and_no_number() -> None:
    graph = Graph(parse(ORIGINAL).functions["main"])
    renamed = Graph(parse(ORIGINAL.replace("> x", "> image").replace("= x)", "= image)")).functions["main"])
    about = subject({"input": "x", "bytes": 16, "largest": [{"value": "a"}], "operations": ["a", "b"]}, graph)
    assert about == subject({"input": "image", "bytes": 32, "largest": []}, renamed)
    assert about != subject({"input": "other"}, graph)
    assert about != subject({"input": "x"}, graph, "A17 Pro")
    wider = Graph(parse(ORIGINAL.replace("8]", "9]")).functions["main"])
    assert about != subject({"input": "x"}, wider)


SETTINGS = resolve(Options(("a17pro", "m1/macos13"), budgets=Wanted(fps=1000, memory_limit=1e6)), load_registry())


@pytest.mark.parametrize("path", sorted((FIXTURES / "zoo").glob("*.mlpackage")), ids=lambda path: path.stem)
def test_the_findings_of_a_real_model_survive_another_export(path: Path) -> None:
    model = load(path)
    old, new = (lint_model(each, SETTINGS).findings for each in (model, re_exported(model)))
    assert old
    assert Counter(finding.fingerprint for finding in new) == Counter(finding.fingerprint for finding in old)
    assert {finding.operation for finding in new}.isdisjoint({each.operation for each in old if each.operation})


@pytest.mark.parametrize(
    "name", ["unused_input", "output_is_input", "range_dim", "enumerated_images", "state_width_270"]
)
def test_so_do_those_that_name_an_input(name: str) -> None:
    model = load(FIXTURES / "flagged" / f"{name}.mlpackage")
    old, new = (lint_model(each, SETTINGS).findings for each in (model, re_exported(model)))
    assert {finding.message for finding in old} != {finding.message for finding in new}
    assert sorted(finding.fingerprint for finding in new) == sorted(finding.fingerprint for finding in old)


def test_a_diagnostic_is_known_by_what_it_names_and_not_by_how_often() -> None:
    old = diagnose(UNKNOWN_OPERATION, "used once", operation_type="frobnicate", count=1)
    assert (
        old.fingerprint == diagnose(UNKNOWN_OPERATION, "used twice", operation_type="frobnicate", count=2).fingerprint
    )
    assert old.fingerprint != diagnose(UNKNOWN_OPERATION, "used once", operation_type="twiddle", count=1).fingerprint
