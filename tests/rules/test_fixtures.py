"""What the rules say of every committed package is what was read and approved."""

from __future__ import annotations

import pytest

import anecheck
from tests.rules.golden import EXPECTED, FIXTURES, FOLDERS, findings

DELIBERATE = {
    "image_rgb.mlpackage": {"ANE105"},  # scale and bias of an image input are fp32: a healthy model with a finding
}
"""Findings above info in `ok/`, where the feature itself forces them."""


@pytest.mark.parametrize("folder", FOLDERS)
def test_findings_are_those_expected(folder: str) -> None:
    assert findings(folder) == (FIXTURES / folder / EXPECTED).read_text(encoding="utf-8")


def test_healthy_packages_raise_nothing_above_info() -> None:
    for model in anecheck.lint(FIXTURES / "ok", target="m4").models:
        name = model.path.rpartition("/")[2]
        assert model.error is None, name
        codes = {finding.code for finding in model.findings if finding.severity.value != "info"}
        assert codes == DELIBERATE.get(name, set()), name


def test_the_zoo_is_read_completely() -> None:
    report = anecheck.lint(FIXTURES / "zoo")
    assert len(report.models) >= 29
    for model in report.models:
        assert model.error is None, model.path
        assert not [finding for finding in model.findings if finding.code in {"ANE020", "ANE030", "ANE031"}], model.path
        assert all(function.summary.operations > 0 for function in model.functions), model.path
