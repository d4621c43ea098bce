"""Good models damaged at random: reading and linting them works or says what is wrong, and never fails otherwise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from anecheck.artifact.errors import Fault
from tests.conftest import REPOSITORY

COUNT = 1500


@pytest.fixture(scope="module", params=[1, 2], ids=["first seed", "second seed"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `COUNT` mutations led to, in a process of their own that ends itself where one hangs."""
    arguments = (tmp_path_factory.mktemp("mutations"), request.param, COUNT)
    done = subprocess.run(
        [sys.executable, "-m", "tests.artifact.mutate", *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def test_nothing_but_an_artifact_error_ever_escapes(report: dict[str, Any]) -> None:
    assert report["unexpected"] == []


def test_no_rule_crashes(report: dict[str, Any]) -> None:
    assert report["rules"] > 20
    assert [outcome for outcome in report["outcomes"] if outcome.startswith("crashed")] == []


def test_every_kind_of_damage_is_met(report: dict[str, Any]) -> None:
    outcomes = report["outcomes"]
    assert sum(outcomes.values()) == COUNT
    faults = (Fault.CORRUPT, Fault.BAD_MANIFEST, Fault.INVALID_PROGRAM, Fault.BAD_TEXT)
    assert min(outcomes[fault.value] for fault in faults) > COUNT // 50
    assert outcomes["read"] > COUNT // 5


def test_memory_stays_small(report: dict[str, Any]) -> None:
    assert report["peak"] < 500


def test_mutations_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    script = (
        "import random, sys; from pathlib import Path; from tests.artifact.mutate import targets\n"
        "dice = random.Random(3)\n"
        "for _, file, damage in targets(Path(sys.argv[1])): print(hash(damage(file.read_bytes(), dice)))\n"
    )
    outputs = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        command = [sys.executable, "-c", script, str(tmp_path / name)]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, env=environment)
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert "".join(outputs).count("\n") > 30
