"""Operations of two exports are matched by what they do and where they stand, whatever they are called."""

from __future__ import annotations

import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anecheck.artifact.load import load
from anecheck.lint.comparison.matching import Matching, match
from anecheck.lint.engine import functions_of
from anecheck.mil.graph import Graph
from anecheck.mil.parser import parse
from anecheck.mil.program import Function
from tests.conftest import FIXTURES
from tests.lint.exports import Renaming, edited, re_exported, reordered

ZOO = sorted((FIXTURES / "zoo").glob("*.mlpackage"))
SHAPE = "tensor<fp16, [1, 8]>"
KINDS = ("relu", "exp", "tanh", "sigmoid", "abs", "square")
LAYER = ("relu", "exp", "tanh", "abs")


def function(rows: list[str], *outputs: str) -> Function:
    text = f"func main<ios17>({SHAPE} x) {{\n" + "\n".join(rows) + f"\n}} -> ({', '.join(outputs)});"
    return parse(text).functions["main"]


def row(kind: str, result: str, x: str, shape: str = SHAPE) -> str:
    return f"{shape} {result} = {kind}(x = {x});"


def chain(kinds: list[str]) -> Function:
    """A row of operations `v0`, `v1` …, each on the result of the last."""
    names = ["x", *(f"v{number}" for number in range(len(kinds)))]
    return function([row(kind, names[n + 1], names[n]) for n, kind in enumerate(kinds)], names[-1])


def matched(old: Function, new: Function) -> Matching:
    return match(Graph(old), Graph(new))


def named(matching: Matching) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    return (
        [(old.name, new.name) for old, new in matching.pairs],
        [node.name for node in matching.removed],
        [node.name for node in matching.added],
    )


@st.composite
def programs(draw: st.DrawFn) -> Function:
    """A program of up to thirty operations with one operand or two, any of which may be returned."""
    values, rows = ["x"], []
    for number in range(draw(st.integers(1, 30))):
        result = f"v{number}"
        if draw(st.booleans()):
            rows.append(row(draw(st.sampled_from(KINDS)), result, draw(st.sampled_from(values))))
        else:
            x, y = draw(st.sampled_from(values)), draw(st.sampled_from(values))
            rows.append(f"{SHAPE} {result} = {draw(st.sampled_from(('add', 'mul')))}(x = {x}, y = {y});")
        values.append(result)
    return function(rows, values[-1], *draw(st.lists(st.sampled_from(values[1:]), max_size=2, unique=True)))


@settings(max_examples=150, deadline=None)
@given(programs(), st.integers(0, 1000))
def test_another_order_and_other_names_are_the_same_program(old: Function, seed: int) -> None:
    new = Renaming().function(reordered(old, seed))
    matching = matched(old, new)
    assert (matching.removed, matching.added) == ([], [])
    assert all(before.type == after.type for before, after in matching.pairs)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=40), st.data())
def test_of_an_inserted_operation_only_it_is_added(kinds: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(kinds)))
    matching = matched(chain(kinds), chain([*kinds[:place], "erf", *kinds[place:]]))
    pairs, removed, added = named(matching)
    assert (removed, added) == ([], [f"v{place}"])
    assert pairs == [(f"v{n}", f"v{n + (n >= place)}") for n in range(len(kinds))]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=40), st.data())
def test_a_replaced_operation_is_one_removed_and_one_added(kinds: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(kinds) - 1))
    _, removed, added = named(matched(chain(kinds), chain([*kinds[:place], "erf", *kinds[place + 1 :]])))
    assert removed == added == [f"v{place}"]


@settings(max_examples=100, deadline=None)
@given(programs(), programs())
def test_whatever_is_compared_nothing_is_matched_twice_or_lost(old: Function, new: Function) -> None:
    matching = matched(old, new)
    before = [pair[0] for pair in matching.pairs] + matching.removed
    after = [pair[1] for pair in matching.pairs] + matching.added
    assert len(set(before)) == len(before) == len(Graph(old).nodes)
    assert len(set(after)) == len(after) == len(Graph(new).nodes)
    assert all(one.type == other.type for one, other in matching.pairs)


def test_repeated_layers_stay_aligned_around_two_changes() -> None:
    """Neither what comes before nor what comes behind tells the layers between two changes apart; their order does."""
    layers = list(LAYER) * 12
    new = chain([*layers[:13], "erf", *layers[13:34], "erf", *layers[34:]])
    pairs, removed, added = named(matched(chain(layers), new))
    assert (removed, added) == ([], ["v13", "v35"])
    assert pairs == [(f"v{n}", f"v{n + (n >= 13) + (n >= 34)}") for n in range(len(layers))]


def test_a_layer_less_is_one_layer_removed() -> None:
    _, removed, added = named(matched(chain([*LAYER * 6, "erf"]), chain([*LAYER * 5, "erf"])))
    assert (len(removed), added) == (len(LAYER), [])


