"""What a comparison says, in words that its text and its Markdown share.

Names and messages come from models: each function that writes some takes `escape`, which makes them harmless in the format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from anecheck.lint.comparison.reports import (
    Comparison,
    DeviceChange,
    FindingChange,
    FunctionComparison,
    ModelComparison,
    NumberChange,
    OperationRef,
    Reason,
)
from anecheck.lint.finding import Severity
from anecheck.report.escape import short_name
from anecheck.report.units import digits, megabytes, milliseconds, plural

Escape: TypeAlias = Callable[[str], str]

NAMES_SHOWN: Final = 4
TYPES_SHOWN: Final = 6
LABELS: Final = {
    "operations": "operations",
    "off_engine": "kept from the engine",
    "ane": "predicted on ane",
    "gpu": "predicted on gpu",
    "cpu": "predicted on cpu",
    "segments": "segments",
    "switches": "switches of device",
    "estimated_ms": "Core ML's sum for its plan",
    "latency_ms": "a prediction, estimated",
    "peak_working_set_bytes": "live at the peak",
    "weight_bytes": "weights, as stored",
    "resident_weight_bytes": "weights in memory",
}


class Row(NamedTuple):
    """A line of the table of numbers."""

    label: str
    old: str
    new: str
    change: str


def verdict(model: ModelComparison) -> str:
    """The whole in a line."""
    if model.is_unreadable:
        return "not compared"
    if model.worse:
        return "worse: " + ", ".join(_short(model.worse, gained=True))
    if model.better:
        return "not worse; better: " + ", ".join(_short(model.better, gained=False))
    return "not worse" if differs(model) else "no difference"


def differs(model: ModelComparison) -> bool:
    """Whether anything at all changed."""
    lists = (model.gained, model.lost, model.added_functions, model.removed_functions)
    return any(lists) or any(
        function.added
        or function.removed
        or function.device_changes
        or any(number.old != number.new for number in function.numbers)
        for function in model.functions
    )


def _short(reasons: Sequence[Reason], *, gained: bool) -> Iterator[str]:
    """Reasons in a few words each, findings by severity."""
    counts: Counter[Severity] = Counter()
    for reason in reasons:
        if reason.severity is not None:
            counts[reason.severity] += reason.count or 0
    for severity in Severity:
        if counts[severity]:
            yield f"{findings(counts[severity], severity)} {'gained' if gained else 'lost'}"
    moved = sum(reason.count or 0 for reason in reasons if reason.kind == "devices")
    if moved:
        yield f"{plural(moved, 'operation')} {'left' if gained else 'came to'} the engine"
    for reason in reasons:
        if reason.kind in LABELS:
            yield f"{LABELS[reason.kind]} {change(reason.kind, reason.old, reason.new)}"


def findings(count: int, severity: Severity) -> str:
    """A number of findings of a severity."""
    return f"{count} info" if severity is Severity.INFO else plural(count, severity.value)


def numbers(reasons: Iterable[Reason], model: ModelComparison, escape: Escape) -> Iterator[str]:
    """The numbers among reasons, old and new."""
    for reason in reasons:
        if reason.kind in LABELS:
            old, new = amount(reason.kind, reason.old), amount(reason.kind, reason.new)
            where = of_function(reason.function, model, escape)
            yield f"{LABELS[reason.kind]}{where}: {old} → {new} ({change(reason.kind, reason.old, reason.new)})"


def of_function(name: str | None, model: ModelComparison, escape: Escape) -> str:
    """Which function something is about, where there are several."""
    return f" of {escape(short_name(name))}" if name and len(model.functions) > 1 else ""


def devices(function: FunctionComparison, *, left: bool) -> list[list[DeviceChange]]:
    """Changes of device to report, away from the engine or to it: those of one type that the same rules speak of together,
    and all of which none does.
    """
    groups: dict[tuple[str, str | None, str | None, tuple[str, ...]], list[DeviceChange]] = {}
    for moved in function.device_changes:
        if not moved.is_tie and (moved.old.device if left else moved.new.device) == "ane":
            kind = moved.new.type if moved.blockers else ""
            key = (kind, moved.old.device, moved.new.device, tuple(moved.blockers))
            groups.setdefault(key, []).append(moved)
    return sorted(groups.values(), key=lambda group: (not group[0].blockers, -len(group)))


def device_line(group: Sequence[DeviceChange], escape: Escape) -> str:
    """What moved, from where to where, and why."""
    first, count = group[0], len(group)
    ways = f"{first.old.device} → {first.new.device}"
    if not first.blockers:
        return f"{count} {ways} that no rule keeps from it: {_types([moved.new for moved in group], escape)}"
    codes = ", ".join(map(escape, first.blockers))
    kept = "were kept" if first.new.device == "ane" else "kept"
    names = listed([moved.new.name for moved in group], escape)
    return f"{count} {ways}, {escape(short_name(first.new.type))}, {kept} from it by {codes}: {names}"


def finding_line(change_of: FindingChange, model: ModelComparison, escape: Escape) -> str:
    """What findings say, and of what."""
    where = of_function(change_of.function, model, escape)
    names = f": {listed(change_of.operations, escape)}" if change_of.operations else ""
    return f"{escape(change_of.message)}{where}{names}"


def listed(names: Sequence[str], escape: Escape) -> str:
    """The first names of a list, and how many more there are."""
    rest = len(names) - NAMES_SHOWN
    shown = ", ".join(escape(short_name(name)) for name in names[:NAMES_SHOWN])
    return shown + (f" and {rest:,} more" if rest > 0 else "")


def operations_line(function: FunctionComparison, escape: Escape) -> str:
    """How many operations are in both, and the types of those that are not."""
    parts = [f"{plural(function.matched, 'operation')} in both"]
    parts += [f"added {_types(function.added, escape)}"] if function.added else []
    parts += [f"removed {_types(function.removed, escape)}"] if function.removed else []
    ties = sum(moved.is_tie for moved in function.device_changes)
    if ties:
        parts.append(f"{ties} moved between devices that cost the same, which means nothing")
    elsewhere = [moved for moved in function.device_changes if "ane" not in {moved.old.device, moved.new.device}]
    others = sum(not moved.is_tie for moved in elsewhere)
    if others:
        parts.append(f"{others} moved between cpu and gpu")
    return "; ".join(parts)


def _types(operations: Sequence[OperationRef], escape: Escape) -> str:
    counts = Counter(operation.type for operation in operations)
    rest = len(counts) - TYPES_SHOWN
    named = ", ".join(f"{escape(short_name(kind))} {count:,}" for kind, count in counts.most_common(TYPES_SHOWN))
    return named + (f" and {plural(rest, 'more type')}" if rest > 0 else "")


def rows(function: FunctionComparison) -> Iterator[Row]:
    """The table of numbers; what both have none of is left out."""
    for number in function.numbers:
        if number.old or number.new:
            yield _row(number)


def _row(number: NumberChange) -> Row:
    shown = change(number.name, number.old, number.new) if number.delta else "" if number.delta == 0 else "?"
    return Row(LABELS[number.name], amount(number.name, number.old), amount(number.name, number.new), shown)


def amount(name: str, value: float | None) -> str:
    """A number with its unit."""
    if value is None:
        return "?"
    if name.endswith("_bytes"):
        return megabytes(int(value))
    return milliseconds(value) if name.endswith("_ms") else f"{value:,.0f}"


def change(name: str, old: float | None, new: float | None) -> str:
    """By how much a number changed: by a count, or as a share where it is time or bytes."""
    if old is None or new is None:
        return "?"
    delta = new - old
    sign = "+" if delta > 0 else "−"
    if not name.endswith(("_bytes", "_ms")):
        return f"{sign}{abs(delta):,.0f}"
    if not old:
        return "from nothing"
    share = abs(delta) / old * 100
    return f"{sign}{digits(share)}%" if share < 1000 else f"{digits(new / old)} times"


def is_counted(change_of: FindingChange, comparison: Comparison) -> bool:
    """Whether a finding is one of those that decide."""
    return comparison.fail_on != "never" and change_of.severity.rank <= Severity(comparison.fail_on).rank


def target(comparison: Comparison) -> str:
    """What both were judged for."""
    first = comparison.target
    where = f"{first.chip} ({first.family})" if first.chip else first.family
    where += f"/{first.os}" if first.os else ""
    units = f" with {first.compute_units}" if first.compute_units != "cpu-and-ne" else ""
    others = len(comparison.targets) - 1
    return where + units + (f", findings for {plural(others, 'other target')} as well" if others else "")


def closing(comparison: Comparison) -> str:
    """Several models in a line."""
    worse = sum(bool(model.worse) for model in comparison.models)
    unreadable = sum(model.is_unreadable for model in comparison.models)
    parts = [f"{plural(len(comparison.models), 'pair')} of models: {worse} worse"]
    parts += [f"{unreadable} not compared"] if unreadable else []
    parts += [f"{len(comparison.added_models)} only in the new folder"] if comparison.added_models else []
    parts += [f"{len(comparison.removed_models)} only in the old folder"] if comparison.removed_models else []
    return ", ".join(parts)
