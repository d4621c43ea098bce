"""Files of every form, made of the placements that were really measured (fixtures/placements)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from anecheck.mil.printer import print_program
from anecheck.mil.program import Operation, Program
from anecheck.mil.types import DictType, ListType, TensorType
from anecheck.mil.values import DictValue, ListValue, TensorValue, Value, pack
from tests.accuracy.placements import Row

STRING = TensorType("string", ())
FP64 = TensorType("fp64", ())
SLOTS: Final = ("e5_minimal_cpu", "jit_call", "bnns", "classic_cpu", "ane")
NAMES: Final = {"ane": "ANE", "cpu": "CPU", "gpu": "GPU"}
Content = dict[str, Any]


def own(rows: Sequence[Row], program: Program, **changes: object) -> str:
    """What `anecheck measure` writes."""
    names = [operation.outputs[0].name for operation in operations_of(program)]
    entries = [
        {
            "index": row.index,
            "name": names[row.index],
            "type": f"ios18.{row.op}",
            "preferred": row.preferred,
            "supported": sorted(row.supported),
            "cost": 1 / len(rows),
        }
        for row in rows
    ]
    content: Content = {
        "format": "anecheck-measured-plan",
        "version": 1,
        "machine": {"chip": "Apple M4", "os": "macOS 27.0.1"},
        "compute_units": "cpu-and-ne",
        "model": {"path": "graph.mlmodelc", "specification_version": 9},
        "functions": {"main": entries},
    }
    return json.dumps({**content, **changes})


def compute_plan(rows: Sequence[Row], program: Program) -> str:
    """An .mlcomputeplan.json: keys count `const` too, and no result is named."""
    everything = program.functions["main"].block.operations
    places = [place for place, operation in enumerate(everything) if operation.type != "const"]
    return json.dumps(
        {
            "_".join([str(places[row.index]), f"ios18.{row.op}", *everything[places[row.index]].inputs]): {
                "dispatch": NAMES[row.preferred],
                "supported": [NAMES[device] for device in sorted(row.supported)],
                "cost": 100 / len(rows),
            }
            for row in rows
        }
    )


def compute_placement(rows: Sequence[Row], program: Program) -> str:
    """A file of coreml-compute-placement, with `const` among the records."""
    kinds = iter(rows)
    records: list[Content] = []
    for operation in program.functions["main"].block.operations:
        if operation.type == "const":
            records.append({"function": "main", "operator": "const", "preferred": None, "supported": [], "cost": None})
            continue
        row = next(kinds)
        records.append(
            {
                "function": "main",
                "operator": f"ios18.{row.op}",
                "preferred": NAMES[row.preferred],
                "supported": [NAMES[device] for device in sorted(row.supported)],
                "cost": 0.01,
            }
        )
    return json.dumps({"chip": "Apple M4", "compute_units": "CPU_AND_NE", "summary": {"ops": 3}, "ops": records})


def analytics(rows: Sequence[Row], program: Program) -> str:
    """The program as text, with what the compiler notes at each operation."""
    measured = {row.index: row for row in rows}
    function = program.functions["main"]
    index = -1
    operations = []
    for operation in function.block.operations:
        index += operation.type != "const"
        noted = {} if operation.type == "const" else _noted(measured[index])
        operations.append(operation._replace(attributes={**operation.attributes, **noted}))
    block = replace(function.block, operations=tuple(operations))
    return print_program(Program({"main": replace(function, block=block)}))


FORMS: Final[dict[str, Callable[[Sequence[Row], Program], str]]] = {
    "anecheck-measured-plan": own,
    "mlcomputeplan": compute_plan,
    "coreml-compute-placement": compute_placement,
    "analytics.mil": analytics,
}


def operations_of(program: Program) -> list[Operation]:
    """The operations of the main function but `const`."""
    return [operation for operation in program.functions["main"].block.operations if operation.type != "const"]


def _noted(row: Row) -> dict[str, Value]:
    slots = [slot if _device(slot) in row.supported and slot in SLOTS[2:] else "unsupported" for slot in SLOTS]
    weighed = [slot for slot in slots if slot != "unsupported"]
    selected = "ane" if row.preferred == "ane" else "bnns"
    refused = [] if "ane" in row.supported else [(_text("ane"), _text(f'Unsupported MIL operation "{row.op}".'))]
    return {
        "BackendSupport": ListValue(ListType(STRING, len(slots)), tuple(map(_text, slots))),
        "EstimatedRuntime": DictValue(
            DictType(STRING, FP64), tuple((_text(slot), TensorValue(FP64, pack("fp64", [0.002]))) for slot in weighed)
        ),
        "SelectedBackend": _text(selected),
        "ValidationMessage": DictValue(DictType(STRING, STRING), tuple(refused)),
    }


def _device(slot: str) -> str:
    return "ane" if slot == "ane" else "cpu"


def _text(text: str) -> TensorValue:
    return TensorValue(STRING, (text,))
