"""Programs for the tests of this folder, as MIL text, and their judgement by the real rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, product

from anecheck_rules import RULES

from anecheck.knowledge.evidence import Device
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits, parse_target
from anecheck.lint.engine import Judgement, functions_of, judge
from anecheck.lint.rule import Rule
from anecheck.mil.model import Interface, Kind, Model
from anecheck.mil.parser import parse
from anecheck.predict.placement import Placed, Placement, Problem

KNOWLEDGE = Knowledge()
PACK: tuple[Rule, ...] = tuple(rule() for rule in RULES)
ANE, GPU, CPU = Device.ANE, Device.GPU, Device.CPU

LARGE = "tensor<fp16, [1, 256, 28, 28]>"
"""What `large` maps to itself: 57 µs on the engine, 1226 on the CPU."""
SMALL = "tensor<fp16, [1, 16, 8, 8]>"


def conv(result: str, x: str, shape: str, *, weight: str, stride: int = 1, groups: int = 1) -> str:
    """A convolution with its weights in a file that nobody needs."""
    taps = weight.count(",") - 1
    return (
        f"{shape} {result} = conv(dilations = tensor<int32, [{taps}]>([{', '.join(['1'] * taps)}]), "
        f"groups = int32({groups}), pad = tensor<int32, [{2 * taps}]>([{', '.join(['0'] * 2 * taps)}]), "
        f'pad_type = string("same"), strides = tensor<int32, [{taps}]>([{", ".join([str(stride)] * taps)}]), '
        f"weight = {blob(weight)}, x = {x});"
    )


def blob(shape: str, *, offset: int = 64, dtype: str = "fp16") -> str:
    """A reference into the weight file."""
    return f'tensor<{dtype}, {shape}>(BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64({offset})))'


def large(result: str, x: str) -> str:
    """A convolution that pays on the engine."""
    return conv(result, x, LARGE, weight="[256, 256, 3, 3]")


def small(result: str, x: str) -> str:
    """A convolution that does not."""
    return conv(result, x, SMALL, weight="[16, 16, 3, 3]")


def apply(kind: str, result: str, x: str, shape: str = LARGE) -> str:
    """An operation with nothing but `x`."""
    return f"{shape} {result} = {kind}(x = {x});"


def chain(kinds: Sequence[str], shape: str = LARGE) -> str:
    """A row of operations `v0`, `v1` …: "conv" is one that fits the shape, all others have nothing but `x`."""
    make = large if shape == LARGE else small
    names = ["x", *(f"v{number}" for number in range(len(kinds)))]
    rows = [
        make(result, x) if kind == "conv" else apply(kind, result, x, shape)
        for kind, (x, result) in zip(kinds, pairwise(names), strict=True)
    ]
    return program(rows, (names[-1],), shape)


def program(rows: Iterable[str], outputs: Sequence[str], shape: str = LARGE, name: str = "main") -> str:
    """A function of one input `x`."""
    return f"func {name}<ios18>({shape} x) {{\n" + "\n".join(rows) + f"\n}} -> ({', '.join(outputs)});"


def model_of(text: str, interface: Interface | None = None) -> Model:
    """A model of a program."""
    interfaces: Mapping[str, Interface] = {"main": interface} if interface else {}
    return Model("example", Kind.ML_PROGRAM, "mlProgram", 9, interfaces, parse(text))


def judged(model: Model, target: str = "m4", units: ComputeUnits = ComputeUnits.CPU_AND_NE) -> Judgement:
    """What the whole pack says of a model."""
    judgement = judge(model, functions_of(model), PACK, parse_target(target, KNOWLEDGE), units, KNOWLEDGE)
    assert judgement.crashes == []
    return judgement


def placed(text: str, target: str = "m4", units: ComputeUnits = ComputeUnits.CPU_AND_NE) -> Placement:
    """The placement of a program of one function."""
    (placement,) = judged(model_of(text), target, units).placements
    return placement


def devices(placement: Placement) -> list[Device]:
    """Where the operations lie."""
    return [operation.device for operation in placement.operations]


def named(placement: Placement, name: str) -> Placed:
    """The operation of a name."""
    return next(operation for operation in placement.operations if operation.node.name == name)


def path_cost(problem: Problem, plan: Sequence[Device]) -> float:
    """What a plan costs: the definition, word for word, and nothing shared with the solver."""
    path, gpu = problem.costs.path, problem.costs.gpu
    total = path.launch_ms * 1000 if plan and plan[0] is ANE else 0.0
    for times, outputs, device in zip(problem.times, problem.outputs, plan, strict=True):
        total += times[problem.devices.index(device)]
        total += outputs * path.output_ms * 1000 if device is ANE else 0.0
    for before, after in pairwise(plan):
        if before is not after:
            total += (gpu.switch_ms if GPU in {before, after} else path.switch_ms) * 1000
    return total


def cheapest(problem: Problem) -> tuple[float, list[set[Device]]]:
    """The least cost of all plans, and for each operation the devices that some cheapest plan gives it."""
    plans = [(path_cost(problem, plan), plan) for plan in product(problem.devices, repeat=len(problem.nodes))]
    least = min(cost for cost, _ in plans)
    optimal = [plan for cost, plan in plans if cost <= least + 1e-6]
    return least, [set(column) for column in zip(*optimal, strict=True)]
