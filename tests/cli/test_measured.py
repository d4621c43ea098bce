"""`anecheck measure`, and `anecheck placement --measured`, as a user calls them."""

from __future__ import annotations

import csv
import io
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from anecheck.artifact.load import load
from anecheck.report.csv import COLUMNS, MEASURED_COLUMNS
from anecheck.report.escape import CONTROL
from fixtures.placements.build import build
from tests.accuracy.placements import Row, read_rows
from tests.conftest import REPOSITORY, RunAnecheck
from tests.measured.files import FORMS, own

GRAPH = "ctx/gather_dyn.mlmodelc"
TAN = "fixtures/flagged/tan.mlpackage"
HOSTILE = "fixtures/flagged/hostile_names.mlpackage"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("placements"))


@pytest.fixture(scope="module")
def rows(table: Path) -> list[Row]:
    return [row for row in read_rows(table) if row.file == GRAPH]


@pytest.fixture(scope="module")
def graph(table: Path) -> Path:
    return table.parent / GRAPH


def plan_of(path: Path, **entry: object) -> dict[str, Any]:
    """A plan that says the same of every operation of a model."""
    program = load(path).program
    assert program is not None
    usual: dict[str, object] = {"preferred": "cpu", "supported": ["cpu"], "cost": 0.5}
    functions = {
        name: [
            {"name": operation.outputs[0].name, "type": operation.type, **usual, **entry}
            for operation in function.block.operations
        ]
        for name, function in program.functions.items()
    }
    return {"format": "anecheck-measured-plan", "version": 1, "functions": functions}


def written(file: Path, content: object) -> Path:
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


@pytest.mark.skipif(platform.system() == "Darwin", reason="there it measures")
def test_measure_says_where_it_works(anecheck: RunAnecheck) -> None:
    result = anecheck("measure", TAN)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"only on macOS, and this is {platform.system()}" in result.stderr
    assert "anecheck placement PATH --measured FILE" in result.stderr


