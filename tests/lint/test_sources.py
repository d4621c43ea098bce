"""Where findings come from in the user's code: captured beside the model, or inferred from the names of weights."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import anecheck
from anecheck.artifact.load import load
from anecheck.artifact.locate import sidecar_of
from anecheck.artifact.sidecar import Origin, Origins, write_sidecar
from anecheck.lint.engine import functions_of
from anecheck.lint.finding import Finding, Severity, Source
from tests.conftest import FIXTURES, REPOSITORY, RunAnecheck

NO_KERNELS = {"conv-kernel-width": 0.5, "conv-kernel-height": 0.5, "conv-square-kernel": 0.5}
"""With these limits every convolution is too wide (ANE118)."""


def copied(name: str, folder: Path) -> Path:
    """A copy of a fixture that a sidecar can be put beside."""
    return Path(shutil.copytree(FIXTURES / name, folder / Path(name).name))


def complete(model: Path) -> dict[str, dict[str, Origin]]:
    """A sidecar's content that fits a model: every operation is made by a line of its own."""
    return {
        function.label: {
            node.name: Origin(node.type, f"{function.label}.{number}", "../net.py", number)
            for number, node in enumerate(function.graph.nodes, start=1)
        }
        for function in functions_of(load(model))
    }


def findings(model: Path, **options: Any) -> list[Finding]:  # noqa: ANN401  # those of `anecheck.lint`
    (report,) = anecheck.lint(model, **options).models
    assert report.error is None
    return report.findings


def named(found: list[Finding], code: str) -> list[Finding]:
    return [finding for finding in found if finding.code == code]


# Captured


def test_a_captured_operation_has_its_file_line_and_module(tmp_path: Path) -> None:
    model = copied("flagged/cumsum.mlpackage", tmp_path / "models")
    origins = complete(model)
    write_sidecar(sidecar_of(model), origins)
    (finding,) = named(findings(model), "ANE104")
    assert finding.operation
    wanted = origins["main"][finding.operation]
    assert finding.source == Source(file=f"{tmp_path}/net.py", line=wanted.line, module=wanted.module)


def test_files_are_shown_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = copied("flagged/cumsum.mlpackage", tmp_path / "models")
    write_sidecar(sidecar_of(model), complete(model))
    for working, given, seen in (
        (tmp_path, "models/cumsum.mlpackage", "net.py"),
        (tmp_path / "models", "cumsum.mlpackage", "../net.py"),
        (tmp_path / "models", "./cumsum.mlpackage", "../net.py"),
    ):
        monkeypatch.chdir(working)
        (finding,) = named(findings(Path(given)), "ANE104")
        assert finding.source
        assert finding.source.file == seen


def test_findings_of_the_whole_model_have_no_source(tmp_path: Path) -> None:
    model = copied("flagged/cumsum.mlpackage", tmp_path)
    write_sidecar(sidecar_of(model), complete(model))
    whole = [finding for finding in findings(model) if finding.operation is None]
    assert {"ANE012", "ANE301"} <= {finding.code for finding in whole}
    assert all(finding.source is None for finding in whole)


@pytest.mark.parametrize(
    ("name", "functions"),
    [("ok/pipeline.mlpackage", ["0/main", "1/main"]), ("ok/multifunction.mlpackage", ["classify", "embed"])],
)
def test_parts_and_functions_are_told_apart(tmp_path: Path, name: str, functions: list[str]) -> None:
    model = copied(name, tmp_path)
    origins = complete(model)
    write_sidecar(sidecar_of(model), origins)
    found = named(findings(model, limits=NO_KERNELS), "ANE118")
    assert sorted({finding.function or "" for finding in found}) == functions
    for finding in found:
        assert finding.source
        assert finding.source.module == origins[finding.function or ""][finding.operation or ""].module


def test_operations_in_nested_blocks_have_theirs(tmp_path: Path) -> None:
    model = copied("zoo/gru_speech.mlpackage", tmp_path)
    origins = complete(model)
    write_sidecar(sidecar_of(model), origins)
    nested = [finding for finding in findings(model) if finding.block]
    assert nested
    for finding in nested:
        assert finding.source
        assert finding.source.module == origins["main"][finding.operation or ""].module


@pytest.mark.parametrize("kind", ["gated_traced", "gated_exported"])
def test_committed_captures_fit_their_models(kind: str) -> None:
    found = findings(FIXTURES / f"captured/{kind}.mlpackage")
    assert not named(found, "ANE015")
    assert not named(found, "ANE016")
    assert len(named(found, "ANE104")) == 2


def test_a_committed_capture_of_a_trace_names_modules() -> None:
    found = named(findings(FIXTURES / "captured/gated_traced.mlpackage"), "ANE104")
    assert [finding.source for finding in found] == [Source(module="layers.0"), Source(module="layers.1")]


def test_a_committed_capture_of_an_export_points_at_the_line_that_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    for finding in named(findings(Path("fixtures/captured/gated_exported.mlpackage")), "ANE104"):
        assert finding.source
        assert finding.source.file == "fixtures/make/captured_nets.py"
        lines = Path(finding.source.file).read_text(encoding="utf-8").splitlines()
        assert finding.source.line
        assert "torch.cumsum(x, dim=-1)" in lines[finding.source.line - 1], "run fixtures/make/captured.py again"


