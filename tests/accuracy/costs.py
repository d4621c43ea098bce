"""Compare predicted run times with Core ML's own estimates.

`python -m tests.accuracy.costs COST_ESTIMATES.jsonl PLACEMENTS.jsonl`: the operations of the first file whose graphs are
in the second. The CPU's time is that of its faster backend.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, inf, nan
from pathlib import Path
from typing import Any

from anecheck.lint.placement_report import OperationReport
from tests.accuracy.placements import PlacementsError, make_settings, operations_of, read_rows

CPU_BACKENDS = ("bnns", "classic_cpu")
DEVICES = ("ane", "cpu")
EXIT_BAD_INPUT = 2
ALL = "all"


@dataclass(frozen=True, slots=True)
class Estimate:
    """Core ML's estimate of one operation, in microseconds by device; a device that cannot run it is left out."""

    model: str
    index: int
    op: str
    us: dict[str, float]


@dataclass(frozen=True, slots=True)
class Errors:
    """Relative errors of the predictions of one type of operation on one device; `missing` have no prediction."""

    values: tuple[float, ...]
    missing: int = 0

    def quantile(self, share: float) -> float:
        """The error that `share` of the operations do not exceed (nearest rank)."""
        ordered = sorted(self.values)
        return ordered[max(ceil(round(share * len(ordered), 9)), 1) - 1] if ordered else nan


def read_estimates(file: Path) -> list[Estimate]:
    """Read Core ML's estimates, one JSON object a line.

    Raises:
        PlacementsError: a line is no estimate.
    """
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            found.append(_estimate(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PlacementsError(f"{file.name}:{number}: no estimate ({error!r})") from error
    return found


def _estimate(record: dict[str, Any]) -> Estimate:
    stated = {backend: us for backend, us in record["estimated_us"].items() if us is not None}
    cpu = [stated[backend] for backend in CPU_BACKENDS if backend in stated]
    us = {"ane": stated["ane"]} if "ane" in stated else {}
    return Estimate(record["model"], record["op_index"], record["op"], {**us, **({"cpu": min(cpu)} if cpu else {})})


def compare(
    estimates: Iterable[Estimate], predicted: dict[str, dict[int, OperationReport]]
) -> dict[str, dict[str, Errors]]:
    """The errors by type of operation and device, and of all types together; graphs not in `predicted` are left out."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    missing: dict[tuple[str, str], int] = defaultdict(int)
    for estimate in estimates:
        if estimate.model not in predicted:
            continue
        report = predicted[estimate.model].get(estimate.index)
        if report is None or report.type != estimate.op:
            raise PlacementsError(f"{estimate.model}: operation {estimate.index} is no {estimate.op}")
        for device, truth in estimate.us.items():
            guess = report.estimated_us.get(device)
            for name in (estimate.op, ALL):
                if guess is None:
                    missing[name, device] += 1
                else:
                    values[name, device].append(_error(guess, truth))
    names = sorted({name for name, _ in (*values, *missing)}, key=lambda name: (name == ALL, name))
    return {
        name: {device: Errors(tuple(values[name, device]), missing[name, device]) for device in DEVICES}
        for name in names
    }


def _error(guess: float, truth: float) -> float:
    if truth == 0.0:
        return 0.0 if guess == 0.0 else inf
    return abs(guess - truth) / truth


def predictions(placements: Path, target: str, wanted: set[str]) -> dict[str, dict[int, OperationReport]]:
    """What anecheck reports of each operation of the wanted graphs, by graph and index."""
    settings = make_settings(target, "cpu-and-ne")
    files = {row.model: row.file for row in read_rows(placements) if row.model in wanted}
    return {model: operations_of(placements.parent / file, settings) for model, file in files.items()}


def as_text(errors: dict[str, dict[str, Errors]]) -> str:
    """A table with a line for each type of operation."""
    head = ["operation", *(f"{device} {title}" for device in DEVICES for title in ("n", "median", "p90", "worst"))]
    table = [head]
    for name, by_device in errors.items():
        line = [name]
        for found in by_device.values():
            line.append(str(len(found.values)) + (f" (+{found.missing} missing)" if found.missing else ""))
            line += [f"{100 * found.quantile(share):.3g} %" if found.values else "-" for share in (0.5, 0.9, 1.0)]
        table.append(line)
    widths = [max(len(line[column]) for line in table) for column in range(len(head))]
    return "".join(
        line[0].ljust(widths[0])
        + "".join(f"  {cell.rjust(width)}" for cell, width in zip(line[1:], widths[1:], strict=True))
        + "\n"
        for line in table
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the errors."""
    parser = argparse.ArgumentParser("python -m tests.accuracy.costs", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("estimates", type=Path)
    parser.add_argument("placements", type=Path)
    parser.add_argument("--target", default="m4")
    options = parser.parse_args(arguments)
    try:
        estimates = read_estimates(options.estimates)
        predicted = predictions(options.placements, options.target, {estimate.model for estimate in estimates})
        errors = compare(estimates, predicted)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    left_out = sum(estimate.model not in predicted for estimate in estimates)
    print(as_text(errors), end="")
    print(
        f"{len(estimates) - left_out} operations compared; {left_out} of graphs that are not in the placements left out"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
