"""Which operation of a model an entry of a measured plan speaks of.

By the name of the first result, where the file has names: those are unique in a block, and a converter gives each run of it the
same. An entry without a name is told by its index, and one without either by its type and order: the first `gather` that was
measured is the first of the model, if both have as many. Where they have not, one of them was compiled into something else, and
no `gather` is compared rather than the wrong ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from anecheck.lint.placement_report import OperationReport
from anecheck.lint.reports import FunctionReport
from anecheck.measured.plan import MeasuredOperation, MeasuredPlan, PlanError

LEAST_SHARE: Final = 0.5
"""Of a model's operations that have to be in a plan, for it to be one of this model."""
DEFAULT_FUNCTION: Final = "main"


@dataclass(frozen=True, slots=True)
class Matched:
    """The operations of a function that a plan has, by position in the report, and how many entries fit none."""

    entries: Mapping[int, MeasuredOperation]
    unmatched: int


def match_functions(functions: Sequence[FunctionReport], plan: MeasuredPlan) -> dict[str, Matched]:
    """Match a plan with each function that it speaks of, by the function's name.

    Raises:
        PlanError: it speaks of no function of this model, or of few of its operations.
    """
    groups = _by_function(functions, plan)
    found = {
        function.name: match(function.operations or (), groups[function.name])
        for function in functions
        if function.name in groups
    }
    if not found:
        raise PlanError(
            f"it speaks of the functions {_list(sorted(groups))}, and the model has "
            f"{_list([function.name for function in functions])}; give the plan of this model"
        )
    matched = sum(len(each.entries) for each in found.values())
    total = sum(len(function.operations or ()) for function in functions if function.name in found)
    if matched < LEAST_SHARE * total:
        raise PlanError(
            f"of the model's {total} operations it has {matched}, and {len(plan.operations)} in all: it is the plan of "
            "another model, or of another version of this one; measure this one"
        )
    return found


def _by_function(functions: Sequence[FunctionReport], plan: MeasuredPlan) -> dict[str, list[MeasuredOperation]]:
    """The entries by function. Files without functions speak of the only one, or of `main`."""
    names = [function.name for function in functions]
    only = names[0] if len(names) == 1 else DEFAULT_FUNCTION
    groups: dict[str, list[MeasuredOperation]] = {}
    for operation in plan.operations:
        groups.setdefault(only if operation.function is None else operation.function, []).append(operation)
    if len(names) == 1 and list(groups) == [DEFAULT_FUNCTION]:
        return {only: groups[DEFAULT_FUNCTION]}  # a function measured alone is made the main one
    return groups


def match(operations: Sequence[OperationReport], entries: Sequence[MeasuredOperation]) -> Matched:
    """Match the operations of one function with the entries that speak of it."""
    taken: dict[int, MeasuredOperation] = {}
    left = _match_keys(entries, _by_name(operations), _named, operations, taken)
    left = _match_keys(left, _by_index(operations), _indexed, operations, taken)
    unknown = [entry for entry in left if entry.name is not None or entry.index is not None]
    nameless = [entry for entry in left if entry.name is None and entry.index is None]
    return Matched(taken, len(unknown) + _match_order(nameless, operations, taken))


Key = tuple[object, ...]


def _by_name(operations: Sequence[OperationReport]) -> dict[Key, list[int]]:
    found: dict[Key, list[int]] = {}
    for position, operation in enumerate(operations):
        found.setdefault((operation.name,), []).append(position)
        found.setdefault((operation.name, tuple(operation.block)), []).append(position)
    return found


def _by_index(operations: Sequence[OperationReport]) -> dict[Key, list[int]]:
    return {(operation.index,): [position] for position, operation in enumerate(operations) if not operation.block}


def _named(entry: MeasuredOperation) -> tuple[Key, ...]:
    """By name and block, and by name alone for a file that counts blocks in another way."""
    return () if entry.name is None else ((entry.name, entry.block), (entry.name,))


def _indexed(entry: MeasuredOperation) -> tuple[Key, ...]:
    return () if entry.name is not None or entry.index is None or entry.block else ((entry.index,),)


def _match_keys(
    entries: Sequence[MeasuredOperation],
    places: Mapping[Key, list[int]],
    keys: Callable[[MeasuredOperation], tuple[Key, ...]],
    operations: Sequence[OperationReport],
    taken: dict[int, MeasuredOperation],
) -> list[MeasuredOperation]:
    """Take the entries whose key is that of exactly one operation of the same type; the others are returned."""
    left = []
    for entry in entries:
        candidates = next((places[key] for key in keys(entry) if len(places.get(key, ())) == 1), [])
        fitting = [place for place in candidates if place not in taken and operations[place].type == entry.type]
        if fitting:
            taken[fitting[0]] = entry
        else:
            left.append(entry)
    return left


def _match_order(
    entries: Sequence[MeasuredOperation], operations: Sequence[OperationReport], taken: dict[int, MeasuredOperation]
) -> int:
    """Take entries by type and order, with or without those in nested blocks; returns how many fit none."""
    by_type: dict[str, list[MeasuredOperation]] = {}
    for entry in entries:
        by_type.setdefault(entry.type, []).append(entry)
    free: dict[str, list[int]] = {}
    for position, operation in enumerate(operations):
        if position not in taken:
            free.setdefault(operation.type, []).append(position)
    unmatched = 0
    for kind, group in by_type.items():
        everywhere = free.get(kind, [])
        own = [position for position in everywhere if not operations[position].block]
        places = next((each for each in (everywhere, own) if len(each) == len(group)), [])
        taken.update(zip(places, group, strict=False))
        unmatched += 0 if places else len(group)
    return unmatched


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
