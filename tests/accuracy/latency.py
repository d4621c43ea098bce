"""Published latencies against anecheck's estimates: `python -m tests.accuracy.latency [--fit] [--markdown]`.

Networks are kept for fitting or for testing as a whole, by a hash of their name, in all their forms and on all chips.
"""

from __future__ import annotations

import argparse
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import tomli

import anecheck
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits, parse_target
from anecheck.lint.engine import functions_of, judge
from anecheck.lint.registry import load_registry
from anecheck.predict.latency import Timing

FOLDER = Path(__file__).parents[2] / "fixtures" / "latency"
PUBLISHED = FOLDER / "published.toml"
FORM = re.compile(r"_(pal\d|sparse\d+|w8a\d+)$")
"""What the name of a compressed network has after that of the network."""


@dataclass(frozen=True)
class Row:
    """A published latency with the parts of the estimate; `ms` is the middle of a published range."""

    package: str
    network: str
    chip: str
    precision: str
    harness: str
    ms: float
    excluded: str
    timing: Timing

    @property
    def is_test(self) -> bool:
        """Whether the network is kept for testing."""
        return zlib.crc32(self.network.encode()) % 2 == 1

    @property
    def error(self) -> float:
        """By which part the estimate is off; 0.1 is 10 % too high."""
        return self.timing.ms / self.ms - 1.0

    @property
    def is_inside(self) -> bool:
        """Whether the published time lies in the estimate's range."""
        low, high = self.timing.range
        return low <= self.ms <= high


def read_rows(knowledge: Knowledge | None = None) -> list[Row]:
    """Read the published latencies of every package that is there, and estimate each."""
    table = tomli.loads(PUBLISHED.read_text(encoding="utf-8"))["latency"]
    known = knowledge or Knowledge()
    return [_row(entry, known) for entry in table]


def _row(entry: dict[str, object], knowledge: Knowledge) -> Row:
    ms = entry["ms"]
    middle = sum(ms) / len(ms) if isinstance(ms, list) else float(str(ms))
    system = str(entry.get("system", "")).lower().replace(" ", "")
    target = f"{entry['chip']}/{system}" if system else str(entry["chip"])
    return Row(
        package=str(entry["package"]),
        network=FORM.sub("", str(entry["package"])),
        chip=str(entry["chip"]),
        precision=str(entry["precision"]),
        harness=str(entry.get("harness", "")),
        ms=middle,
        excluded=str(entry.get("excluded", "")),
        timing=estimate(str(entry["package"]), target, knowledge),
    )


@cache
def model(package: str) -> anecheck.Model:
    """Read one of the packages."""
    return anecheck.load(FOLDER / f"{package}.mlpackage")


def estimate(package: str, target: str, knowledge: Knowledge) -> Timing:
    """Estimate one of the packages on a target."""
    read, registry = model(package), load_registry()
    judgement = judge(
        read,
        functions_of(read),
        registry.rules,
        parse_target(target, knowledge),
        ComputeUnits.CPU_AND_NE,
        knowledge,
        frozenset(),
    )
    return judgement.assessments[0].timing


def rank_correlation(rows: Sequence[Row]) -> float | None:
    """Spearman's coefficient of published and estimated times; `None` for fewer than three rows."""
    if len(rows) < 3:
        return None
    published, estimated = _ranks([row.ms for row in rows]), _ranks([row.timing.ms for row in rows])
    mean = (len(rows) + 1) / 2
    across = sum((a - mean) * (b - mean) for a, b in zip(published, estimated, strict=True))
    spread = [sum((rank - mean) ** 2 for rank in ranks) for ranks in (published, estimated)]
    return float(across / (spread[0] * spread[1]) ** 0.5) if all(spread) else None


def _ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1; equals share the middle of theirs."""
    ordered = sorted(values)
    return [(2 * ordered.index(value) + ordered.count(value) + 1) / 2 for value in values]


def summary(rows: Sequence[Row]) -> str:
    """Median and worst error, how many lie inside the range, and the rank correlation."""
    errors = [abs(row.error) for row in rows]
    inside = sum(row.is_inside for row in rows)
    ranks = rank_correlation(rows)
    correlation = f", rank correlation {ranks:.2f}" if ranks is not None else ""
    return (
        f"{len(rows)} rows, median error {median(errors):.0%}, worst {max(errors):.0%}, "
        f"{inside} inside the range{correlation}"
    )


def by_chip(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows that count, by chip."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if not row.excluded:
            found.setdefault(row.chip, []).append(row)
    return dict(sorted(found.items()))


def table(rows: Sequence[Row], *, markdown: bool) -> str:
    """All rows as a table, then the figures of each chip."""
    lines = []
    mark = "| {} | {} | {} | {} | {} | {} | {} |" if markdown else "{:<28} {:<7} {:<9} {:>9} {:>16} {:>6} {}"
    lines.append(mark.format("network", "chip", "precision", "published", "estimated", "error", "for"))
    if markdown:
        lines.append("| --- | --- | --- | ---: | ---: | ---: | --- |")
    for row in sorted(rows, key=lambda row: (row.chip, row.network, row.package, row.ms)):
        low, high = row.timing.range
        purpose = "left out" if row.excluded else "test" if row.is_test else "fit"
        estimated = f"{row.timing.ms:.2f} ({low:.2f}–{high:.2f})"
        precision = row.precision.partition(" ")[0]
        lines.append(
            mark.format(row.network, row.chip, precision, f"{row.ms:.2f}", estimated, f"{row.error:+.0%}", purpose)
        )
    lines.append("")
    for chip, members in by_chip(rows).items():
        for name, part in (
            ("fit", [row for row in members if not row.is_test]),
            ("test", [row for row in members if row.is_test]),
            ("all", members),
        ):
            if part:
                lines.append(f"{'- ' if markdown else ''}{chip}, {name}: {summary(part)}")
    return "\n".join(lines)


def main() -> None:
    """Print the table, or fitted rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", action="store_true", help="fit the rates to the networks kept for fitting")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    rows = read_rows()
    if options.fit:
        from tests.accuracy.rates import fitted, groups  # noqa: PLC0415

        training = {chip: [row for row in members if not row.is_test] for chip, members in by_chip(rows).items()}
        chips = Knowledge().chips
        memory = {chip: float(str(chips[chip].figures["dram_gbps"].value)) for chip in training}
        for group in groups(training):
            print(fitted(group, memory))
        return
    print(table(rows, markdown=options.markdown))


if __name__ == "__main__":
    main()
