"""What is done about every known restriction of the engine; `python -m tests.rules.coverage` writes `rules/COVERAGE.md`.

The rows are kept in `rules/coverage/`, the rules say themselves which rows they take care of (`covers`), and the table is
made of both.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import tomli
from anecheck_rules import RULES
from pydantic import BaseModel, ConfigDict

from anecheck.knowledge.evidence import Confidence
from anecheck.lint.rule import Example, Rule

FOLDER: Final = Path(__file__).parents[2] / "rules"
TABLE: Final = FOLDER / "COVERAGE.md"

DECISIONS: Final = {
    "rule": "a rule, or a limit of one, speaks of it",
    "knowledge": "the operator table, a limit or the cost model holds it, and placement uses it",
    "left out": "nothing is said of it, for the reason given",
}

REASONS: Final = {
    "private route": "seen only where the engine was forced, or driven without Core ML; Core ML goes another way",
    "Core AI only": "said of another framework, with a compiler of its own",
    "contradicted": "better evidence says the opposite, or as good evidence does",
    "not visible": "it depends on what no program shows: values, buffers, other processes, the state of the machine",
    "no threshold": "nobody says from where on it holds, or it holds of nearly every model, so a finding would be noise",
    "harmless": "it costs nothing that anybody could win back",
    "no restriction": "it says what works",
    "not yet": "it needs a prediction that is not made yet",
}


class Restriction(BaseModel):
    """A restriction of the engine, and what is done about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    confidence: Confidence
    decision: str
    because: str = ""
    where: str = ""
    note: str = ""


def restrictions() -> list[Restriction]:
    """Every restriction, in the order of the files and of their rows."""
    return [
        Restriction(**row)
        for file in sorted((FOLDER / "coverage").glob("*.toml"))
        for row in tomli.loads(file.read_text(encoding="utf-8"))["restriction"]
    ]


def covering() -> dict[str, list[Rule]]:
    """The rules that say they take care of a restriction, by its identifier."""
    found: dict[str, list[Rule]] = {}
    for rule in sorted((rule() for rule in RULES), key=lambda rule: rule.code):
        for row in rule.covers:
            found.setdefault(row, []).append(rule)
    return found


def kind(example: Example) -> str:
    """What a rewrite promises: "equal", "approximation", "redesign", or "none" where there is none inside the program."""
    if example.after is None:
        return "none"
    return "equal" if example.equal else example.reason.partition(":")[0]


def table() -> str:
    """The whole table as Markdown."""
    rows, rules = restrictions(), covering()
    counts = {decision: sum(row.decision == decision for row in rows) for decision in DECISIONS}
    lines = [
        "# What is covered",
        "",
        f"{len(rows)} restrictions of the Neural Engine are known, each with its own sources and standing. This table says",
        "what is done about each; `python -m tests.rules.coverage` writes it anew from `rules/coverage/` and the rules.",
        "",
        *(f"- **{decision}** ({counts[decision]}): {meaning}" for decision, meaning in DECISIONS.items()),
        "",
        "Why something is left out:",
        "",
        *(
            f"- *{reason}* ({sum(row.because == reason for row in rows)}): {meaning}"
            for reason, meaning in REASONS.items()
        ),
        "",
        "| | restriction | standing | decision | where, or why not |",
        "| --- | --- | --- | --- | --- |",
        *(_row(row, rules.get(row.id, [])) for row in rows),
        "",
        *_rewrites(),
    ]
    return "\n".join(lines) + "\n"


def _row(row: Restriction, rules: Iterable[Rule]) -> str:
    named = ", ".join(f"[{rule.code}](README.md#{rule.code.lower()}) {rule.name}" for rule in rules)
    place = "; ".join(part for part in (named, row.where, row.note) if part)
    if row.because:
        place = f"*{row.because}*: {place}"
    return f"| {row.id} | {row.title} | {row.confidence.value} | {row.decision} | {place} |"


def _rewrites() -> list[str]:
    examples = [(rule, number, example) for rule in _rules() for number, example in enumerate(rule.EXAMPLES, 1)]
    counts = {wanted: sum(kind(example) == wanted for *_, example in examples) for wanted in ("equal", "none")}
    loose = [found for found in examples if kind(found[2]) not in counts]
    return [
        "## Rewrites",
        "",
        f"{counts['equal']} rewrites keep the numbers and are executed against the original in the tests. These do not:",
        "",
        "| rule | kind | what changes |",
        "| --- | --- | --- |",
        *(
            f"| {rule.code} {rule.name} ({number}) | {kind(example)} | {example.reason.partition(': ')[2]} |"
            for rule, number, example in loose
        ),
        "",
        f"{counts['none']} examples have no rewrite inside the program:",
        "",
        *(f"- {rule.code} {rule.name}: {example.reason}" for rule, _, example in examples if kind(example) == "none"),
    ]


def _rules() -> list[Rule]:
    return sorted((rule() for rule in RULES), key=lambda rule: rule.code)


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
