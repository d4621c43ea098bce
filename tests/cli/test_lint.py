"""`anecheck lint` as a user calls it: what it prints, and the exit code."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.conftest import RunAnecheck

LintJson = Callable[..., dict[str, Any]]


def test_a_healthy_model_exits_with_0(anecheck: RunAnecheck, fixtures: Path) -> None:
    result = anecheck("lint", fixtures / "ok/spec08_ios17_conv.mlpackage")
    assert result.returncode == 0
    assert result.stderr == ""
    assert "none that a rule keeps from the engine" in result.stdout.replace("\n  ", " ")


def test_findings_exit_with_1_and_say_why_and_what_instead(anecheck: RunAnecheck) -> None:
    result = anecheck("lint", "fixtures/flagged/embedding.mlpackage", "--ignore", "ANE012")
    assert result.returncode == 1
    assert result.stdout == (
        "fixtures/flagged/embedding.mlpackage\n"
        "  ML Program (specification 8, opset ios17) for a17pro (H16): 10 operations,\n"
        "  predicted 10 cpu in 1 segment, estimated 0.012 ms a call (0.003 to 0.047), 6.2\n"
        "  kB live beside 0.1 MB of weights, 7 likely off the engine (dynamic-gather 7)\n"
        "  warning ANE107 dynamic-gather  measured\n"
        "    gather with run-time indices, prepared by 6 of the operations before it:\n"
        "    gather_0\n"
        "    Core ML: Unsupported gather index type\n"
        "    → look the rows up outside the model and pass them in, or make the indices\n"
        "    constants (anecheck rule ANE107)\n"
        "  info ANE301 too-small-to-pay  measured\n"
        "    3 operations that the engine could run stay on the CPU beside others, where\n"
        "    a switch would cost more than it saves\n"
        "    → do more in one call, or leave it on the CPU (anecheck rule ANE301)\n"
        "\n"
        "1 model checked: 1 warning, 1 info.\n"
    )


@pytest.mark.parametrize(("fail_on", "code"), [("error", 0), ("warning", 1), ("info", 1), ("never", 0)])
def test_fail_on_decides_what_counts(anecheck: RunAnecheck, fixtures: Path, fail_on: str, code: int) -> None:
    assert anecheck("lint", fixtures / "flagged/cumsum.mlpackage", "--fail-on", fail_on).returncode == code


def test_a_hint_fails_only_if_asked(anecheck: RunAnecheck, fixtures: Path) -> None:
    assert anecheck("lint", fixtures / "ok/classifier_strings.mlpackage").returncode == 0
    assert anecheck("lint", fixtures / "ok/classifier_strings.mlpackage", "--fail-on", "info").returncode == 1


def test_an_unreadable_model_exits_with_3_and_the_others_are_linted(lint_json: LintJson, anecheck: RunAnecheck) -> None:
    paths = (
        "fixtures/flagged/cumsum.mlpackage",
        "fixtures/broken/empty_model.mlpackage",
        "fixtures/flagged/tan.mlpackage",
    )
    result = anecheck("lint", *paths)
    assert result.returncode == 3
    assert "error ANE002" in result.stdout
    assert "3 models checked: 2 warnings, 1 model that cannot be read." in result.stdout.replace(", 4 info", "")
    report = lint_json(*paths)
    assert [model["path"] for model in report["models"]] == list(paths)
    assert report["models"][1]["error"]["code"] == "ANE002"
    assert [len([f for f in model["findings"] if f["severity"] == "warning"]) for model in report["models"]] == [
        1,
        0,
        1,
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "a17por"], "did you mean a17pro"),
        (["--target", "a11"], "has no engine that Core ML can reach"),
        (["--target", "m4/os9"], "'os9' is no OS release"),
        (["--select", "ANE999"], "there is no rule 'ANE999'"),
        (["--ignore", "cumulativ-sum"], "did you mean cumulative-sum"),
        (["--statistics", "--format", "json"], "--statistics goes with --format text"),
        (["--format", "yaml"], "there is no format 'yaml'"),
        (["@no/such/list"], "cannot read the list of models 'no/such/list'"),
        (["--output-file", "no/such/folder/report.txt"], "cannot write 'no/such/folder/report.txt'"),
    ],
)
def test_wrong_usage_exits_with_2_and_one_message(anecheck: RunAnecheck, arguments: list[str], message: str) -> None:
    result = anecheck("lint", "fixtures/ok/spec08_ios17_conv.mlpackage", *arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_a_missing_path_is_reported_like_an_unreadable_model(anecheck: RunAnecheck) -> None:
    result = anecheck("lint", "no/such/Model.mlpackage")
    assert result.returncode == 3
    assert "ANE008" in result.stdout


def test_json_follows_the_schema(anecheck: RunAnecheck, lint_json: LintJson, fixtures: Path) -> None:
    schema = json.loads(anecheck("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for folder in ("ok", "flagged", "broken", "zoo"):
        report = lint_json(fixtures / folder, "--verbose", "--target", "m4", "--target", "h13/ios17")
        assert list(validator.iter_errors(report)) == []
        assert len(report["models"]) > 20


def test_json_has_the_keys_that_others_rely_on(lint_json: LintJson, fixtures: Path) -> None:
    report = lint_json(fixtures / "flagged/embedding.mlpackage", "--verbose")
    assert report["schema_version"] == "1.0"
    assert report["tool"]["name"] == "anecheck"
    assert report["target"] == {"chip": "a17pro", "family": "H16", "os": None, "compute_units": "cpu-and-ne"}
    (model,) = report["models"]
    assert (model["kind"], model["specification_version"], model["error"]) == ("mlprogram", 8, None)
    (function,) = model["functions"]
    assert (function["name"], function["opset"]) == ("main", "CoreML7")
    assert set(function["summary"]) >= {
        *("operations", "ane", "gpu", "cpu", "segments", "switches", "estimated_ms"),
        *("peak_working_set_bytes", "weight_bytes"),
    }
    operation = function["operations"][6]
    assert (operation["index"], operation["type"], operation["device"]) == (6, "gather", "cpu")
    assert operation["supported"] == ["gpu", "cpu"]
    assert operation["blockers"] == ["ANE107"]
    assert operation["tie"] == []
    finding = next(finding for finding in model["findings"] if finding["code"] == "ANE107")
    assert set(finding) >= {
        *("code", "name", "severity", "confidence", "message", "function", "operation", "operation_type"),
        *(
            "operation_index",
            "families",
            "evidence",
            "rewrite",
            "fingerprint",
            "suppressed",
            "source",
            "mil_line",
            "data",
        ),
    }
    assert set(finding["rewrite"]) >= {"title", "text", "before", "after"}
    assert all(set(item) == {"source", "url", "confidence"} for item in finding["evidence"])


def test_the_line_of_a_finding_is_the_line_that_show_prints(
    anecheck: RunAnecheck, lint_json: LintJson, fixtures: Path
) -> None:
    for name in ("zoo/bert_base.mlpackage", "flagged/cond_in_while_loop.mlpackage", "flagged/hostile_names.mlpackage"):
        lines = anecheck("show", fixtures / name).stdout.split("\n")
        findings = [finding for finding in lint_json(fixtures / name)["models"][0]["findings"] if finding["mil_line"]]
        assert findings
        for finding in findings:
            assert f" {finding['operation_type']}(" in lines[finding["mil_line"] - 1]


def test_the_report_goes_to_a_file_if_asked(anecheck: RunAnecheck, tmp_path: Path) -> None:
    place = tmp_path / "report.json"
    result = anecheck("lint", "fixtures/flagged/tan.mlpackage", "--format", "json", "-o", place)
    assert (result.returncode, result.stdout) == (1, "")
    assert json.loads(place.read_text())["models"][0]["path"] == "fixtures/flagged/tan.mlpackage"


def test_statistics_count_by_rule(anecheck: RunAnecheck) -> None:
    result = anecheck(
        "lint",
        "fixtures/flagged/tan.mlpackage",
        "fixtures/flagged/acos.mlpackage",
        "--statistics",
        "--ignore",
        "ANE0,ANE3",
    )
    assert result.stdout == "     2  ANE101  no-engine-path  (2 models)\n"


def test_select_and_ignore(lint_json: LintJson) -> None:
    def codes(*arguments: str) -> set[str]:
        (model,) = lint_json("fixtures/flagged/int32_arithmetic.mlpackage", "--ignore", "ANE301", *arguments)["models"]
        return {finding["code"] for finding in model["findings"]}

    assert codes() == {"ANE012", "ANE102", "ANE103"}
    assert codes("--select", "integer-cast") == {"ANE012", "ANE103"}
    assert codes("--ignore", "ANE103,weights-absent") == {"ANE102"}
    assert codes("--select", "ANE1", "--ignore", "ANE10", "--extend-select", "integer-cast") == {"ANE012", "ANE103"}


def test_the_target_decides(lint_json: LintJson) -> None:
    def found(*arguments: str) -> list[str]:
        (model,) = lint_json("fixtures/flagged/width_20000.mlpackage", "--ignore", "ANE012,ANE3", *arguments)["models"]
        return [finding["message"] for finding in model["findings"]]

    assert found("--target", "m4") == []
    assert found("--target", "iphone-13") == ["width of 20,000 elements, at most 16,384 fit"] * 2
    assert found("--target", "m4", "--target", "h14/ios17") == ["width of 20,000 elements, at most 16,384 fit"] * 2


def test_without_the_engine_nothing_is_said_of_it(anecheck: RunAnecheck) -> None:
    result = anecheck(
        "lint", "fixtures/flagged/cumsum.mlpackage", "--compute-units", "cpu-and-gpu", "--ignore", "ANE012"
    )
    assert result.returncode == 0
    assert "the engine is not used (cpu-and-gpu)" in " ".join(result.stdout.split())


def test_quiet_prints_findings_only(anecheck: RunAnecheck) -> None:
    result = anecheck(
        "lint", "fixtures/ok/bare_program.mlmodel", "fixtures/flagged/tan.mlpackage", "-q", "--ignore", "ANE3"
    )
    assert "bare_program" not in result.stdout
    assert "ANE101" in result.stdout
    assert "checked" not in result.stdout


def test_colour_only_where_it_is_wanted(anecheck: RunAnecheck) -> None:
    path = "fixtures/flagged/tan.mlpackage"
    plain = anecheck("lint", path).stdout
    coloured = anecheck("lint", path, "--color", "always").stdout
    assert "\x1b[" not in plain
    assert "\x1b[" in coloured
    assert "\x1b[" not in anecheck("lint", path, "--color", "never").stdout
    assert "\x1b[" not in anecheck("lint", path, NO_COLOR="1").stdout


def test_no_line_is_wider_than_80_columns(anecheck: RunAnecheck) -> None:
    for line in anecheck("lint", "fixtures/zoo", "fixtures/flagged").stdout.splitlines():
        assert len(line) <= 80, line


@pytest.mark.parametrize("colour", ["always", "never"])
def test_names_cannot_reach_the_terminal_as_control_sequences(anecheck: RunAnecheck, colour: str) -> None:
    output = anecheck("lint", "fixtures/flagged/hostile_names.mlpackage", "-v", "--color", colour).stdout
    remaining = output.replace("\x1b[0m", "").replace("\x1b[", "") if colour == "always" else output
    assert not [
        character for character in remaining if (ord(character) < 32 and character != "\n") or ord(character) == 127
    ]


def test_paths_that_mean_the_same_package_are_linted_once(lint_json: LintJson, tmp_path: Path, fixtures: Path) -> None:
    package = tmp_path / "models/a.mlpackage"
    shutil.copytree(fixtures / "flagged/tan.mlpackage", package)
    listed = tmp_path / "list.txt"
    listed.write_text(f"# models\n\n{package}/Manifest.json\n{tmp_path}/models\n")
    report = lint_json(package, package / "Data/com.apple.CoreML/model.mlmodel", tmp_path, f"@{listed}")
    assert [model["path"] for model in report["models"]] == [str(package)]


def test_pure_python_protobuf_is_warned_of_once(anecheck: RunAnecheck) -> None:
    result = anecheck(
        *("lint", "fixtures/ok/bare_program.mlmodel", "fixtures/ok/spec08_ios17_conv.mlpackage"),
        PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION="python",
    )
    assert result.returncode == 0
    assert result.stderr.count("protobuf runs in pure Python") == 1


def test_file_names_that_are_no_utf8_are_written_as_escapes(
    anecheck: RunAnecheck, tmp_path: Path, fixtures: Path
) -> None:
    try:
        shutil.copy(fixtures / "ok/bare_program.mlmodel", tmp_path / "a\udcff.mlmodel")
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    for format_ in ("json", "text"):
        result = anecheck("lint", tmp_path, "--format", format_)
        assert (result.returncode, result.stderr) == (0, "")
        assert "udcff.mlmodel" in result.stdout


def test_every_broken_fixture_gives_its_own_diagnostic_and_exit_code_3(anecheck: RunAnecheck, fixtures: Path) -> None:
    for path in sorted((fixtures / "broken").iterdir()):
        result = anecheck("lint", path)
        assert (result.returncode, result.stderr) == (3, ""), path
        assert "  error ANE0" in result.stdout, path
        assert "1 model checked: 1 model that cannot be read." in result.stdout, path


def test_limits_can_be_set(anecheck: RunAnecheck, fixtures: Path) -> None:
    model = fixtures / "ok/edge_conv_7x7.mlpackage"
    limits = ("--limit", "conv-kernel-height=5")
    assert anecheck("lint", model, "--select", "ANE118").returncode == 0
    assert anecheck("lint", model, "--select", "ANE118", *limits).returncode == 1


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("conv-kernel-height", "--limit takes NAME=VALUE with a number"),
        ("conv-kernel-height=five", "--limit takes NAME=VALUE with a number"),
        ("conv-kernel-heigth=5", "did you mean conv-kernel-height"),
    ],
)
def test_limits_that_are_not_understood(anecheck: RunAnecheck, fixtures: Path, limit: str, message: str) -> None:
    result = anecheck("lint", fixtures / "ok/edge_conv_7x7.mlpackage", "--limit", limit)
    assert result.returncode == 2
    assert message in " ".join(result.stderr.split())


def test_text_is_written_without_what_only_json_needs(fixtures: Path) -> None:
    code = (
        "import sys\nfrom anecheck.cli.main import main\n"
        "try: main(['lint', sys.argv[1], '--fail-on', 'never', '--quiet'])\nexcept SystemExit: pass\n"
        "print([name for name in ('pydantic', 'rich', 'networkx', 'numpy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(fixtures / "flagged/cumsum.mlpackage")]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output.splitlines()[-1] == "[]"
