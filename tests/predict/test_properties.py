"""What holds of every plan: brute force agrees, mending never hurts, names do not matter, sums add up."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anecheck.artifact.load import load
from anecheck.knowledge.evidence import Device
from anecheck.knowledge.target import ComputeUnits
from anecheck.lint.engine import functions_of
from anecheck.mil.graph import Graph
from anecheck.mil.model import Feature, Interface, Model
from anecheck.mil.parser import parse
from anecheck.mil.program import Argument, Block, Function, Operation, Program, Variable
from anecheck.mil.types import TensorType
from anecheck.predict.cost import Estimate
from anecheck.predict.placement import NEVER, TOLERANCE_US, Placement, Problem, solve
from anecheck.predict.support import Support
from tests.conftest import FIXTURES
from tests.predict.programs import ANE, CPU, GPU, KNOWLEDGE, chain, cheapest, devices, judged, path_cost

MODELS = [path for folder in ("ok", "zoo") for path in sorted((FIXTURES / folder).iterdir()) if ".ml" in path.name]
NODES = tuple(Graph(parse(chain(["relu"] * 7)).functions["main"]).nodes)
TIMES = st.one_of(
    st.sampled_from((0.0, 1.0, 62.5, 115.0, 125.0, 230.0, 250.0, 375.0, 480.0)), st.floats(0.0, 1000.0, width=32)
)


@st.composite
def problems(draw: st.DrawFn, allowed: tuple[Device, ...]) -> Problem:
    """A problem of up to seven operations, whose times and supports are anything."""
    count = draw(st.integers(1, len(NODES)))
    estimates, supports, times = [], [], []
    for _ in range(count):
        us = {ANE: draw(TIMES), GPU: draw(TIMES), CPU: draw(TIMES)}
        lost = draw(st.sets(st.sampled_from((ANE, GPU))))
        estimates.append(Estimate(us[ANE], us[CPU], us[GPU], "any"))
        supports.append(Support(frozenset(Device) - lost, dict.fromkeys(lost, ("XYZ",))))
        times.append(tuple(NEVER if device in lost else us[device] for device in allowed))
    outputs = tuple(draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)))
    return Problem(NODES[:count], allowed, tuple(times), outputs, tuple(estimates), tuple(supports), KNOWLEDGE.costs)


def agrees(problem: Problem) -> None:
    plan = solve(problem)
    least, optimal = cheapest(problem)
    assert plan.total_us == pytest.approx(least, abs=1e-6)
    assert path_cost(problem, devices(plan)) == pytest.approx(least, abs=1e-5)
    for operation, best in zip(plan.operations, optimal, strict=True):
        assert set(operation.tie or (operation.device,)) == best
        assert operation.tie == () or len(operation.tie) > 1
        assert operation.device in best
        assert list(operation.tie) == [device for device in problem.devices if device in operation.tie]


@settings(max_examples=200, deadline=None)
@given(problems((ANE, CPU)))
def test_no_plan_of_two_devices_is_cheaper(problem: Problem) -> None:
    agrees(problem)


@settings(max_examples=60, deadline=None)
@given(problems((ANE, GPU, CPU)))
def test_no_plan_of_three_devices_is_cheaper(problem: Problem) -> None:
    agrees(problem)


@settings(max_examples=60, deadline=None)
@given(problems((GPU, CPU)))
def test_no_plan_without_the_engine_is_cheaper(problem: Problem) -> None:
    agrees(problem)


@settings(max_examples=100, deadline=None)
@given(problems((ANE, GPU, CPU)), st.data())
def test_mending_never_costs(problem: Problem, data: st.DataObject) -> None:
    count = len(problem.nodes)
    some = frozenset(data.draw(st.sets(st.integers(0, count - 1))))
    more = some | frozenset(data.draw(st.sets(st.integers(0, count - 1))))
    totals = [solve(each).total_us for each in (problem, problem.allowing(some), problem.allowing(more))]
    assert totals[0] >= totals[1] - 1e-6
    assert totals[1] >= totals[2] - 1e-6
    assert solve(problem.allowing(frozenset())).total_us == totals[0]


@settings(max_examples=100, deadline=None)
@given(problems((ANE, GPU, CPU)))
def test_sums_add_up(problem: Problem) -> None:
    consistent(solve(problem))


def consistent(placement: Placement) -> None:
    """Counts, switches, segments and the total follow from the devices chosen."""
    chosen = devices(placement)
    assert placement.switches == max(len(placement.segments) - 1, 0)
    assert placement.switches == sum(left is not right for left, right in pairwise(chosen))
    assert sum(placement.count(device) for device in Device) == len(chosen)
    assert [segment.device for segment in placement.segments for _ in range(segment.count)] == chosen
    for segment in placement.segments:
        own = placement.operations[segment.first : segment.last + 1]
        times = [{ANE: each.estimate.ane, GPU: each.estimate.gpu, CPU: each.estimate.cpu} for each in own]
        assert segment.us == pytest.approx(sum(time[segment.device] for time in times))
    assert placement.total_us == pytest.approx(
        path_cost(placement.problem, chosen), rel=1e-9, abs=len(chosen) * TOLERANCE_US
    )
    for operation in placement.operations:
        assert operation.device in operation.support.devices


@pytest.fixture(scope="module", params=MODELS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def model(request: pytest.FixtureRequest) -> Model:
    path: Path = request.param
    return load(path)


def test_plans_of_real_models_add_up(model: Model) -> None:
    for units in ComputeUnits:
        for placement in judged(model, units=units).placements:
            consistent(placement)


def plans(model: Model) -> list[tuple[list[tuple[Device, tuple[Device, ...]]], float]]:
    return [
        ([(operation.device, operation.tie) for operation in placement.operations], placement.total_us)
        for placement in judged(model).placements
    ]


def other(name: str) -> str:
    return f"{name[::-1]}_other"


def argument(value: Argument) -> Argument:
    return other(value) if isinstance(value, str) else value


def renamed_block(block: Block) -> Block:
    return Block(
        tuple(Variable(other(each.name), each.type) for each in block.inputs),
        tuple(
            Operation(
                operation.type,
                {key: tuple(map(argument, bound)) for key, bound in operation.inputs.items()},
                tuple(Variable(other(each.name), each.type) for each in operation.outputs),
                tuple(map(renamed_block, operation.blocks)),
                operation.attributes,
            )
            for operation in block.operations
        ),
        tuple(map(other, block.outputs)),
    )


def _renamed_features(features: tuple[Feature, ...]) -> tuple[Feature, ...]:
    return tuple(each._replace(name=other(each.name)) for each in features)


def renamed(model: Model) -> Model:
    """The same model with other names for all values, the interface's too."""
    program = model.program
    if program is not None:
        functions = {
            name: replace(
                function,
                inputs=tuple(Variable(other(each.name), each.type) for each in function.inputs),
                block=renamed_block(function.block),
            )
            for name, function in program.functions.items()
        }
        program = replace(program, functions=functions)
    interfaces = {
        name: Interface(_renamed_features(io.inputs), _renamed_features(io.outputs), _renamed_features(io.states))
        for name, io in model.interfaces.items()
    }
    return replace(model, program=program, interfaces=interfaces, parts=tuple(map(renamed, model.parts)))