def test_an_operation_of_another_shape_is_the_same_operation() -> None:
    old = function([row("relu", "a", "x"), row("exp", "b", "a"), row("tanh", "y", "b")], "y")
    shape = "tensor<fp16, [1, 9]>"
    new = function([row("relu", "a", "x"), row("exp", "b", "a", shape), row("tanh", "y", "b", shape)], "y")
    assert named(matched(old, new)) == ([("a", "a"), ("b", "b"), ("y", "y")], [], [])


def test_changes_at_both_ends_leave_the_middle() -> None:
    middle = list(LAYER) * 3
    _, removed, added = named(matched(chain(["erf", *middle, "erf"]), chain(["sign", *middle, "sign"])))
    assert removed == added == ["v0", "v13"]


def test_what_expands_compressed_weights_is_no_operation() -> None:
    old, new = (functions_of(load(FIXTURES / "zoo" / f"{name}.mlpackage"))[0].graph for name in COMPRESSED)
    matching = match(old, new)
    assert (len(matching.pairs), matching.removed, matching.added) == (122, [], [])
    assert any(node.is_constexpr for node in new.nodes)


COMPRESSED = ("resnet50", "resnet50_palettized4")


def test_attention_fused_by_a_newer_exporter() -> None:
    """Twelve attentions in their parts, against the same as one operation each; all else is the same."""
    old, new = (functions_of(load(FIXTURES / "zoo" / f"{name}.mlpackage"))[0].graph for name in FUSED)
    matching = match(old, new)
    assert Counter(node.type for node in matching.removed) == {"mul": 12, "matmul": 24, "softmax": 12}
    assert Counter(node.type for node in matching.added) == {"scaled_dot_product_attention": 12}


FUSED = ("vit_b_16", "vit_b_16_ios18")


@pytest.mark.parametrize("path", ZOO, ids=lambda path: path.stem)
def test_every_operation_of_a_renamed_model_is_found(path: Path) -> None:
    model = load(path)
    for old, new in zip(functions_of(model), functions_of(re_exported(model)), strict=True):
        matching = match(old.graph, new.graph)
        assert (matching.removed, matching.added) == ([], [])
        assert matching.pairs == list(zip(old.graph.running, new.graph.running, strict=True))


EDITED = ("bert_base", "detector_nms", "mobilenet_v3_large", "swin_t", "vit_b_16")


def pairs_after(edits: int, *, shuffled: bool) -> tuple[int, int, int]:
    """Of how many operations that real models keep through some edits how many are paired, and with themselves."""
    kept = found = right = 0
    for name in EDITED:
        program = load(FIXTURES / "zoo" / f"{name}.mlpackage").program
        assert program is not None
        old = program.functions["main"]
        for seed in range(3):
            new, replaced = edited(old, seed, edits)
            matching = matched(old, reordered(new, seed) if shuffled else new)
            kept += len(Graph(old).running) - len(replaced)
            found += len(matching.pairs)
            right += sum(one.name == other.name for one, other in matching.pairs)
    return kept, found, right


@pytest.mark.parametrize("edits", [1, 3, 10, 40])
def test_edits_of_real_models_are_all_that_is_not_paired(edits: int) -> None:
    """Which of two operations that nothing but their names tells apart is which, nobody can say: that is the little rest."""
    kept, found, right = pairs_after(edits, shuffled=False)
    assert found == kept
    assert right >= 0.9975 * kept


def test_nearly_so_where_the_order_is_another_as_well() -> None:
    """The order is all that tells equal layers apart between two changes; with several, the pairs that are sure lead on."""
    kept, found, right = pairs_after(3, shuffled=True)
    assert found >= 0.99 * kept
    assert right >= 0.95 * kept


@cache
def variants(layers: int) -> tuple[Graph, Graph]:
    """Many layers, and the same with every ninth operation replaced and every twentieth twice."""
    kinds = list(LAYER) * layers
    other: list[str] = []
    for number, kind in enumerate(kinds):
        other += ["erf"] if number % 9 == 0 else [kind] * (2 if number % 20 == 0 else 1)
    return Graph(chain(kinds)), Graph(chain(other))


def steps(layers: int) -> int:
    """Every line of `anecheck.lint` that matching runs."""
    old, new = variants(layers)
    lines = 0

    def watch(frame: Any, event: str, _argument: object) -> Any:  # noqa: ANN401  # as sys.settrace calls it
        nonlocal lines
        if "anecheck/lint" not in frame.f_code.co_filename:
            return None
        lines += event == "line"
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        match(old, new)
    finally:
        sys.settrace(before)
    return lines


def test_work_grows_with_the_length_and_not_with_its_square() -> None:
    short, long = steps(150), steps(600)
    assert long <= 4.8 * short
