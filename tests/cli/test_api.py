"""anecheck from Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

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


def test_budgets_from_python(fixtures: Path, tmp_path: Path) -> None:
    resnet, mobilenet = fixtures / "zoo/resnet50.mlpackage", fixtures / "zoo/mobilenet_v3_large.mlpackage"

    def missed(model: str | Path | anecheck.Model, **wanted: Any) -> list[float]:  # noqa: ANN401  # as Wanted has them
        report = anecheck.lint(
            model, target="a14", select=["ANE809"], ignore=["ANE012"], budgets=anecheck.Wanted(**wanted)
        )
        return [finding.data["estimated_ms"] for finding in report.models[0].findings]

    assert missed(resnet) == missed(resnet, fps=100) == []
    (alone,) = missed(resnet, fps=500)
    (other,) = missed(mobilenet, fps=1000)
    assert alone == pytest.approx(2.564, abs=1e-3)
    for model in (resnet, anecheck.load(resnet)):
        assert missed(model, fps=500) == [alone]
        assert missed(model, fps=250, beside=(str(mobilenet),)) == pytest.approx([alone + other])
    with pytest.raises(ValueError, match="to run beside others, cannot be read"):
        missed(anecheck.load(resnet), fps=60, beside=(tmp_path / "Gone.mlpackage",))
    with pytest.raises(ValueError, match="fps: '0' is no number above 0"):
        missed(resnet, fps=0)


def test_a_configuration_that_changes_is_read_again(fixtures: Path, tmp_path: Path) -> None:
    model = shutil.copy(fixtures / "ok/bare_program.mlmodel", tmp_path)

    def frames() -> list[float]:
        return [finding.data["budget_ms"] for finding in anecheck.lint(model, select=["ANE809"]).models[0].findings]

    assert frames() == []
    (tmp_path / "anecheck.toml").write_text("budgets = { fps = 1e6, headroom = 0 }")
    assert frames() == pytest.approx([1e-3])
    (tmp_path / "anecheck.toml").write_text("budgets = { fps = 2e6, headroom = 0 }")
    assert frames() == pytest.approx([0.5e-3])
    (tmp_path / "anecheck.toml").write_text("budgets = { fsp = 2e6 }")
    with pytest.raises(ValueError, match="did you mean 'fps'"):
        frames()
