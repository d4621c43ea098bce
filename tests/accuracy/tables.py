"""Scores as tables of text, of Markdown and of JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

from tests.accuracy.score import Disagreement, Score

Scores: TypeAlias = Mapping[str, Mapping[str, Score]]
"""A score for each group and, in it, for each way to guess."""

LINES: Sequence[tuple[str, Callable[[Score], object]]] = (
    ("operations", lambda score: score.operations),
    ("… left out: two plans cost the same", lambda score: score.cost_ties),
    ("… of those, called a tie", lambda score: score.cost_ties_called),
    ("… without a prediction", lambda score: score.unpredicted),
    ("… called a tie, of the rest", lambda score: score.ties),
    ("device right, ties as misses", lambda score: score.device_strict),
    ("device right, ties as right", lambda score: score.device_up_to_ties),
    ("whole graphs right, ties as misses", lambda score: score.graphs_strict),
    ("whole graphs right, ties as right", lambda score: score.graphs_up_to_ties),
    ("off the engine: precision", lambda score: score.off_precision),
    ("off the engine: recall", lambda score: score.off_recall),
    ("chosen device right, nothing left out", lambda score: score.device_chosen),
    ("engine support right", lambda score: score.supported),
)


def as_text(scores: Scores, found: Sequence[Disagreement]) -> str:
    """A table for each group, and every disagreement on a line."""
    parts = []
    for group, methods in scores.items():
        table = _table(methods)
        widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
        parts.append(f"{group}: {_graphs(methods)} graphs")
        parts += [
            "  ".join(
                [
                    line[0].ljust(widths[0]),
                    *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
                ]
            )
            for line in table
        ]
        parts.append("")
    parts.append(f"{len(found)} disagreements" + (":" if found else ""))
    parts += [f"  {_reason(one)}" for one in found]
    return "\n".join(parts) + "\n"


def as_markdown(scores: Scores, found: Sequence[Disagreement]) -> str:
    """The same for a README."""
    parts = []
    for group, methods in scores.items():
        head, *body = _table(methods)
        parts += [f"### {group}: {_graphs(methods)} graphs", ""]
        parts += [_markdown_line(head), _markdown_line(["---", *("---:" for _ in head[1:])])]
        parts += [*map(_markdown_line, body), ""]
    parts += [f"### {len(found)} disagreements", ""]
    parts += [f"- {_reason(one)}" for one in found]
    return "\n".join(parts).rstrip() + "\n"


def as_json(scores: Scores, found: Sequence[Disagreement]) -> dict[str, Any]:
    """The same as data: counts, and shares as `right`, `of` and `value`."""
    return {
        "scores": {
            group: {name: _score_data(score) for name, score in methods.items()} for group, methods in scores.items()
        },
        "disagreements": [
            {
                "model": one.row.model,
                "op_index": one.row.index,
                "op": one.row.op,
                "device_wrong": one.device,
                "support_wrong": one.support,
                "measured": {"preferred": one.row.preferred, "supported": sorted(one.row.supported)},
                "predicted": {
                    "device": one.guess.device,
                    "tie": sorted(one.guess.tie),
                    "supported": sorted(one.guess.supported),
                    "blockers": list(one.guess.blockers),
                    "estimated_us": dict(one.guess.estimated_us),
                },
            }
            for one in found
        ],
    }


def _score_data(score: Score) -> dict[str, Any]:
    data = asdict(score)
    for name, share in score.shares().items():
        data[name]["value"] = share.value
    return data


def _graphs(methods: Mapping[str, Score]) -> int:
    return next(iter(methods.values())).graphs


def _table(methods: Mapping[str, Score]) -> list[list[str]]:
    return [["", *methods]] + [[title, *(str(pick(score)) for score in methods.values())] for title, pick in LINES]


def _markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _reason(one: Disagreement) -> str:
    """What was measured, what was predicted, and why, as far as the report tells."""
    row, guess = one.row, one.guess
    kinds = "+".join(name for name, wrong in (("device", one.device), ("support", one.support)) if wrong)
    estimates = ", ".join(f"{device} {cost:.3f} µs" for device, cost in guess.estimated_us if cost is not None)
    why = [
        f"blocked by {', '.join(guess.blockers)}" if guess.blockers else "",
        f"tie with {', '.join(sorted(guess.tie))}" if guess.tie else "",
        f"estimated {estimates}" if estimates else "",
    ]
    return (
        f"{row.model} {row.index} {row.op} [{kinds}]: measured {row.preferred} of {'/'.join(sorted(row.supported))}, "
        f"predicted {guess.device or 'nothing'} of {'/'.join(sorted(guess.supported)) or 'none'}"
        f" ({'; '.join(filter(None, why)) or 'the report gives no reason'})"
    )