def test_the_json_report_has_the_source(lint_json: Callable[..., dict[str, Any]]) -> None:
    report = lint_json("fixtures/captured/gated_exported.mlpackage", "--select", "ANE104")
    sources = [finding["source"] for finding in report["models"][0]["findings"] if finding["code"] == "ANE104"]
    assert sources[0]["file"] == "fixtures/make/captured_nets.py"
    assert sources[0]["inferred"] is False


# Stale and damaged


def stale(model: Path, change: Callable[[dict[str, Origin]], object]) -> list[Finding]:
    """What is found with a sidecar whose main function is changed."""
    origins = complete(model)
    change(origins["main"])
    write_sidecar(sidecar_of(model), origins)
    return findings(model)


def test_another_exports_operations_do_not_mislead(tmp_path: Path) -> None:
    model = copied("flagged/cumsum.mlpackage", tmp_path)
    (before,) = named(findings(model), "ANE104")
    name = before.operation or ""
    total = len(complete(model)["main"])

    def retyped(main: dict[str, Origin]) -> None:
        main[name] = main[name]._replace(type="relu")

    found = stale(model, retyped)
    assert named(found, "ANE104")[0].source is None, "a relu of that name is another operation"
    (told,) = named(found, "ANE015")
    assert told.severity is Severity.INFO
    assert told.message.startswith(f"'cumsum.anecheck.json' is of another export: {total - 1} of {total} operations")
    assert told.rewrite
    assert "anecheck.capture(model, path)" in told.rewrite.title

    found = stale(model, lambda main: main.pop(name))
    assert named(found, "ANE104")[0].source is None
    assert named(found, "ANE015")


def test_a_function_that_was_not_captured_is_told_of(tmp_path: Path) -> None:
    model = copied("ok/multifunction.mlpackage", tmp_path)
    write_sidecar(sidecar_of(model), {"embed": complete(model)["embed"]})
    found = findings(model, limits=NO_KERNELS)
    assert {(finding.function, bool(finding.source)) for finding in named(found, "ANE118")} == {
        ("classify", False),
        ("embed", True),
    }
    assert "3 of 6 operations" in named(found, "ANE015")[0].message


def test_entries_that_the_model_has_no_operation_for_do_no_harm(tmp_path: Path) -> None:
    model = copied("flagged/cumsum.mlpackage", tmp_path)
    assert not named(stale(model, lambda main: main.update(other=Origin("relu", "other"))), "ANE015")


def test_compressing_a_model_makes_no_capture_stale(tmp_path: Path) -> None:
    model = copied("zoo/vit_b_16_int4_blocks.mlpackage", tmp_path)
    expanding = {name for name, origin in complete(model)["main"].items() if origin.type.startswith("constexpr_")}
    assert expanding
    found = stale(model, lambda main: [main.pop(name) for name in expanding])
    assert not named(found, "ANE015")


def test_a_damaged_sidecar_is_told_of_and_the_rest_is_found(tmp_path: Path) -> None:
    model = copied("flagged/cumsum.mlpackage", tmp_path)
    without = findings(model)
    sidecar_of(model).write_text("{", encoding="utf-8")
    found = findings(model)
    (told,) = named(found, "ANE016")
    assert told.message.startswith(
        "'cumsum.anecheck.json' says nothing of where operations come from: it is not valid JSON"
    )
    assert [finding for finding in found if finding is not told] == without


def test_it_can_be_ignored(tmp_path: Path) -> None:
    model = copied("flagged/cumsum.mlpackage", tmp_path)
    sidecar_of(model).write_text("{", encoding="utf-8")
    assert not named(findings(model, ignore=["damaged-source-map"]), "ANE016")


def test_a_damaged_sidecar_leaves_the_exit_code_alone(anecheck: RunAnecheck, tmp_path: Path) -> None:
    model = copied("flagged/cumsum.mlpackage", tmp_path)
    sidecar_of(model).write_bytes(b"\x00\xff")
    result = anecheck("lint", model)
    assert (result.returncode, result.stderr) == (1, "")
    assert "ANE016 damaged-source-map" in result.stdout
    assert anecheck("lint", model, "--fail-on", "error").returncode == 0


def test_a_sidecar_is_not_opened_where_nothing_is_found_at_an_operation(tmp_path: Path) -> None:
    model = copied("flagged/cumsum.mlpackage", tmp_path)
    os.mkfifo(sidecar_of(model))  # whoever opened it would wait for ever
    assert not named(findings(model, select=["ANE810"], ignore=["ANE012"]), "ANE016")
    (told,) = named(findings(model), "ANE016")
    assert told.message.endswith("it is no file")


def test_hostile_text_reaches_no_terminal(anecheck: RunAnecheck, tmp_path: Path) -> None:
    model = copied("flagged/cumsum.mlpackage", tmp_path)
    hostile: Origins = {
        "main": {
            name: origin._replace(module="\x1b]0;owned\x07", file="../\x1b[2J\u202e/etc/passwd")
            for name, origin in complete(model)["main"].items()
        }
    }
    write_sidecar(sidecar_of(model), hostile)
    result = anecheck("lint", model)
    assert result.returncode == 1
    assert not {"\x1b", "\x07", "\u202e"} & set(result.stdout + result.stderr)
    report = json.loads(anecheck("lint", model, "--format", "json").stdout)
    assert any(finding["source"] for finding in report["models"][0]["findings"])
