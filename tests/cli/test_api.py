"""anecheck from Python."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import anecheck
from anecheck.knowledge.tables import UnknownLimitError


def test_lint_takes_paths_and_models(fixtures: Path) -> None:
    path = fixtures / "flagged/cumsum.mlpackage"
    by_path = anecheck.lint(path, ignore=["ANE012", "ANE3"])
    by_model = anecheck.lint(anecheck.load(path), ignore=["ANE012", "ANE3"])
    assert isinstance(by_path, anecheck.Report)
    assert [finding.code for finding in by_path.models[0].findings] == ["ANE104"]
    assert by_model == by_path


def test_the_function_and_the_package_of_the_same_name_coexist(fixtures: Path) -> None:
    assert import_module("anecheck.lint.rule").Rule is anecheck.Rule
    assert [finding.code for finding in anecheck.lint(fixtures / "ok/bare_program.mlmodel").models[0].findings] == [
        "ANE301"
    ]


def test_importing_anecheck_imports_nothing_heavy() -> None:
    code = (
        "import anecheck, sys; print([m for m in ('pydantic', 'networkx', 'click', 'coremltools') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_unknown_names_and_targets_are_refused(fixtures: Path) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        anecheck.nothing  # noqa: B018
    with pytest.raises(ValueError, match="there is no chip, device or family 'x1'"):
        anecheck.lint(fixtures / "ok/bare_program.mlmodel", target="x1")


def test_other_limits_can_be_set(fixtures: Path) -> None:
    model = fixtures / "ok/edge_conv_7x7.mlpackage"
    assert anecheck.lint(model, select=["ANE118"], ignore=["ANE012"]).models[0].findings == []
    strict = {"conv-kernel-width": 5, "conv-kernel-height": 5, "conv-square-kernel": 5}
    (finding,) = anecheck.lint(model, select=["ANE118"], ignore=["ANE012"], limits=strict).models[0].findings
    assert finding.evidence[0].source == "own-limit"
    with pytest.raises(UnknownLimitError, match="did you mean conv-kernel-width"):
        anecheck.lint(model, limits={"conv-kernel-with": 5})
