"""A file with a measured plan, of whichever form; its content says which."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Final

from anecheck.measured.plan import MeasuredPlan, PlanError

LARGEST: Final = 512 * 2**20
"""Bytes; a real plan of 50,000 operations has a tenth of that."""
KNOWN: Final = (
    "it is neither what `anecheck measure` writes, nor an .mlcomputeplan.json, nor a file of coreml-compute-placement, "
    "nor an analytics.mil"
)


def read_plan(file: Path, known: Collection[str]) -> MeasuredPlan:
    """Read a measured plan; `known` are the types of operations that Core ML has.

    Raises:
        PlanError: the file cannot be read, is damaged, or is of no form that is known.
    """
    try:
        if file.stat().st_size > LARGEST:
            raise PlanError(f"it has more than {LARGEST // 2**20} MB, which no measured plan has; give the right file")
        content = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise PlanError(f"it cannot be read: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise PlanError(f"it is no text, for byte {error.start} is no UTF-8; {KNOWN}") from error
    plan = _json(content, known) if content.lstrip()[:1] in {"{", "["} else _text(content)
    if not plan.operations:
        raise PlanError("it holds no operation but constants; measure again")
    return plan


def _json(content: str, known: Collection[str]) -> MeasuredPlan:
    from anecheck.measured import compute_placement, compute_plan, own  # noqa: PLC0415  # of four forms one is needed

    try:
        data = json.loads(content)
    except RecursionError as error:
        raise PlanError("its JSON is nested too deep; copy or make the file again") from error
    except ValueError as error:
        raise PlanError(f"it is no JSON ({error}), perhaps truncated; copy or make the file again") from error
    if own.is_own(data):
        return own.read(data)
    if compute_plan.is_compute_plan(data):
        return compute_plan.read(data, known)
    records = compute_placement.records(data)
    if records is not None:
        return compute_placement.read(data, records)
    raise PlanError(f"its JSON says nothing that is known: {KNOWN}")


def _text(content: str) -> MeasuredPlan:
    from anecheck.measured import analytics  # noqa: PLC0415

    if not analytics.is_program(content):
        raise PlanError(f"{KNOWN}; give one of these")
    return analytics.read(content)
