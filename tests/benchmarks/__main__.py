"""How long anecheck takes and how much memory it needs, against `import coremltools` in the same minute.

    python -m tests.benchmarks [--pairs N] [--case NAME]... [--json]

Run it from the root of the repository. Every case is a whole process: the interpreter starts, anecheck is imported, the
model is read, judged and reported. It alternates with `python -c "import coremltools"`, after one run of each to warm
up; figures are medians of N pairs (default 5). Targets are printed beside the figures and never asserted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmarks.measure import ANECHECK, COREMLTOOLS, Comparison, compare

PAIRS = 5
PEAK_LIMIT = 80_000_000
SMALL, LARGE = "small", "50k"
GROWTH_FROM = "4k"
GROWTH_NOISE = 1.1
"""Time per operation may seem to grow by this factor before it counts as faster than linear."""


@dataclass(frozen=True, slots=True)
class Case:
    """A command to measure: `lint` on a generated model, or with no `operations`, `arguments` alone."""

    name: str
    operations: int = 0
    options: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ("lint",)
    ratio: float | None = None
    peak: int | None = None


CASES = (
    Case("version", arguments=("--version",), ratio=0.15),
    Case(SMALL, 40, ratio=0.35),
    Case("4k", 4_000, ratio=0.6, peak=PEAK_LIMIT),
    Case("4k, 2 GB of weights", 4_000, ("--width", "544"), ratio=0.6, peak=PEAK_LIMIT),
    Case("4k, 1.7 constants each", 4_000, ("--repeat-constants",)),
    Case("4k in fp32", 4_000, ("--fp32",)),
    Case("10k", 10_000),
    Case(LARGE, 50_000),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured for a case; `per_operation` leaves out what a small model takes, in microseconds."""

    case: Case
    seconds: float
    ratio: float
    peak: int
    per_operation: float | None = None
    growth: float | None = None


def measure(cases: Sequence[Case], pairs: int) -> list[Figure]:
    """Measure the cases one after the other, with models in a folder that is removed afterwards."""
    figures: dict[str, Figure] = {}
    with tempfile.TemporaryDirectory(prefix="anecheck-benchmark-") as folder:
        for case in cases:
            compared = compare(_command(case, Path(folder)), COREMLTOOLS, pairs, Path(folder))
            figures[case.name] = _figure(case, compared, figures)
            print(f"measured {case.name}", file=sys.stderr)
    return list(figures.values())


def _command(case: Case, folder: Path) -> list[str]:
    command = [*ANECHECK, *case.arguments]
    if case.operations:
        package = folder / f"{case.name}.mlpackage"
        maker = [sys.executable, "-m", "tests.benchmarks.models", str(package), str(case.operations), *case.options]
        subprocess.run(maker, check=True, stdout=subprocess.DEVNULL)  # in a process of its own: see `measure.run`
        command.append(str(package))
    return command


def _figure(case: Case, compared: Comparison, before: dict[str, Figure]) -> Figure:
    small = before.get(SMALL)
    per_operation = growth = None
    if small and case.operations > small.case.operations:
        extra = compared.seconds - small.seconds
        per_operation = extra / (case.operations - small.case.operations) * 1e6
        start = before.get(GROWTH_FROM)
        if start and start.per_operation and case.operations > start.case.operations:
            growth = per_operation / start.per_operation
    return Figure(case, compared.seconds, compared.ratio, compared.peak, per_operation, growth)


def table(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"{'case':<24}{'seconds':>8}  {'ratio':<20}{'peak MB':<20}{'µs/operation':<14}growth since {GROWTH_FROM}"
    for figure in figures:
        peak = figure.peak / 1e6
        limit = figure.case.peak / 1e6 if figure.case.peak else None
        each = f"{figure.per_operation:.0f}" if figure.per_operation is not None else ""
        growth = _judged(figure.growth, GROWTH_NOISE, 2) if figure.growth is not None else ""
        ratio, memory = _judged(figure.ratio, figure.case.ratio, 2), _judged(peak, limit, 0)
        yield f"{figure.case.name:<24}{figure.seconds:>8.3f}  {ratio:<20}{memory:<20}{each:<14}{growth}".rstrip()


def _judged(value: float, limit: float | None, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text if limit is None else f"{text} ≤ {limit:.{digits}f} {'met' if value <= limit else 'MISSED'}"


def main() -> None:
    """Measure what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--pairs", "-n", type=int, default=PAIRS, metavar="N")
    parser.add_argument(
        "--case", action="append", choices=[case.name for case in CASES], help="repeatable; default all"
    )
    parser.add_argument("--json", action="store_true")
    choices = parser.parse_args()
    cases = [case for case in CASES if not choices.case or case.name in choices.case]
    figures = measure(cases, choices.pairs)
    if choices.json:
        machine = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
        content = {"machine": machine, "pairs": choices.pairs, "figures": [asdict(figure) for figure in figures]}
        print(json.dumps(content, indent=2))
        return
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; ratios to `import coremltools`")
    print("\n".join(table(figures)))


if __name__ == "__main__":
    main()
