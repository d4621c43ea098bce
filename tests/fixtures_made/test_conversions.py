"""The packages of fixtures/conversions against an independent record of what coremltools makes of the same patterns."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from anecheck.artifact.load import load
from anecheck.lint.engine import functions_of
from anecheck.mil.types import Type
from tests.conftest import FIXTURES

RECORD = Path(__file__).parents[3] / "shared/evidence/torch_to_mil.jsonl"
PACKAGES = sorted((FIXTURES / "conversions").glob("*.mlpackage"))
PATTERNS = 182

Operations = tuple[tuple[str, ...], ...]
"""The operations of a function, constants left out: the type of each, then the types of its outputs."""


@dataclass(frozen=True)
class Conversion:
    """What became of a pattern for one target."""

    opset: str
    inputs: dict[str, str]
    operations: Operations


Record = dict[str, dict[str, Conversion]]
"""The conversions of each pattern by target, the oldest first; none for a pattern that does not convert."""


@pytest.fixture(scope="module")
def record() -> Record:
    if not RECORD.exists():
        pytest.skip(f"the recorded conversions are not beside the repository ({RECORD.parent.name}/{RECORD.name})")
    rows = [json.loads(line) for line in RECORD.read_text(encoding="utf-8").splitlines()]
    found: Record = {}
    for row in rows:
        conversions = found[row["pattern"]] = {}
        operations: Operations = ()
        for target, made in row["targets"].items():
            if made["ok"]:
                if made["ops"] != "same":
                    operations = tuple(map(tuple, made["ops"]))
                conversions[target.lower()] = Conversion(made["opset"], made["inputs"], operations)
    assert len(found) == len(rows) == PATTERNS
    return found


def kept(conversions: dict[str, Conversion]) -> set[str]:
    """The newest target of each different list of operations."""
    newest = {made.operations: target for target, made in conversions.items()}
    return set(newest.values())


def text(kind: Type) -> str:
    """Spell a type as the record does."""
    return str(kind).replace("fp", "float").replace(" ", "")


def read(path: Path) -> Conversion:
    (function,) = functions_of(load(path))
    graph = function.graph
    return Conversion(
        graph.function.opset,
        {operand.name: text(operand.type) for operand in graph.inputs},
        tuple((node.type, *(text(operand.type) for operand in node.outputs)) for node in graph.nodes if not node.block),
    )


def test_every_pattern_is_committed_or_recorded_as_failing(record: Record) -> None:
    wanted = {f"{name}_{target}" for name, conversions in record.items() for target in kept(conversions)}
    assert {path.stem for path in PACKAGES} == wanted
    assert sum(not conversions for conversions in record.values()) == 9


def test_every_package_is_the_program_that_was_recorded(record: Record) -> None:
    wrong = []
    for path in PACKAGES:
        name, _, target = path.stem.rpartition("_")
        if read(path) != record[name][target]:
            wrong.append(path.name)
    assert not wrong
