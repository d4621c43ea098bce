"""Score anecheck on measured placements: `python -m tests.accuracy PLACEMENTS.jsonl`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from anecheck.knowledge.target import ComputeUnits, UnknownTargetError
from tests.accuracy.placements import Guesses, Part, PlacementsError, Row, predict, read_rows
from tests.accuracy.score import (
    disagreements,
    everything_on_the_engine,
    groups,
    names_in_other_graphs,
    names_in_other_groups,
    names_supported,
    score,
)
from tests.accuracy.tables import Scores, as_json, as_markdown, as_text

EXIT_BAD_INPUT = 2


def compare(rows: Sequence[Row], table: Sequence[Row], guesses: Guesses) -> Scores:
    """Score the guesses and the baselines on each group of `rows`; `table` is what tables of names are drawn from."""
    methods = {
        "anecheck": guesses,
        "all on the engine": everything_on_the_engine(rows),
        "names, by device in other groups": names_in_other_groups(rows, table),
        "names, by device in other graphs": names_in_other_graphs(rows, table),
        "names, by support in other graphs": names_supported(rows, table),
    }
    return {
        group: {name: score(members, method) for name, method in methods.items()}
        for group, members in groups(rows).items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the scores."""
    options = _parser().parse_args(arguments)
    try:
        table = read_rows(options.placements)
        rows = [row for row in table if Part(options.part).holds(row.model)]
        guesses = predict(rows, options.placements.parent, options.target, options.compute_units)
    except (PlacementsError, UnknownTargetError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    scores, found = compare(rows, table, guesses), disagreements(rows, guesses)
    if options.json:
        print(json.dumps(as_json(scores, found), indent=2))
    else:
        print((as_markdown if options.markdown else as_text)(scores, found), end="")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.accuracy", description=__doc__)
    parser.add_argument(
        "placements", type=Path, help="measured placements; the graphs' paths in it start at its folder"
    )
    parser.add_argument("--target", default="m4")
    parser.add_argument("--compute-units", default="cpu-and-ne", choices=[units.value for units in ComputeUnits])
    parser.add_argument(
        "--part",
        default=Part.ALL.value,
        choices=[part.value for part in Part],
        help="two thirds of the graphs to choose thresholds on, or the third that is held out (by a hash of the name)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--markdown", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
