"""Real conversions: what `anecheck.capture` writes at `ct.convert` comes out as the source of findings.

`python -m pytest -m conversion` makes an environment with torch and coremltools first, which takes minutes and gigabytes. To use
one that is there, with torch 2.7.0, coremltools 9.0 and numpy below 2.4, name its Python:
`ANECHECK_TORCH_PYTHON=/path/to/bin/python`. anecheck itself it takes from this repository.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import anecheck
from anecheck.artifact.sidecar import Origins, read_sidecar
from anecheck.lint.finding import Finding, Source
from tests.conftest import FIXTURES, REPOSITORY

pytestmark = pytest.mark.conversion

REQUIREMENTS = ("torch==2.7.0", "numpy==2.3.5", "coremltools==9.0")
CONVERT = """
import json, sys
import coremltools as ct
import torch
import anecheck
from nets import Branching, Gate, Gated, Recurrent, Remembering

IOS18 = ct.target.iOS18
PICTURE = (1, 3, 8, 8)
refused = {}


def save(model, name, function=None):
    model.save(f"models/{name}.mlpackage")
    print(anecheck.capture(model, f"models/{name}.mlpackage", function), file=sys.stderr)


def exported(net, example, strict=False):
    program = torch.export.export(net, (example,), strict=strict).run_decompositions({})
    return ct.convert(program, minimum_deployment_target=IOS18, skip_model_load=True)


def traced(net, example, output=None, name="x", trace=torch.jit.trace):
    outputs = [ct.TensorType(output)] if output else None
    inputs = [ct.TensorType(name, example.shape)]
    return ct.convert(trace(net, example), inputs=inputs, outputs=outputs, minimum_deployment_target=IOS18, skip_model_load=True)


def refusal(name, model):
    try:
        anecheck.capture(model, "models/never.mlpackage")
    except ValueError as error:
        refused[name] = str(error)


torch.manual_seed(0)
with torch.no_grad():
    picture, row = torch.zeros(PICTURE), torch.zeros(1, 16)
    net = Gated().eval()
    save(traced(net, picture), "traced")
    save(exported(net, picture), "exported")
    save(exported(net, picture, strict=True), "strict")
    save(traced(Recurrent().eval(), torch.zeros(1, 4, 8)), "recurrent")
    save(traced(Branching().eval(), row, trace=lambda net, _: torch.jit.script(net)), "branching")
    save(exported(Remembering().eval(), torch.zeros(1, 8)), "remembering")

    first, second = traced(Gate(16).eval(), row, output="y"), traced(Gate(16).eval(), row, name="y")
    descriptor = ct.utils.MultiFunctionDescriptor()
    for name, model in (("early", first), ("late", second)):
        model.save(f"models/{name}.mlpackage")
        descriptor.add_function(f"models/{name}.mlpackage", "main", name)
        anecheck.capture(model, "models/functions.mlpackage", name)
    descriptor.default_function_name = "early"
    ct.utils.save_multifunction(descriptor, "models/functions.mlpackage")
    ct.utils.make_pipeline(first, second, compute_units=ct.ComputeUnit.CPU_ONLY).save("models/parts.mlpackage")
    for name, model in (("0/main", first), ("1/main", second)):
        anecheck.capture(model, "models/parts.mlpackage", name)

refusal("loaded", ct.models.MLModel("models/traced.mlpackage", skip_model_load=True))
json.dump(refused, sys.stdout)
"""


@pytest.fixture(scope="session")
def torch_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python that has torch and coremltools."""
    named = os.environ.get("ANECHECK_TORCH_PYTHON")
    if named:
        return named
    place = tmp_path_factory.mktemp("torch")
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    python = str(place / "bin/python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-cache-dir", *REQUIREMENTS], check=True)
    return python


class Project:
    """A user's project: networks in `src/`, models in `models/`, and what capturing them said."""

    def __init__(self, folder: Path, refused: dict[str, str]) -> None:
        self.folder, self.refused = folder, refused

    def line_of(self, text: str) -> int:
        """The line, from 1, of the networks' file that holds a text."""
        lines = (self.folder / "src/nets.py").read_text(encoding="utf-8").splitlines()
        (found,) = (number for number, line in enumerate(lines, start=1) if text in line)
        return found

    def findings(self, model: str, code: str | None = None) -> list[Finding]:
        """What linting finds in a model, from the project's folder."""
        (report,) = anecheck.lint(f"models/{model}.mlpackage").models
        assert report.error is None
        return [finding for finding in report.findings if code in {None, finding.code}]

    def captured(self, model: str) -> Origins:
        """What the sidecar of a model says."""
        return read_sidecar(self.folder / f"models/{model}.anecheck.json")


