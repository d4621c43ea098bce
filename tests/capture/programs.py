"""Programs of coremltools' own builder, with the scopes that its PyTorch frontend gives them."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anecheck
from anecheck.artifact.sidecar import Origin, read_sidecar

logging.getLogger("coremltools").setLevel(logging.ERROR)  # it says at import what it cannot do on Linux

import coremltools as ct  # noqa: E402
from coremltools.converters.mil import Builder as mb  # noqa: E402, N813
from coremltools.converters.mil.mil import types  # noqa: E402
from coremltools.converters.mil.mil.scope import ScopeInfo, ScopeSource  # noqa: E402

__all__ = ["MLModel", "Variable", "captured", "converted", "ct", "exported", "mb", "single", "traced", "types"]

# coremltools has no static types.
MLModel = Any
Variable = Any
INPUT = (1, 4)
IOS18 = ct.target.iOS18


def traced(*path: tuple[str, str]) -> Any:  # noqa: ANN401  # coremltools has no types
    """The scope of an operation of `torch.jit.trace`: the names and classes of its modules, then of itself."""
    names, classes = [name for name, _ in path], [kind for _, kind in path]
    return mb.scope(
        ScopeInfo(ScopeSource.TORCHSCRIPT_MODULE_NAME, [*names, "itself"]),
        ScopeInfo(ScopeSource.TORCHSCRIPT_MODULE_TYPE, [*classes, "operation"]),
    )


def exported(*frames: tuple[Path | str, int]) -> Any:  # noqa: ANN401
    """The scope of an operation of `torch.export`: the stack that leads to it."""
    lines = (f'  File "{file}", line {line}, in forward\n    x = self.layer(x)\n' for file, line in frames)
    return mb.scope(ScopeInfo(ScopeSource.EXIR_STACK_TRACE, ["".join(lines)]))


def converted(body: Callable[..., Variable], *specs: Any) -> MLModel:  # noqa: ANN401
    """A program as `ct.convert` returns it, no pass run over it."""
    given = specs or (mb.TensorSpec(shape=INPUT, dtype=types.fp16),)
    program = mb.program(input_specs=list(given), opset_version=IOS18)(body)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its temporary folder to be cleaned up
        return ct.convert(
            program, minimum_deployment_target=IOS18, pass_pipeline=ct.PassPipeline.EMPTY, skip_model_load=True
        )


def single(scope: Any) -> MLModel:  # noqa: ANN401
    """A model of one operation in a scope."""

    def body(x: Variable) -> Variable:
        with scope:
            return mb.relu(x=x, name="y")

    return converted(body)


def captured(model: MLModel, project: Path) -> dict[str, Origin]:
    """What the sidecar says of a model's main function."""
    return dict(read_sidecar(anecheck.capture(model, project / "models/Model.mlpackage"))["main"])
