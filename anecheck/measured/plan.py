"""A measured plan: what Core ML itself said, on some machine, of where it runs the operations of a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from anecheck.knowledge.evidence import Device
from anecheck.knowledge.target import ComputeUnits

CONST: Final = "const"
OPSET_PREFIX: Final = re.compile(r"ios\d+\.")
DEVICES: Final = {
    "ane": Device.ANE,
    "ne": Device.ANE,
    "neuralengine": Device.ANE,
    "gpu": Device.GPU,
    "cpu": Device.CPU,
}
UNITS: Final = {
    "all": ComputeUnits.ALL,
    "cpuandne": ComputeUnits.CPU_AND_NE,
    "cpuandneuralengine": ComputeUnits.CPU_AND_NE,
    "cpuandgpu": ComputeUnits.CPU_AND_GPU,
    "cpuonly": ComputeUnits.CPU_ONLY,
}


class PlanError(ValueError):
    """A file holds no measured plan, or not one of this model; says what was found and what to do."""


class Form(str, Enum):
    """The forms of files that are read."""

    OWN = "anecheck-measured-plan"
    COMPUTE_PLAN = "mlcomputeplan"
    COMPUTE_PLACEMENT = "coreml-compute-placement"
    ANALYTICS = "analytics.mil"


@dataclass(frozen=True, slots=True)
class MeasuredOperation:
    """What was said of one operation.

    `type` is without its opset. `name` is the first result's, `index` counts as in a report, and `block` says where a nested
    block lies, each where the file has it. `cost` is the operation's share of the whole, from 0 to 1. `estimates_ms` and
    `messages` are by backend, as the file spells it.
    """

    type: str
    function: str | None = None
    name: str | None = None
    index: int | None = None
    block: tuple[tuple[int, int], ...] = ()
    device: Device | None = None
    supported: frozenset[Device] | None = None
    cost: float | None = None
    estimates_ms: Mapping[str, float] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MeasuredPlan:
    """All that a file says: operations but `const`, in its order, and on what they were measured where it says so."""

    form: Form
    operations: tuple[MeasuredOperation, ...]
    chip: str | None = None
    os: str | None = None
    compute_units: ComputeUnits | None = None
    model: str | None = None


def plain_type(spelt: str) -> str:
    """The type of an operation without the opset before it: `ios16.gather` is a "gather"."""
    return OPSET_PREFIX.sub("", spelt, count=1) if OPSET_PREFIX.match(spelt) else spelt


def device_named(spelt: str) -> Device | None:
    """The device that a name means, such as "ANE", "neural_engine" or "MLNeuralEngineComputeDevice"."""
    return DEVICES.get(_letters(spelt).removeprefix("ml").removesuffix("computedevice"))


def units_named(spelt: str) -> ComputeUnits | None:
    """The compute units that a name means, such as "CPU_AND_NE" or "cpuAndNeuralEngine"."""
    return UNITS.get(_letters(spelt).removeprefix("computeunit"))


def _letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalpha())
