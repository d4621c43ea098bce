"""`anecheck footprint` as a user calls it: what it prints in each format, and the exit code."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from anecheck.report.escape import CONTROL
from anecheck.report.footprint_csv import COLUMNS
from tests.conftest import RunAnecheck

RESNET = "fixtures/zoo/resnet50.mlpackage"
LLAMA = "fixtures/zoo/llama_stateful_static.mlpackage"
PIPELINE = "fixtures/zoo/encoder_head_pipeline.mlpackage"
FUNCTIONS = "fixtures/zoo/mobilenet_multifunction.mlpackage"
HOSTILE = "fixtures/flagged/hostile_names.mlpackage"
UNREADABLE = "fixtures/broken/empty_model.mlpackage"
CHART_HEAD = "  MB live during each operation"


def as_json(anecheck: RunAnecheck, *arguments: str) -> dict[str, Any]:
    """The JSON report, checked against the schema."""
    report: dict[str, Any] = json.loads(anecheck("footprint", "--format", "json", *arguments).stdout)
    jsonschema.validate(report, json.loads(anecheck("schema").stdout))
    return report


def test_resnet_is_told_in_a_chart_and_numbers(anecheck: RunAnecheck) -> None:
    result = anecheck("footprint", RESNET)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    # Three values of 256 × 56 × 64 numbers of 2 bytes (56 padded to 64), the input's 3 × 224 × 224 and the output's 1000,
    # which is padded to 1024.
    peak = 3 * 256 * 56 * 64 * 2 + 3 * 224 * 224 * 2 + 1024 * 2
    assert "122 operations for a17pro (H16): 5.81 MB live at the peak, 51.0 MB of weights" in lines[1]
    assert f"{peak / 1e6:.2f} MB at #9" in lines[lines.index(CHART_HEAD) + 1]
    assert "live at the peak, during #9 input_25_cast_fp16 (add)" in result.stdout
    assert "estimated" in result.stdout
    assert max(map(len, lines)) <= 80


def test_json_of_a_network_with_states(anecheck: RunAnecheck) -> None:
    (model,) = as_json(anecheck, LLAMA)["models"]
    (function,) = model["functions"]
    footprint = function["footprint"]
    assert footprint["state_bytes"] == 2 * 4 * 1 * 2 * 256 * 32 * 2  # two caches
    assert {holder["name"] for holder in footprint["peak"]["holders"]} >= {"k_cache", "v_cache"}
    series = [operation["held_bytes"] for operation in footprint["operations"]]
    assert len(series) == function["summary"]["operations"]
    assert max(series) == footprint["peak"]["held_bytes"] == function["summary"]["peak_working_set_bytes"]
    assert series.index(max(series)) == footprint["peak"]["position"]
    assert footprint["timing"]["low_ms"] < footprint["timing"]["estimated_ms"] < footprint["timing"]["high_ms"]
    assert model["memory"]["weight_stored_bytes"] == footprint["weight_stored_bytes"]


def test_a_pipeline_adds_the_weights_of_its_parts(anecheck: RunAnecheck) -> None:
    (model,) = as_json(anecheck, PIPELINE)["models"]
    parts = [function["footprint"] for function in model["functions"]]
    assert len(parts) == 2
    assert model["memory"]["weight_stored_bytes"] == sum(part["weight_stored_bytes"] for part in parts)
    assert model["memory"]["peak_bytes"] == max(part["peak"]["held_bytes"] for part in parts)
    output = anecheck("footprint", PIPELINE).stdout
    assert output.count(CHART_HEAD) == 2
    assert "  function 1/main" in output
    assert "in all: 2.45 MB of weights" in output


def test_functions_of_a_model_share_weights(anecheck: RunAnecheck) -> None:
    (model,) = as_json(anecheck, FUNCTIONS)["models"]
    sizes = [function["footprint"]["weight_stored_bytes"] for function in model["functions"]]
    assert max(sizes) < model["memory"]["weight_stored_bytes"] < sum(sizes)


def test_lint_says_nothing_of_memory_unless_asked(lint_json: Callable[..., dict[str, Any]]) -> None:
    (model,) = lint_json(RESNET)["models"]
    assert model["memory"] is None
    assert model["functions"][0]["footprint"] is None


def test_csv_has_a_row_for_each_operation(anecheck: RunAnecheck) -> None:
    rows = list(csv.DictReader(io.StringIO(anecheck("footprint", RESNET, "--format", "csv").stdout)))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 122
    assert max(int(row["live_bytes"]) for row in rows) == int(rows[9]["live_bytes"]) == 5_808_128
    assert sum(float(row["gflop"]) for row in rows) == pytest.approx(8.18, abs=0.01)
    assert {row["bound"] for row in rows} == {"arithmetic", "weights", "nothing"}


def test_a_file_gets_the_report_without_colour(anecheck: RunAnecheck, tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    result = anecheck("footprint", RESNET, "-o", path, "--color", "always", PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stdout) == (0, "")
    written = path.read_text(encoding="utf-8")
    assert "█" in written
    assert "\x1b" not in written


def test_an_output_that_carries_only_ascii_gets_ascii(anecheck: RunAnecheck) -> None:
    result = anecheck("footprint", HOSTILE, RESNET, PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.isascii()
    assert "####" in result.stdout


@pytest.mark.parametrize("format_", ["text", "csv", "json"])
def test_hostile_names_are_harmless(anecheck: RunAnecheck, format_: str) -> None:
    result = anecheck("footprint", HOSTILE, "--format", format_)
    assert result.returncode == 0
    if format_ == "json":
        json.loads(result.stdout)
        assert not any(character in result.stdout for character in "\x00\x07\x1b")
    else:
        assert not CONTROL.search(result.stdout.replace("\n", ""))


def test_a_shape_beyond_all_memory_is_still_told(anecheck: RunAnecheck) -> None:
    result = anecheck("footprint", "fixtures/flagged/huge_shape.mlpackage")
    assert (result.returncode, result.stderr) == (0, "")
    assert "e+" in result.stdout


def test_quiet_leaves_the_totals(anecheck: RunAnecheck) -> None:
    output = anecheck("footprint", FUNCTIONS, "--quiet").stdout
    assert CHART_HEAD not in output
    assert output.count("live at the peak") == 2
    assert "in all: 1.98 MB of weights" in output


@pytest.mark.parametrize("format_", ["text", "json", "csv"])
def test_an_unreadable_model_exits_with_3_and_the_others_are_shown(anecheck: RunAnecheck, format_: str) -> None:
    result = anecheck("footprint", UNREADABLE, "fixtures/flagged/tan.mlpackage", "--format", format_)
    assert result.returncode == 3
    assert "ANE002" in (result.stderr if format_ == "csv" else result.stdout)
    assert "tan.mlpackage" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [RESNET, "--target", "a17por"],
        [RESNET, "--target", "m4", "--target", "m1"],
        [RESNET, "--format", "xml"],
        ["fixtures/flagged/tan.mlpackage", "-o", "/nowhere/report"],
    ],
)
def test_wrong_usage_exits_with_2(anecheck: RunAnecheck, arguments: list[str]) -> None:
    result = anecheck("footprint", *arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("path", ["fixtures/flagged/neural_network.mlmodel", "fixtures/flagged/cond.mlpackage"])
def test_other_kinds_of_models(anecheck: RunAnecheck, path: str) -> None:
    result = anecheck("footprint", path)
    assert (result.returncode, result.stderr) == (0, "")
    assert ("no footprint is known" in result.stdout) == path.endswith(".mlmodel")


def test_budgets_are_told_as_lint_tells_them(anecheck: RunAnecheck) -> None:
    resnet = "fixtures/zoo/resnet50.mlpackage"
    kept = anecheck("footprint", resnet, "--fps", "60", "--quiet")
    assert kept.stdout.rstrip().endswith("budgets: kept")
    missed = anecheck("footprint", resnet, "--fps", "1000", "--quiet")
    assert missed.returncode == 0, "a footprint tells, lint judges"
    assert "warning ANE809 A17 Pro: estimated" in missed.stdout
    assert anecheck("footprint", resnet, "--with", "nothing.mlpackage").returncode == 2
