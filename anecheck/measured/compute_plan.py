"""The `*.mlcomputeplan.json` files that are published beside WhisperKit's models, one object for each operation.

    {"17_ios16.gather_axis_batch_dims_indices_x": {"dispatch": "CPU", "supported": ["CPU"], "cost": 1.25}, …}

argmaxtools 0.1.23 (argmaxtools/test_utils.py) writes them from the function `main`: a key is the operation's place among all,
`const` too, then its type and the names of its parameters, all joined by underscores. Operations of which Core ML says nothing
are left out, and with them `const`. `cost` is in percent of the sum. No result is named, so that operations are told by order
and type.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from anecheck.measured.fields import device, devices, mapping, number
from anecheck.measured.plan import CONST, Form, MeasuredOperation, MeasuredPlan, PlanError, plain_type

KEY: Final = re.compile(r"(\d{1,9})_(.+)", re.DOTALL)
PERCENT: Final = 100.0


def is_compute_plan(content: Any) -> bool:  # noqa: ANN401  # whatever JSON holds
    """Whether JSON is of this form."""
    if not isinstance(content, dict) or not content:
        return False
    key, entry = next(iter(content.items()))
    return bool(KEY.fullmatch(key)) and isinstance(entry, dict) and "dispatch" in entry


def read(content: Mapping[str, Any], known: Collection[str]) -> MeasuredPlan:
    """Read the content of a file; `known` are the types of operations, which tell where in a key the type ends.

    Raises:
        PlanError: a field is not what it should be.
    """
    found: list[tuple[int, MeasuredOperation]] = []
    for key, entry in content.items():
        parts = KEY.fullmatch(key)
        if not parts:
            raise PlanError(f"expected a key such as 17_ios16.gather_axis_x, found {key!r:.60}")
        fields = mapping(entry, key[:60])
        kind = _type(plain_type(parts[2]), known)
        cost = number(fields.get("cost"), f"{key[:60]}.cost")
        operation = MeasuredOperation(
            type=kind,
            device=device(fields.get("dispatch"), f"{key[:60]}.dispatch"),
            supported=devices(fields.get("supported"), f"{key[:60]}.supported"),
            cost=None if cost is None else cost / PERCENT,
        )
        if kind != CONST:
            found.append((int(parts[1]), operation))
    found.sort(key=lambda pair: pair[0])
    return MeasuredPlan(Form.COMPUTE_PLAN, tuple(operation for _, operation in found))


def _type(joined: str, known: Collection[str]) -> str:
    """The longest known type with which a key goes on: `gather_along_axis_axis_x` is no `gather`."""
    end = len(joined)
    while end > 0:
        if joined[:end] in known:
            return joined[:end]
        end = joined.rfind("_", 0, end)
    return joined