def test_names_do_not_matter(model: Model) -> None:
    assert plans(renamed(model)) == plans(model)


def appended(function: Function) -> Function | None:
    """The function with a relu behind its first output, if that is a tensor of fp16."""
    block = function.block
    kinds = {each.name: each.type for operation in block.operations for each in operation.outputs}
    kind = kinds.get(block.outputs[0]) if block.outputs else None
    if not isinstance(kind, TensorType) or kind.dtype != "fp16":
        return None
    relu = Operation("relu", {"x": (block.outputs[0],)}, (Variable("appended", kind),))
    outputs = ("appended", *block.outputs[1:])
    return replace(function, block=replace(block, operations=(*block.operations, relu), outputs=outputs))


def test_an_operation_more_that_runs_anywhere_blocks_no_other(model: Model) -> None:
    if model.program is None:
        return
    longer: dict[str, Function] = {}
    for name, function in model.program.functions.items():
        longer[name] = appended(function) or function
    program: Program = replace(model.program, functions=longer)
    after = replace(model, program=program)
    for old, new in zip(judged(model).placements, judged(after).placements, strict=True):
        assert len(new.operations) - len(old.operations) in {0, 1}
        for was, now in zip(old.operations, new.operations, strict=False):
            assert was.support == now.support, was.node.name


def test_there_are_models_enough() -> None:
    assert len(MODELS) > 60
    assert sum(len(functions_of(load(path))) for path in MODELS[:10]) >= 10
