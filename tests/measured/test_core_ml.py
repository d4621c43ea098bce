"""Asking Core ML, tried with objects of coremltools' own classes: only the calls into the system are stood in for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import click
import pytest
from coremltools.models import compute_device, compute_plan

from anecheck.artifact.load import load
from anecheck.cli.measure import measure_all
from anecheck.knowledge.target import ComputeUnits
from anecheck.lint.examine import lint_model
from anecheck.lint.measured import with_measured
from anecheck.lint.run import make_report
from anecheck.measured.core_ml import ComputePlan, measure
from anecheck.measured.plan import MeasuredPlan, PlanError
from anecheck.measured.read import read_plan
from anecheck.mil.program import Block, Operation
from tests.accuracy.placements import make_settings
from tests.conftest import FIXTURES

Structure: TypeAlias = Any
"""An object of one of coremltools' classes, which mypy does not know."""
CLASSES = {
    "ane": compute_device.MLNeuralEngineComputeDevice,
    "gpu": compute_device.MLGPUComputeDevice,
    "cpu": compute_device.MLCPUComputeDevice,
}


def device(name: str) -> Structure:
    """A device, without the handle into the system that its constructor insists on."""
    return object.__new__(CLASSES[name])


def structure_of(path: Path) -> Structure:
    """A model's structure in coremltools' classes, `const` and prefixed types as Core ML lists them."""
    program = load(path).program
    assert program is not None
    functions = {
        name: compute_plan.MLModelStructureProgramFunction([], _block(function.block))
        for name, function in program.functions.items()
    }
    return compute_plan.MLModelStructure(None, compute_plan.MLModelStructureProgram(functions), None)


def _block(block: Block) -> Structure:
    return compute_plan.MLModelStructureProgramBlock([], [_operation(each) for each in block.operations], [])


def _operation(operation: Operation) -> Structure:
    named = [
        compute_plan.MLModelStructureProgramNamedValueType(
            variable.name, compute_plan.MLModelStructureProgramValueType()
        )
        for variable in operation.outputs
    ]
    kind = operation.type if operation.type == "const" else f"ios17.{operation.type}"
    return compute_plan.MLModelStructureProgramOperation({}, kind, named, [_block(b) for b in operation.blocks], None)


@dataclass(frozen=True)
class Plan:
    """A compute plan with the CPU for everything but what `chosen` says, and nothing said of `silent` types."""

    model_structure: Structure
    chosen: str = "ane"
    silent: tuple[str, ...] = ()

    def get_compute_device_usage_for_mlprogram_operation(self, operation: Structure) -> Structure:
        assert operation.operator_name != "const"
        if operation.operator_name in self.silent:
            return None
        return compute_plan.MLComputePlanDeviceUsage(device(self.chosen), [device("cpu"), device(self.chosen)])

    def get_estimated_cost_for_mlprogram_operation(self, operation: Structure) -> Structure:
        return None if operation.operator_name in self.silent else compute_plan.MLComputePlanCost(0.125)


@dataclass
class Machine:
    """A Mac whose Core ML answers with plans of a structure that was read here."""

    make: Callable[[Path], ComputePlan]
    compiled: list[Path] = field(default_factory=list)
    asked: list[tuple[Path, ComputeUnits]] = field(default_factory=list)

    def chip(self) -> str:
        return "Apple M4"

    def system(self) -> str:
        return "macOS 26.1"

    def compile(self, model: Path, folder: Path) -> Path:
        assert folder.is_dir()
        self.compiled.append(model)
        return model

    def plan(self, compiled: Path, units: ComputeUnits) -> ComputePlan:
        self.asked.append((compiled, units))
        return self.make(compiled)


def plans(chosen: str = "ane", silent: tuple[str, ...] = ()) -> Callable[[Path], ComputePlan]:
    return lambda path: Plan(structure_of(path), chosen, silent)


def test_an_entry_for_every_operation_but_const(tmp_path: Path) -> None:
    path = FIXTURES / "flagged/tan.mlpackage"
    machine = Machine(plans(silent=("ios17.tan",)))
    found = measure(load(path), machine, ComputeUnits.ALL, tmp_path)
    assert found["format"] == "anecheck-measured-plan"
    assert found["machine"] == {"chip": "Apple M4", "os": "macOS 26.1"}
    assert found["compute_units"] == "all"
    assert found["model"] == {"path": "tan.mlpackage", "specification_version": load(path).specification_version}
    assert machine.asked == [(path, ComputeUnits.ALL)]
    [tan] = [entry for entry in found["functions"]["main"] if entry["type"] == "ios17.tan"]
    assert (tan["preferred"], tan["supported"], tan["cost"]) == (None, None, None)
    others = [entry for entry in found["functions"]["main"] if entry is not tan]
    assert {(entry["preferred"], tuple(entry["supported"]), entry["cost"]) for entry in others} == {
        ("ane", ("cpu", "ane"), 0.125)
    }


