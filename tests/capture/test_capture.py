"""`anecheck.capture`: where the sidecar is, what is in it, and what has nothing to capture.

What torch itself makes of networks is in `tests/conversion`, which needs torch.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

import anecheck
from anecheck.artifact.scopes import CaptureError
from anecheck.artifact.sidecar import Origin, SidecarError, read_sidecar
from anecheck.lint.engine import functions_of
from tests.capture.programs import Variable, captured, converted, ct, mb, single, traced, types

# Where the sidecar is


@pytest.mark.parametrize("given", ["Model.mlpackage", "Model", "Model.anecheck.json"])
def test_the_sidecar_lies_beside_the_package_whether_saved_or_not(project: Path, given: str) -> None:
    written = anecheck.capture(single(traced(("fc", "Linear"))), str(project / "models" / given))
    assert written == project / "models/Model.anecheck.json"
    assert list(read_sidecar(written)) == ["main"]


def test_the_path_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'Model\.onnx' is neither a model"):
        anecheck.capture(single(traced(("fc", "Linear"))), "Model.onnx")


def test_the_function_and_its_module_are_one(project: Path) -> None:
    assert import_module("anecheck.capture").capture
    assert anecheck.capture(single(traced(("fc", "Linear"))), project / "models/Model.mlpackage").exists()


def test_capturing_imports_nothing_of_coremltools_itself() -> None:
    code = "import anecheck.capture, sys; print([m for m in ('coremltools', 'torch', 'pydantic', 'click') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# Operations


def branch(x: Variable, name: str, inside: Callable[[], Variable]) -> Variable:
    """Do something if the sum of a value is above 0."""
    total = mb.cast(x=mb.reduce_sum(x=x, keep_dims=False, axes=[0, 1]), dtype="fp32")
    above = mb.greater(x=total, y=0.0)
    return mb.cond(pred=above, _true_fn=inside, _false_fn=lambda: mb.identity(x=x, name=f"{name}_not"), name=name)


def test_nested_blocks_are_written_too(project: Path) -> None:
    def body(x: Variable) -> Variable:
        def innermost() -> Variable:
            with traced(("outer", "Outer"), ("act", "ReLU")):
                return mb.relu(x=x, name="inside")

        def inner() -> Variable:
            with traced(("outer", "Outer"), ("inner", "Inner")):
                return branch(x, "second", innermost)

        with traced(("outer", "Outer")):
            return branch(x, "first", inner)

    found = captured(converted(body), project)
    assert {name: found[name] for name in ("first", "first_not", "second", "second_not", "inside")} == {
        "first": Origin("cond", "outer"),
        "first_not": Origin("identity", "outer"),
        "second": Origin("cond", "outer.inner"),
        "second_not": Origin("identity", "outer.inner"),
        "inside": Origin("relu", "outer.act"),
    }


def saved_operations(package: Path) -> list[tuple[str, str]]:
    """The names and types of the operations of a saved program, as reports give them."""
    (function,) = functions_of(anecheck.load(package))
    return [(node.name, node.type) for node in function.graph.nodes]


def test_an_update_of_a_state_is_the_two_operations_that_are_saved(project: Path) -> None:
    def body(x: Variable, kept: Variable) -> Variable:
        with traced(("cache", "Cache")):
            total = mb.add(x=x, y=mb.read_state(input=kept, name="before"), name="sum")
            return mb.coreml_update_state(state=kept, value=total, name="after")

    package = project / "models/Model.mlpackage"
    model = converted(body, mb.TensorSpec((1, 4), types.fp16), mb.StateTensorSpec((1, 4), types.fp16))
    model.save(str(package))
    found = captured(model, project)
    assert [(name, origin.type) for name, origin in found.items()] == saved_operations(package)
    assert {"read_state", "write_state"} <= {origin.type for origin in found.values()}


# Packages of several models


def test_functions_of_a_package_are_captured_one_by_one(project: Path) -> None:
    package = project / "models/Model.mlpackage"
    early, late = single(traced(("early", "Net"))), single(traced(("late", "Net")))
    anecheck.capture(early, package, "early")
    written = anecheck.capture(late, package, function="late")
    assert {name: found["y"].module for name, found in read_sidecar(written).items()} == {
        "early": "early",
        "late": "late",
    }
    anecheck.capture(late, package, "early")
    assert read_sidecar(written)["early"]["y"].module == "late", "captured again"
    anecheck.capture(early, package)
    assert list(read_sidecar(written)) == ["main"], "a whole model replaces what was there"


def test_a_damaged_sidecar_is_not_added_to(project: Path) -> None:
    (project / "models/Model.anecheck.json").write_text("{", encoding="utf-8")
    with pytest.raises(SidecarError, match="not valid JSON"):
        anecheck.capture(single(traced(("fc", "Linear"))), project / "models/Model.mlpackage", "early")


# What has nothing to capture


def test_what_is_no_model_is_refused(project: Path) -> None:
    with pytest.raises(TypeError, match=r"takes the model that ct.convert returned, not 'dict'"):
        anecheck.capture({}, project / "models/Model.mlpackage")


def test_a_model_loaded_from_disk_has_forgotten(project: Path) -> None:
    package = str(project / "models/Model.mlpackage")
    single(traced(("fc", "Linear"))).save(package)
    with pytest.raises(CaptureError, match="it was loaded from disk"):
        anecheck.capture(ct.models.MLModel(package, skip_model_load=True), package)
    assert not (project / "models/Model.anecheck.json").exists()


def test_a_model_that_is_not_of_torch_says_nothing(project: Path) -> None:
    with pytest.raises(CaptureError, match="none of the model's operations says"):
        anecheck.capture(converted(lambda x: mb.relu(x=x, name="y")), project / "models/Model.mlpackage")


def test_a_folder_that_is_not_there_is_an_error_of_the_system(project: Path) -> None:
    with pytest.raises(FileNotFoundError):
        anecheck.capture(single(traced(("fc", "Linear"))), project / "nowhere/Model.mlpackage")