@pytest.fixture(scope="session")
def converted(torch_python: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("project")
    for name in ("src", "models"):
        (folder / name).mkdir()
    (folder / "pyproject.toml").write_text("[project]\nname = 'nets'\n", encoding="utf-8")
    shutil.copy(FIXTURES / "make/captured_nets.py", folder / "src/nets.py")
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY}:{folder / 'src'}", "TQDM_DISABLE": "1"}
    command = [torch_python, "-W", "ignore", "-c", CONVERT]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    refused: dict[str, str] = json.loads(result.stdout)
    return Project(folder, refused)


@pytest.fixture
def project(converted: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(converted.folder)
    return converted


MODELS = ("traced", "exported", "strict", "recurrent", "branching", "remembering", "functions", "parts")


@pytest.mark.parametrize("model", MODELS)
def test_every_operation_of_the_saved_model_is_in_its_sidecar(project: Project, model: str) -> None:
    assert project.findings(model), "the sidecar is only looked at where something is found"
    assert project.findings(model, "ANE015") == project.findings(model, "ANE016") == []


@pytest.mark.parametrize("model", ["exported", "strict"])
def test_an_exported_models_findings_point_at_the_line_of_the_users_file(project: Project, model: str) -> None:
    sources = [finding.source for finding in project.findings(model, "ANE104")]
    wanted = Source(file="src/nets.py", line=project.line_of("torch.cumsum(x, dim=-1)"))
    assert sources == [wanted, wanted], "both layers come from the same line"


def test_a_traced_models_findings_name_the_module_with_the_lists_that_traces_leave_out(project: Project) -> None:
    sources = [finding.source for finding in project.findings("traced", "ANE104")]
    assert sources == [Source(module="layers.0"), Source(module="layers.1")]


def test_what_passes_fold_and_fuse_keeps_its_origin(project: Project) -> None:
    line = project.line_of("self.bn(self.conv(image))")
    traced, exported = (
        next(origin for origin in project.captured(model)["main"].values() if origin.type == "conv")
        for model in ("traced", "exported")
    )
    assert traced.module == "bn", "the normalisation took the convolution in, not the other way round"
    assert (exported.file, exported.line) == ("../src/nets.py", line)


def test_nested_blocks_are_captured(project: Project) -> None:
    nested = [finding for finding in project.findings("recurrent") if finding.block]
    assert nested
    assert {finding.source for finding in nested} == {Source(module="gru")}


def test_what_a_branch_does_is_of_its_own_module(project: Project) -> None:
    sums = project.findings("branching", "ANE104")
    assert [finding.block != [] for finding in sums] == [True]
    assert sums[0].source == Source(module="gate")
    modules = {origin.module for origin in project.captured("branching")["main"].values()}
    assert modules == {None, "gate", "gate.fc1", "gate.act", "fc"}


def test_writing_and_reading_a_state_are_captured(project: Project) -> None:
    captured = project.captured("remembering")["main"]
    model = anecheck.load("models/remembering.mlpackage")
    assert model.program
    types = {operation.type for operation in model.program.functions["main"].block.operations}
    assert {"read_state", "write_state"} <= types
    assert {"read_state", "write_state"} <= {origin.type for origin in captured.values()}


@pytest.mark.parametrize(("model", "functions"), [("functions", ("early", "late")), ("parts", ("0/main", "1/main"))])
def test_a_package_of_several_models_is_captured_model_by_model(
    project: Project, model: str, functions: tuple[str, ...]
) -> None:
    assert tuple(project.captured(model)) == functions
    assert {finding.function for finding in project.findings(model, "ANE104")} == set(functions)


def test_a_model_loaded_from_disk_has_nothing_to_capture(project: Project) -> None:
    assert "it was loaded from disk" in project.refused["loaded"]
    assert not Path("models/never.anecheck.json").exists()
