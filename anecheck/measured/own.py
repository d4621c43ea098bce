"""anecheck's own file of a measured plan, as `anecheck measure` writes it.

    {"format": "anecheck-measured-plan", "version": 1,
     "machine": {"chip": "Apple M4", "os": "macOS 27.0.1"}, "compute_units": "cpu-and-ne",
     "model": {"path": "Model.mlpackage", "specification_version": 9},
     "functions": {"main": [{"index": 0, "name": "x_1", "type": "ios18.conv", "preferred": "ane",
                             "supported": ["ane", "cpu"], "cost": 0.25}]}}

`index` counts all operations but `const` in a function's own block, from 0; one in a nested block has the index of the
outermost operation around it, and `block`, a list of [operation in its block, number of the nested block] pairs. `name` is the
first result's. `preferred` is null where Core ML says nothing. The model's `path` is its name only: where it lay is nobody's
business. Keys may be added within version 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from anecheck.knowledge.target import ComputeUnits
from anecheck.measured.fields import count, device, devices, mapping, number, optional_text, sequence, text
from anecheck.measured.plan import CONST, Form, MeasuredOperation, MeasuredPlan, PlanError, plain_type, units_named

VERSION: Final = 1


def is_own(content: Any) -> bool:  # noqa: ANN401  # whatever JSON holds
    """Whether JSON says that it is of this form."""
    return isinstance(content, dict) and content.get("format") == Form.OWN.value


def read(content: Mapping[str, Any]) -> MeasuredPlan:
    """Read the content of a file.

    Raises:
        PlanError: a field is not what it should be.
    """
    if content.get("version") != VERSION:
        raise PlanError(f"version {content.get('version')!r:.40} is not known, only {VERSION}; update anecheck")
    machine = mapping(content.get("machine", {}), "machine")
    units = optional_text(content.get("compute_units"), "compute_units")
    model = mapping(content.get("model", {}), "model")
    functions = mapping(content.get("functions"), "functions")
    return MeasuredPlan(
        form=Form.OWN,
        operations=tuple(
            operation
            for name, entries in functions.items()
            for operation in _operations(text(name, "functions"), entries)
        ),
        chip=optional_text(machine.get("chip"), "machine.chip"),
        os=optional_text(machine.get("os"), "machine.os"),
        compute_units=units_named(units) if units else None,
        model=optional_text(model.get("path"), "model.path"),
    )


def _operations(function: str, entries: Any) -> Iterator[MeasuredOperation]:  # noqa: ANN401
    for position, entry in enumerate(sequence(entries, f"functions.{function}")):
        place = f"functions.{function}[{position}]"
        fields = mapping(entry, place)
        kind = plain_type(text(fields.get("type"), f"{place}.type"))
        if kind == CONST:
            continue
        yield MeasuredOperation(
            type=kind,
            function=function,
            name=optional_text(fields.get("name"), f"{place}.name"),
            index=count(fields.get("index"), f"{place}.index"),
            block=_block(fields.get("block", []), f"{place}.block"),
            device=device(fields.get("preferred"), f"{place}.preferred"),
            supported=devices(fields.get("supported"), f"{place}.supported"),
            cost=number(fields.get("cost"), f"{place}.cost"),
        )


def _block(value: Any, place: str) -> tuple[tuple[int, int], ...]:  # noqa: ANN401
    pairs = []
    for pair in sequence(value, place):
        numbers = [count(each, place) for each in sequence(pair, place)]
        if len(numbers) != 2 or None in numbers:
            raise PlanError(f"expected pairs of numbers at {place}, found {pair!r:.40}")
        pairs.append((numbers[0] or 0, numbers[1] or 0))
    return tuple(pairs)


def content_of(
    functions: Mapping[str, Any], machine: Mapping[str, Any], units: ComputeUnits, model: Mapping[str, Any]
) -> dict[str, Any]:
    """What a file holds, from the entries of each function."""
    return {
        "format": Form.OWN.value,
        "version": VERSION,
        "machine": dict(machine),
        "compute_units": units.value,
        "model": dict(model),
        "functions": dict(functions),
    }
