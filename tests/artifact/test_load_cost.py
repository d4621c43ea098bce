"""What loading does not do: read weights, or import what it does not need."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.artifact.packages import WEIGHTS, copy_of, run_python
from tests.conftest import FIXTURES

PEAK = """
import json, sys
from anecheck.artifact.load import load

models = [load(path) for path in sys.argv[1:]]
with open("/proc/self/status") as status:  # unlike getrusage's peak, this one does not remember the parent process
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(json.dumps([peak, [[file.status, file.size] for model in models for file in model.weights]]))
"""

MODULES = """
import json, sys
import anecheck.artifact.load

path = sys.argv[1]
before = sorted(sys.modules)
anecheck.artifact.load.load(path)
print(json.dumps([before, sorted(sys.modules)]))
"""

BOTH = """
import logging, sys, warnings
from anecheck.artifact.load import load

logging.getLogger("coremltools").setLevel(logging.ERROR)
warnings.simplefilter("ignore")
if sys.argv[2] == "coremltools first":
    import coremltools
first = load(sys.argv[1])
import coremltools

spec = coremltools.utils.load_spec(sys.argv[1])
assert spec.WhichOneof("Type") == "mlProgram"
assert list(spec.mlProgram.functions) == ["main"]
assert type(spec) is coremltools.proto.Model_pb2.Model
assert load(sys.argv[1]) == first
print("both work")
"""

HEAVY = {"coremltools", "numpy", "torch", "networkx", "sympy", "scipy", "sklearn", "pydantic", "rich", "click"}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process's memory is read from /proc")
def test_two_gibibytes_of_weights_are_not_read(tmp_path: Path) -> None:
    package = copy_of("ok/weights_present.mlpackage", tmp_path)
    os.truncate(package / "Data" / WEIGHTS, 2 << 30)
    peak_kib, weights = json.loads(run_python(PEAK, package))
    assert weights == [["present", 2 << 30]]
    assert peak_kib < 60 * 1024


def test_loading_imports_nothing_heavy() -> None:
    for name in ("ok/state_two_updates.mlpackage", "flagged/neural_network.mlmodel"):
        before, after = (set(modules) for modules in json.loads(run_python(MODULES, FIXTURES / name)))
        assert "anecheck.artifact.load" in before
        assert "_anecheck_coremltools_proto.Model_pb2" in after - before
        assert not {module.partition(".")[0] for module in after} & HEAVY


@pytest.mark.parametrize("order", ["anecheck first", "coremltools first"])
def test_coremltools_itself_works_in_the_same_process(order: str) -> None:
    path = FIXTURES / "ok/weights_several_blobs.mlpackage"
    assert run_python(BOTH, path, order).strip() == "both work"


def test_importing_anecheck_imports_none_of_its_parts() -> None:
    script = "import sys, anecheck; print([name for name in sys.modules if name.startswith('anecheck.')])"
    assert run_python(script).strip() == "['anecheck.version']"
