"""What holds of every working set: a slow second opinion agrees, sums bound the peak, names do not matter."""

from __future__ import annotations

from functools import cache
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anecheck.artifact.load import load
from anecheck.knowledge.evidence import Device
from anecheck.mil.graph import Graph
from anecheck.mil.model import Kind, Model
from anecheck.mil.parser import parse
from anecheck.predict.assess import Assessment
from anecheck.predict.footprint import Footprint, footprint
from fixtures.placements.build import GraphBuilder, read_facts
from tests.conftest import FIXTURES
from tests.predict.liveness import liveness
from tests.predict.programs import judged
from tests.predict.test_properties import renamed

FOLDERS = ("zoo", "ok", "flagged", "placements")


@cache
def models(folder: str) -> list[Model]:
    """Every model of a folder of fixtures; the measured graphs are built from their facts."""
    if folder != "placements":
        return [
            load(path) for path in sorted((FIXTURES / folder).iterdir()) if path.suffix in {".mlpackage", ".mlmodelc"}
        ]
    header, graphs = read_facts()
    programs = [(graph["name"], GraphBuilder(graph, header["parameters"]).program()) for graph in graphs]
    return [Model(name, Kind.ML_PROGRAM, "mlProgram", 9, {}, program) for name, program in programs]


@cache
def assessments(folder: str) -> list[Assessment]:
    return [assessment for model in models(folder) for assessment in judged(model).assessments]


def agrees(assessment: Assessment) -> None:
    found, other = assessment.footprint, liveness(assessment.graph, assessment.placement)
    assert found.held == other.held
    assert found.packed == other.packed
    assert {buffer.value for buffer in found.buffers} == other.memory
    for cut, crossing in enumerate(other.crossing):
        assert {buffer.value for buffer in found.crossing(cut)} == crossing


def bounded(found: Footprint) -> None:
    """The peak lies between what one operation needs and all that there is."""
    assert found.peak <= sum(buffer.held for buffer in found.buffers)
    assert found.peak_packed <= sum(buffer.packed for buffer in found.buffers)
    assert found.peak >= found.standing
    for position, node in enumerate(found.nodes):
        own = {found.of[operand] for _, operand in node.operands() if operand in found.of}
        own |= {
            found.of[output] for output in node.outputs if not node.operation.blocks
        }  # those begin with the last block
        assert own <= {buffer for buffer in found.buffers if buffer.first <= position <= buffer.last}
        assert found.peak >= found.held[position] >= sum(buffer.held for buffer in own)
        assert found.held[position] == sum(buffer.held for buffer in found.live(position))
        assert found.packed[position] <= found.held[position]
    for buffer in found.buffers:
        assert 0 <= buffer.packed <= buffer.laid_out
        assert 0 <= buffer.first <= buffer.last <= max(len(found.nodes) - 1, 0)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_slow_second_opinion_agrees(folder: str) -> None:
    compared = 0
    for assessment in assessments(folder):
        if not assessment.graph.results and "make_list" not in assessment.graph.by_type:
            agrees(assessment)
            compared += 1
    assert compared >= {"placements": 356, "zoo": 30, "ok": 59, "flagged": 121}[folder]


def test_the_second_opinion_is_asked_about_more_than_one_device() -> None:
    mixed = [each for folder in FOLDERS for each in assessments(folder) if each.placement.switches]
    assert len(mixed) >= 10
    assert any(buffer.held == buffer.packed < buffer.laid_out for each in mixed for buffer in each.footprint.buffers)


@pytest.mark.parametrize("folder", FOLDERS)
def test_peaks_are_bounded(folder: str) -> None:
    for assessment in assessments(folder):
        bounded(assessment.footprint)


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_crosses_between_devices_was_made_on_one_and_is_used_on_the_other(folder: str) -> None:
    for assessment in assessments(folder):
        device = {each.node.index: each.device for each in assessment.placement.operations}
        found = assessment.copies
        assert len({(each.value, each.target) for each in found}) == len(found)
        for each in found:
            node = assessment.graph.running[each.position]
            assert each.value.producer is not None
            assert (device[each.value.producer.index], device[node.index]) == (each.source, each.target)
            assert each.source is not each.target
        if assessment.placement.switches == 0:
            assert found == ()


@pytest.mark.parametrize("folder", FOLDERS)
def test_names_do_not_matter(folder: str) -> None:
    for model in islice(models(folder), 0, None, 3):
        before, after = judged(model).assessments, judged(renamed(model)).assessments
        for one, other in zip(before, after, strict=True):
            assert one.footprint.held == other.footprint.held
            assert one.footprint.packed == other.footprint.packed
            assert one.footprint.peak_position == other.footprint.peak_position
            assert one.weight_bytes == other.weight_bytes
            assert [(each.position, each.size) for each in one.copies] == [
                (each.position, each.size) for each in other.copies
            ]


# Any program

SHAPES = ("[1, 64, 1, 1]", "[1, 4, 4, 4]", "[64, 1]", "[2, 32]", "[64]")
"""64 elements, laid out in 64, 16, 64, 2 and 2 rows."""


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A program of operations in any order on any values: relus, sums and looks, each on what there is by then."""
    shapes = {"x": draw(st.sampled_from(SHAPES)), "z": draw(st.sampled_from(SHAPES))}
    inputs = ", ".join(f"tensor<fp16, {shape}> {name}" for name, shape in shapes.items())
    rows = []
    for number in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(("relu", "add", "reshape", "identity")))
        one, two = (draw(st.sampled_from(list(shapes))) for _ in range(2))
        shape = draw(st.sampled_from(SHAPES)) if kind in {"reshape", "add"} else shapes[one]
        arguments = f"x = {one}, y = {two}" if kind == "add" else f"x = {one}"
        rows.append(f"tensor<fp16, {shape}> v{number} = {kind}({arguments});")
        shapes[f"v{number}"] = shape
    outputs = draw(st.lists(st.sampled_from(list(shapes)), min_size=1, max_size=3, unique=True))
    return f"func main<ios18>({inputs}) {{ {' '.join(rows)} }} -> ({', '.join(outputs)});"


def unplaced(text: str) -> tuple[Graph, Footprint]:
    graph = Graph(parse(text).functions["main"])
    return graph, footprint(graph, 64)


@settings(max_examples=150, deadline=None)
@given(programs())
def test_any_program_agrees_and_is_bounded(text: str) -> None:
    graph, found = unplaced(text)
    bounded(found)
    other = liveness(graph, None)
    assert found.packed == other.packed
    assert found.peak_packed <= found.peak
    for cut, crossing in enumerate(other.crossing):
        assert {buffer.value for buffer in found.crossing(cut)} == crossing


@settings(max_examples=100, deadline=None)
@given(programs(), st.integers(1, 3))
def test_alignment_only_adds(text: str, power: int) -> None:
    graph, found = unplaced(text)
    unpadded, finer = footprint(graph, 1), footprint(graph, 64 >> power)
    assert unpadded.held == unpadded.packed == found.packed
    assert all(low <= middle <= high for low, middle, high in zip(unpadded.held, finer.held, found.held, strict=True))


def test_every_device_is_seen() -> None:
    seen = {each.device for assessment in assessments("placements") for each in assessment.placement.operations}
    assert seen == {Device.ANE, Device.CPU}