@pytest.mark.skipif(platform.system() == "Darwin", reason="there it imports coremltools")
def test_measure_imports_no_coremltools_where_it_is_of_no_use() -> None:
    script = (
        "import sys; from click.testing import CliRunner; from anecheck.cli.main import main; "
        f"result = CliRunner().invoke(main, ['measure', {TAN!r}]); print(result.exit_code, 'coremltools' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "2 False\n"


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_compared(anecheck: RunAnecheck, graph: Path, rows: list[Row], tmp_path: Path, form: str) -> None:
    program = load(graph).program
    assert program is not None
    file = written(tmp_path / "plan", FORMS[form](rows, program))
    result = anecheck("placement", graph, "--measured", file, "--target", "m4", "--fail-on-difference")
    assert (result.returncode, result.stderr) == (0, "")
    flat = " ".join(result.stdout.split())
    assert f", {form}: " in flat
    assert (
        "device right for 11 of 11 (100.0 %), 10 of 11 (90.9 %) with ties as misses, "
        "engine support right for 11 of 11 (100.0 %)"
    ) in flat
    assert "differences" not in result.stdout
    assert "a pull request that adds this file" in flat


def test_the_file_says_what_to_predict_for(anecheck: RunAnecheck, graph: Path, rows: list[Row], tmp_path: Path) -> None:
    program = load(graph).program
    assert program is not None
    file = written(tmp_path / "plan", own(rows, program, compute_units="all"))
    output = anecheck("placement", graph, "--measured", file).stdout
    assert "operations for m4 (H16)/macos27.0.1 with all: " in " ".join(output.split())
    assert "warning" not in output
    other = anecheck(
        "placement", graph, "--measured", file, "--target", "a17pro", "--compute-units", "cpu-and-ne"
    ).stdout
    assert "operations for a17pro (H16): " in other
    assert "warning measured on Apple M4, predicted for a17pro: chips differ\n" in other
    assert "warning measured with all, predicted with cpu-and-ne\n" in other


def test_every_difference_comes_with_its_reasons(anecheck: RunAnecheck, tmp_path: Path) -> None:
    text = anecheck("show", TAN).stdout.replace(
        ")[name =",
        ')[SelectedBackend = string("bnns"), BackendSupport = list<string, 1>(["ane"]), '
        'EstimatedRuntime = dict<string, fp64>({{"bnns", 0.5}, {"ane", 0.25}}), '
        'ValidationMessage = dict<string, string>({{"classic_cpu", "not\x1b[31m today"}}), name =',
    )
    result = anecheck("placement", TAN, "--measured", written(tmp_path / "analytics.mil", text), "--target", "m4")
    assert result.returncode == 0
    flat = " ".join(result.stdout.split())
    assert "the engine can run it as measured, not as predicted" in flat
    assert "kept from the engine by ANE101" in flat or "kept from the engine by ANE" in flat
    assert "Core ML estimates bnns 500, ane 250 µs · measured to run on ane" in flat
    assert "Core ML on classic_cpu: not\\x1b[31m today" in flat
    assert anecheck("placement", TAN, "--measured", tmp_path / "analytics.mil", "--fail-on-difference").returncode == 1
    quiet = anecheck("placement", TAN, "--measured", tmp_path / "analytics.mil", "--quiet").stdout
    assert "engine support right for" in quiet
    assert "differences" not in quiet


def test_a_difference_names_both_devices_and_both_supports(anecheck: RunAnecheck, tmp_path: Path) -> None:
    content = plan_of(REPOSITORY / TAN, preferred="ane", supported=["ane"])
    content["functions"]["main"].pop()
    content["functions"]["main"].append({"name": "stray", "type": "ios17.relu", "preferred": "cpu"})
    file = written(tmp_path / "plan.json", content)
    flat = " ".join(anecheck("placement", TAN, "--measured", file, "--target", "m4").stdout.split())
    assert "#0 conv conv_0: predicted cpu, measured ane predicted from ane " in flat
    assert "#2 tan tan_0: predicted cpu, measured ane; the engine can run it as measured, not as predicted" in flat
    assert "device right for 0 of 4 (0.0 %), engine support right for 3 of 4 (75.0 %)" in flat
    assert "1 operation of the model without a measured device" in flat
    assert "1 operation of the file not found in the model, and left out" in flat


def test_functions_that_were_not_measured_are_named(anecheck: RunAnecheck, tmp_path: Path) -> None:
    model = "fixtures/ok/multifunction.mlpackage"
    content = plan_of(REPOSITORY / model)
    (left_out, *_), kept = sorted(content["functions"]), content["functions"]
    content["functions"] = {name: entries for name, entries in kept.items() if name != left_out}
    output = anecheck("placement", model, "--measured", written(tmp_path / "plan.json", content)).stdout
    assert f"  not in the measured plan: function {left_out}\n" in output
    assert output.count("Agreeing or not") == 1


def test_json_has_the_comparison_and_the_schema_knows_it(anecheck: RunAnecheck, tmp_path: Path) -> None:
    file = written(tmp_path / "plan.json", plan_of(REPOSITORY / TAN, preferred="ane", supported=["ane", "cpu"]))
    result = anecheck("placement", TAN, "--measured", file, "--format", "json", "--target", "m4")
    report = json.loads(result.stdout)
    jsonschema.validate(report, json.loads(anecheck("schema").stdout))
    [function] = report["models"][0]["functions"]
    measured = function["measured"]
    assert (measured["file"], measured["format"], measured["chip"]) == (str(file), "anecheck-measured-plan", None)
    assert measured["compared"] == len(function["operations"]) == len(measured["operations"])
    wrong = [operation for operation in measured["operations"] if operation["agreement"] == "different"]
    assert {operation["predicted"] for operation in wrong} <= {"cpu"}
    assert measured["device_right"] == measured["compared"] - len(wrong) < measured["compared"]
    plain = json.loads(anecheck("placement", TAN, "--format", "json").stdout)
    assert plain["models"][0]["functions"][0]["measured"] is None


def test_csv_has_more_columns(anecheck: RunAnecheck, tmp_path: Path) -> None:
    file = written(tmp_path / "plan.json", plan_of(REPOSITORY / TAN))
    rows = list(csv.DictReader(io.StringIO(anecheck("placement", TAN, "--measured", file, "--format", "csv").stdout)))
    assert tuple(rows[0]) == (*COLUMNS, *MEASURED_COLUMNS)
    tan = next(row for row in rows if row["type"] == "tan")
    assert (tan["measured_device"], tan["measured_supported"], tan["agreement"]) == ("cpu", "cpu", "same")
    assert (tan["support_agrees"], tan["measured_cost"]) == ("yes", "0.5")


@pytest.mark.parametrize("format_", ["text", "csv", "json"])
def test_hostile_names_and_files_are_harmless(anecheck: RunAnecheck, tmp_path: Path, format_: str) -> None:
    content = plan_of(REPOSITORY / HOSTILE, preferred="gpu")
    content["machine"] = {"chip": "\x1b[31mM4\u202e", "os": "\ud800\x07"}
    result = anecheck("placement", HOSTILE, "--measured", written(tmp_path / "p", content), "--format", format_)
    assert result.returncode == 0, result.stderr
    if format_ == "json":
        json.loads(result.stdout)
    else:
        assert not CONTROL.search(result.stdout.replace("\n", ""))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "it is no JSON"),
        ("nonsense\x1b[31m", "it is neither what `anecheck measure` writes"),
        (
            {"format": "anecheck-measured-plan", "version": 1, "functions": {"\x1b": 1}},
            "expected a list at functions.\\x1b",
        ),
        (plan_of(REPOSITORY / "fixtures/zoo/resnet50.mlpackage"), "it is the plan of another model"),
    ],
)
def test_what_cannot_be_compared_is_one_usage_error(
    anecheck: RunAnecheck, tmp_path: Path, content: object, said: str
) -> None:
    file = written(tmp_path / "plan", content)
    result = anecheck("placement", TAN, "--measured", file)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"Error: --measured '{file}': " in result.stderr
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([TAN, "fixtures/flagged/cumsum.mlpackage", "--measured", "FILE"], 2, "speaks of one model, and there are 2"),
        ([TAN, "--measured", "/nowhere/plan"], 2, "cannot be read: No such file"),
        ([TAN, "--fail-on-difference"], 2, "name it with --measured FILE"),
        (["fixtures/flagged/neural_network.mlmodel", "--measured", "FILE"], 2, "has no ML Program operations"),
        (["fixtures/broken/empty_model.mlpackage", "--measured", "FILE"], 3, ""),
        ([TAN, "--measured", "FILE", "--target", "a17por"], 2, "a17pro"),
    ],
)
def test_wrong_usage(anecheck: RunAnecheck, tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    file = written(tmp_path / "plan.json", plan_of(REPOSITORY / TAN))
    result = anecheck("placement", *(str(file) if argument == "FILE" else argument for argument in arguments))
    assert result.returncode == code
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_plan_without_devices_says_that_there_is_nothing_to_compare(anecheck: RunAnecheck, tmp_path: Path) -> None:
    file = written(tmp_path / "plan.json", plan_of(REPOSITORY / TAN, preferred=None, supported=None))
    result = anecheck("placement", TAN, "--measured", file, "--fail-on-difference")
    assert result.returncode == 0
    assert "nothing to compare: the file says no device of any operation" in result.stdout
