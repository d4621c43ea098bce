"""The JSON files of erwinzhang7's coreml-compute-placement (results/residency): a record for each operation, in order.

    {"function": "main", "operator": "ios17.cast", "preferred": "CPU", "supported": ["CPU", "GPU"], "cost": 0.01}

Of the records these keys are known; results have no names, so that operations are told by order and type. What stands around
the records is not known for sure: the first list of such records is taken wherever it lies, and chip, OS and compute units are
read where a key is called so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from anecheck.knowledge.target import ComputeUnits
from anecheck.measured.fields import device, devices, mapping, number, optional_text, text
from anecheck.measured.plan import CONST, Form, MeasuredOperation, MeasuredPlan, plain_type, units_named

DEPTH: Final = 3
"""How deep the records may lie in what is around them."""
CHIP: Final = ("chip", "soc", "machine", "hardware", "device")
SYSTEM: Final = ("os", "macos", "os_version")
UNITS: Final = ("compute_units", "computeUnits", "compute_unit", "units")


def records(content: Any, depth: int = DEPTH) -> list[Any] | None:  # noqa: ANN401  # whatever JSON holds
    """The list of records in JSON; `None` where there is none."""
    if isinstance(content, list):
        first = content[0] if content else None
        return content if isinstance(first, dict) and {"operator", "preferred"} <= first.keys() else None
    if isinstance(content, dict) and depth:
        found = (records(value, depth - 1) for value in content.values())
        return next((each for each in found if each is not None), None)
    return None


def read(content: Any, entries: list[Any]) -> MeasuredPlan:  # noqa: ANN401
    """Read the records, and what `content` says around them.

    Raises:
        PlanError: a field is not what it should be.
    """
    return MeasuredPlan(
        form=Form.COMPUTE_PLACEMENT,
        operations=tuple(_operations(entries)),
        chip=_stated(content, CHIP),
        os=_stated(content, SYSTEM),
        compute_units=_units(content),
    )


def _operations(entries: list[Any]) -> Iterator[MeasuredOperation]:
    for position, entry in enumerate(entries):
        place = f"record {position}"
        fields = mapping(entry, place)
        kind = plain_type(text(fields.get("operator"), f"{place}, operator"))
        if kind != CONST:
            yield MeasuredOperation(
                type=kind,
                function=optional_text(fields.get("function"), f"{place}, function"),
                device=device(fields.get("preferred"), f"{place}, preferred"),
                supported=devices(fields.get("supported"), f"{place}, supported"),
                cost=number(fields.get("cost"), f"{place}, cost"),
            )


def _units(content: Any) -> ComputeUnits | None:  # noqa: ANN401
    spelt = _stated(content, UNITS)
    return units_named(spelt) if spelt else None


def _stated(content: Any, keys: tuple[str, ...], depth: int = 1) -> str | None:  # noqa: ANN401
    """A string under the first of these keys that has one, or one object below."""
    if not isinstance(content, dict):
        return None
    own = next((content[key] for key in keys if isinstance(content.get(key), str)), None)
    if own is not None:
        return text(own, "a key")
    below = (_stated(value, keys, depth - 1) for value in content.values() if depth)
    return next((each for each in below if each), None)