@pytest.mark.parametrize(
    "fixture",
    [
        "flagged/cond.mlpackage",
        "ok/multifunction.mlpackage",
        "zoo/resnet50.mlpackage",
        "flagged/hostile_names.mlpackage",
    ],
)
def test_every_operation_is_found_again_in_the_model(tmp_path: Path, fixture: str) -> None:
    """Names, indices and nested blocks are counted as the report counts them, through the file and back."""
    model, settings = load(FIXTURES / fixture), make_settings("m4", "cpu-and-ne")
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(measure(model, Machine(plans(chosen="gpu")), ComputeUnits.CPU_AND_NE, tmp_path)))
    plan = read_plan(file, settings.knowledge.operators.keys())
    report = with_measured(make_report([lint_model(model, settings)], settings), plan, file.name, settings.knowledge)
    assert [operation.block for operation in plan.operations] == [
        tuple(operation.block)
        for function in sorted(report.models[0].functions, key=lambda each: list(functions_of(plan)).index(each.name))
        for operation in function.operations or ()
    ]
    for function in report.models[0].functions:
        assert function.measured is not None
        assert (function.measured.unmatched, function.measured.unmeasured) == (0, 0)
        assert function.measured.compared == function.summary.operations
        assert {operation.device for operation in function.measured.operations} == {"gpu"}


def functions_of(plan: MeasuredPlan) -> dict[str | None, None]:
    return dict.fromkeys(operation.function for operation in plan.operations)


def test_a_compiled_model_is_not_compiled_again(tmp_path: Path) -> None:
    folder = tmp_path / "model.mlmodelc"
    folder.mkdir()
    (folder / "model.mil").write_text(
        "program(1.0) { func main<ios17>(tensor<fp16, [2]> x) {"
        ' tensor<fp16, [2]> y = relu(x = x)[name = tensor<string, []>("y")]; } -> (y); }'
    )
    machine = Machine(plans())
    assert [
        entry["name"] for entry in measure(load(folder), machine, ComputeUnits.ALL, tmp_path)["functions"]["main"]
    ] == ["y"]
    assert machine.compiled == []


@pytest.mark.parametrize(
    ("fixture", "said"),
    [
        ("zoo/encoder_head_pipeline.mlpackage", "measure its parts one by one"),
        ("flagged/neural_network.mlmodel", "it is a neural network"),
    ],
)
def test_what_has_no_plan_is_refused_before_core_ml_is_asked(tmp_path: Path, fixture: str, said: str) -> None:
    machine = Machine(plans())
    with pytest.raises(PlanError, match=said):
        measure(load(FIXTURES / fixture), machine, ComputeUnits.ALL, tmp_path)
    assert (machine.compiled, machine.asked) == ([], [])


def broken(_: Path) -> ComputePlan:
    raise RuntimeError("Error computing NN outputs.")


def no_program(_: Path) -> ComputePlan:
    return Plan(compute_plan.MLModelStructure(None, None, None))


@pytest.mark.parametrize(
    ("make", "said"),
    [(broken, "RuntimeError: Error computing"), (no_program, "not one of an ML Program")],
)
def test_what_core_ml_cannot_do_is_said(tmp_path: Path, make: Callable[[Path], ComputePlan], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        measure(load(FIXTURES / "flagged/tan.mlpackage"), Machine(make), ComputeUnits.ALL, tmp_path)


def test_one_plan_is_printed_and_several_go_into_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tan, cumsum = FIXTURES / "flagged/tan.mlpackage", FIXTURES / "flagged/cumsum.mlpackage"
    machine = Machine(plans())
    assert measure_all([tan], machine, ComputeUnits.CPU_ONLY, None) == 0
    assert json.loads(capsys.readouterr().out)["compute_units"] == "cpu-only"
    assert measure_all([tan], machine, ComputeUnits.ALL, str(tmp_path / "one.json")) == 0
    assert json.loads((tmp_path / "one.json").read_text())["model"]["path"] == "tan.mlpackage"
    unreadable = FIXTURES / "broken/empty_model.mlpackage"
    assert measure_all([tan, unreadable, cumsum], machine, ComputeUnits.ALL, str(tmp_path)) == 3
    assert "empty_model.mlpackage: ANE002" in capsys.readouterr().err
    assert sorted(file.name for file in tmp_path.glob("*.measured.json")) == [
        "cumsum.measured.json",
        "tan.measured.json",
    ]
    with pytest.raises(click.UsageError, match="name a folder"):
        measure_all([tan, cumsum], machine, ComputeUnits.ALL, None)
    with pytest.raises(click.UsageError, match="the same name"):
        measure_all([tan, tan], machine, ComputeUnits.ALL, str(tmp_path))
