"""Asking Core ML: from its compute plan to anecheck's file of it.

The plan comes as coremltools gives it (`coremltools.models.compute_plan`, 9.0). Nothing of coremltools is imported: the
protocols below say what is asked of its objects, so that all but the calls themselves can be tried without a Mac.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from anecheck.knowledge.target import ComputeUnits
from anecheck.measured.own import content_of
from anecheck.measured.plan import CONST, PlanError, device_named, plain_type
from anecheck.mil.model import Kind, Model

Entry = dict[str, Any]
Block = Any
"""`MLModelStructureProgramBlock`."""
Operation = Any
"""`MLModelStructureProgramOperation`."""

KINDS: Final = {
    Kind.PIPELINE: "it is a pipeline, and a compute plan speaks of one program; measure its parts one by one",
    Kind.NEURAL_NETWORK: "it is a neural network, which has no ML Program operations to place; convert it to an ML Program",
    Kind.OTHER: "it holds no ML Program whose operations could be placed",
}


class ComputePlan(Protocol):
    """`MLComputePlan`."""

    @property
    def model_structure(self) -> Any:  # noqa: ANN401
        """`MLModelStructure`."""

    def get_compute_device_usage_for_mlprogram_operation(self, operation: Any) -> Any:  # noqa: ANN401
        """`MLComputePlanDeviceUsage`, or None where Core ML does not say."""

    def get_estimated_cost_for_mlprogram_operation(self, operation: Any) -> Any:  # noqa: ANN401
        """`MLComputePlanCost`, or None."""


class CoreML(Protocol):
    """What is asked of a Mac."""

    def chip(self) -> str | None:
        """The name of its chip, such as "Apple M4"."""

    def system(self) -> str | None:
        """Its OS, such as "macOS 26.1"."""

    def compile(self, model: Path, folder: Path) -> Path:
        """Compile a model into a folder, and say where it is."""

    def plan(self, compiled: Path, units: ComputeUnits) -> ComputePlan:
        """The compute plan of a compiled model."""


def refuse(model: Model) -> None:
    """Refuse what no compute plan speaks of.

    Raises:
        PlanError: says what the model is, and what to do.
    """
    if model.kind in KINDS:
        raise PlanError(KINDS[model.kind])


def measure(model: Model, core_ml: CoreML, units: ComputeUnits, folder: Path) -> Mapping[str, Any]:
    """Ask Core ML where it runs a model's operations; `folder` takes what has to be compiled for it.

    Raises:
        PlanError: Core ML has no plan, or there can be none.
    """
    refuse(model)
    path = Path(model.path)
    try:
        compiled = path if path.suffix.lower() == ".mlmodelc" else core_ml.compile(path, folder)
        plan = core_ml.plan(compiled, units)
        functions = entries_of(plan)
    except PlanError:
        raise
    except Exception as error:  # the bridge to Core ML raises whatever there is, most of it RuntimeError
        raise PlanError(f"Core ML made no compute plan of it: {type(error).__name__}: {error}") from error
    machine = {"chip": core_ml.chip(), "os": core_ml.system()}
    stated = {"path": path.name, "specification_version": model.specification_version}
    return content_of(functions, machine, units, stated)


def entries_of(plan: ComputePlan) -> dict[str, list[Entry]]:
    """An entry for every operation but `const` of every function.

    Raises:
        PlanError: the plan is not of an ML Program.
    """
    program = plan.model_structure.program
    if program is None:
        raise PlanError("Core ML's plan of it is not one of an ML Program")
    found = {}
    for name, function in program.functions.items():
        entries: list[Entry] = []
        _add(function.block, (), None, plan, entries)
        found[str(name)] = entries
    return found


def _add(
    block: Block, path: tuple[tuple[int, int], ...], outermost: int | None, plan: ComputePlan, entries: list[Entry]
) -> None:
    position = 0
    for operation in block.operations:
        if plain_type(operation.operator_name) == CONST:
            continue
        index = position if outermost is None else outermost
        entries.append(_entry(operation, index, path, plan))
        for number, nested in enumerate(operation.blocks or ()):
            _add(nested, (*path, (position, number)), index, plan, entries)
        position += 1


def _entry(operation: Operation, index: int, path: tuple[tuple[int, int], ...], plan: ComputePlan) -> Entry:
    usage = plan.get_compute_device_usage_for_mlprogram_operation(operation)
    cost = plan.get_estimated_cost_for_mlprogram_operation(operation)
    entry: Entry = {
        "index": index,
        "name": operation.outputs[0].name if operation.outputs else None,
        "type": operation.operator_name,
        "preferred": _device(usage.preferred_compute_device) if usage is not None else None,
        "supported": [_device(device) for device in usage.supported_compute_devices] if usage is not None else None,
        "cost": cost.weight if cost is not None else None,
    }
    if path:
        entry["block"] = [list(pair) for pair in path]
    return entry


def _device(device: object) -> str:
    """The kind of a device, by its class: `MLNeuralEngineComputeDevice` is "ane"."""
    name = device.__name__ if isinstance(device, type) else type(device).__name__
    found = device_named(name)
    if found is None:
        raise PlanError(f"Core ML named a device that is not known: {name}; update anecheck")
    return found.value
