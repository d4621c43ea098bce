"""The benchmark's models are real ones, and its command runs. Nothing is timed here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from anecheck.api import lint
from anecheck.artifact.load import load
from anecheck.lint.engine import functions_of
from anecheck.mil.program import walk
from tests.benchmarks.models import save_model

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("operations", [1, 40, 1000])
@pytest.mark.parametrize("options", ["", "dense", "fp32"])
def test_model_has_the_operations_asked_for(tmp_path: Path, operations: int, options: str) -> None:
    package = tmp_path / "model.mlpackage"
    save_model(package, operations, repeat_constants=options == "dense", fp32=options == "fp32")
    report = lint(package).models[0]
    assert report.error is None
    assert [function.summary.operations for function in report.functions] == [operations]
    assert not [finding for finding in report.findings if finding.code.startswith("ANE0")]


@pytest.mark.parametrize(("repeat_constants", "density"), [(False, 0.8), (True, 1.7)])
def test_density_of_constants(tmp_path: Path, repeat_constants: bool, density: float) -> None:
    save_model(tmp_path / "model.mlpackage", 1000, repeat_constants=repeat_constants)
    (function,) = functions_of(load(tmp_path / "model.mlpackage"))
    constants = sum(operation.type == "const" for operation in walk(function.graph.function.block))
    assert constants / 1000 == pytest.approx(density, abs=0.1)


def test_weights_are_as_large_as_said_and_take_no_room(tmp_path: Path) -> None:
    package = tmp_path / "model.mlpackage"
    size = save_model(package, 1000, width=544)
    assert size > 500_000_000
    (file,) = load(package).weights
    assert (file.status, sum(blob.size for blob in file.blobs.values())) == ("present", size)
    assert lint(package).models[0].functions[0].summary.weight_bytes == size


def test_command_measures_a_small_model() -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "--pairs", "1", "--case", "small", "--json"]
    result = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    (figure,) = json.loads(result.stdout)["figures"]
    assert figure["case"]["name"] == "small"
    assert figure["seconds"] > 0
    assert figure["peak"] > 0
