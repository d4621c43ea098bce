"""`anecheck placement` as a user calls it: what it prints in each format, and the exit code."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import jsonschema
import pytest

from anecheck.report.csv import COLUMNS
from anecheck.report.escape import CONTROL
from tests.conftest import RunAnecheck

HOSTILE = "fixtures/flagged/hostile_names.mlpackage"
BERT = "fixtures/zoo/bert_base.mlpackage"


def test_bert_starts_on_the_cpu(anecheck: RunAnecheck) -> None:
    result = anecheck("placement", BERT)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[:3] == [
        BERT,
        "  303 operations for a17pro (H16): 290 ane, 13 cpu · 2 segments, 1 switch",
        "  11.3 ms estimated",
    ]
    assert "    #13 cpu → ane: #12 var_59_to_fp16 (cast) kept from ane by ANE103" in lines
    strip = next(line for line in lines if line.endswith("EEEE")).strip()
    assert len(strip) == 76
    assert strip[0] == "x"
    assert " → 1 segment, 1 switch" in result.stdout
    assert " will " not in result.stdout
    assert max(map(len, lines)) <= 80


def test_a_network_of_convolutions_is_all_on_the_engine(anecheck: RunAnecheck) -> None:
    output = anecheck("placement", "fixtures/zoo/resnet50.mlpackage").stdout
    assert "122 operations for a17pro (H16): 122 ane · 1 segment, 0 switches" in output
    assert "boundaries" not in output
    assert "mend" not in output


def test_a_small_program_does_not_pay(anecheck: RunAnecheck) -> None:
    output = anecheck("placement", "fixtures/ok/spec08_ios17_conv.mlpackage").stdout
    assert "too small to pay: the engine would save 0.003 ms, going there costs 0.250 ms" in output
    assert "\n  CCC\n" in output


def test_a_range_of_shapes_keeps_the_whole_program_off(anecheck: RunAnecheck) -> None:
    output = anecheck("placement", "fixtures/flagged/range_dim.mlpackage").stdout
    assert "the whole program is kept from the engine: input 'x' accepts" in output


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("fixtures/flagged/neural_network.mlmodel", "no placement is predicted for a neural network"),
        ("fixtures/zoo/encoder_head_pipeline.mlpackage", "function 0/main"),
        ("fixtures/ok/multifunction.mlpackage", "  function "),
    ],
)
def test_other_kinds_of_models(anecheck: RunAnecheck, path: str, said: str) -> None:
    result = anecheck("placement", path)
    assert result.returncode == 0
    assert said in result.stdout


@pytest.mark.parametrize("arguments", [[], ["--operations"], ["--format", "csv"], ["--format", "json"]])
def test_hostile_names_are_harmless(anecheck: RunAnecheck, arguments: list[str]) -> None:
    result = anecheck("placement", HOSTILE, *arguments)
    assert result.returncode == 0
    if "json" in arguments:
        assert not any(character in result.stdout for character in "\x00\x07\x1b")
        json.loads(result.stdout)
    else:
        assert not CONTROL.search(result.stdout.replace("\n", ""))


def test_json_is_the_report_of_lint_with_operations_and_placement(anecheck: RunAnecheck) -> None:
    report = json.loads(anecheck("placement", BERT, "--format", "json").stdout)
    jsonschema.validate(report, json.loads(anecheck("schema").stdout))
    [function] = report["models"][0]["functions"]
    assert len(function["operations"]) == 303
    assert function["placement"]["boundaries"][0]["cut_by"] == "var_59_to_fp16"


def test_csv_has_a_row_for_each_operation(anecheck: RunAnecheck, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    result = anecheck("placement", BERT, HOSTILE, "--format", "csv", "-o", table)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [sum(row["path"] == path for row in rows) for path in (BERT, HOSTILE)] == [303, 20]
    assert rows[6]["type"] == "gather"
    assert (rows[6]["device"], rows[6]["supported"], rows[6]["blockers"]) == ("cpu", "gpu cpu", "ANE107")
    assert float(rows[6]["cpu_us"]) > float(rows[6]["ane_us"]) > 0


@pytest.mark.parametrize("format_", ["text", "json", "csv"])
def test_an_unreadable_model_exits_with_3_and_the_others_are_shown(anecheck: RunAnecheck, format_: str) -> None:
    result = anecheck(
        "placement", "fixtures/broken/empty_model.mlpackage", "fixtures/flagged/tan.mlpackage", "--format", format_
    )
    assert result.returncode == 3
    assert "ANE002" in (result.stderr if format_ == "csv" else result.stdout)
    assert "tan.mlpackage" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [BERT, "--target", "a17por"],
        [BERT, "--target", "m4", "--target", "m1"],
        [BERT, "--format", "xml"],
        ["fixtures/flagged/tan.mlpackage", "-o", "/nowhere/report"],
    ],
)
def test_wrong_usage_exits_with_2(anecheck: RunAnecheck, arguments: list[str]) -> None:
    result = anecheck("placement", *arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_findings_do_not_matter_for_the_exit_code(anecheck: RunAnecheck) -> None:
    assert anecheck("placement", "fixtures/flagged/cumsum.mlpackage", "--quiet").returncode == 0


def test_colour_changes_nothing_but_colours(anecheck: RunAnecheck) -> None:
    plain, coloured = (anecheck("placement", BERT, "--color", choice).stdout for choice in ("never", "always"))
    assert "\x1b[1;32mE" in coloured
    without = "".join(part.partition("m")[2] if number else part for number, part in enumerate(coloured.split("\x1b[")))
    assert [line.rstrip() for line in without.splitlines()] == plain.splitlines()


def test_operations_are_listed_on_request(anecheck: RunAnecheck) -> None:
    output = anecheck("placement", "fixtures/flagged/cond.mlpackage", "--operations").stdout
    assert "    #4    cpu cond cond_0\n" in output
    assert "kept from the engine by ANE111" in output.replace("\n          ", " ")
