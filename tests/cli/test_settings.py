"""What a configuration changes, and how the command line and models themselves have a say in it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from anecheck.artifact.proto import messages
from tests.conftest import FIXTURES, RunAnecheck
from tests.lint.files import write

CUMSUM, KERNEL = FIXTURES / "flagged/cumsum.mlpackage", FIXTURES / "ok/edge_conv_7x7.mlpackage"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with two models in subfolders and no configuration yet."""
    shutil.copytree(CUMSUM, tmp_path / "app/C.mlpackage")
    shutil.copytree(KERNEL, tmp_path / "lib/K.mlpackage")
    return tmp_path


def configure(project: Path, text: str) -> None:
    write(project / "anecheck.toml", text)


def lint(anecheck: RunAnecheck, project: Path, *arguments: str) -> dict[str, Any]:
    """Lint what the configuration includes, or what is named, and give back the report."""
    result = anecheck("lint", *arguments, "--format", "json", cwd=project)
    assert result.stderr == ""
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def codes(report: dict[str, Any], *, severity: str | None = None) -> dict[str, list[str]]:
    """The codes found in each model, by its name; of a severity, or all."""
    return {
        Path(model["path"]).stem: [f["code"] for f in model["findings"] if severity in {None, f["severity"]}]
        for model in report["models"]
    }


def test_without_a_path_the_configuration_says_what_is_linted(anecheck: RunAnecheck, project: Path) -> None:
    result = anecheck("lint", cwd=project)
    assert result.returncode == 2
    assert "name a PATH, or write an anecheck.toml (`anecheck init`)" in " ".join(result.stderr.split())
    configure(project, "")
    assert [model["path"] for model in lint(anecheck, project)["models"]] == ["app/C.mlpackage", "lib/K.mlpackage"]
    configure(project, 'include = "lib/**"')
    assert [model["path"] for model in lint(anecheck, project)["models"]] == ["lib/K.mlpackage"]
    configure(project, 'exclude = ["lib/**"]')
    assert [model["path"] for model in lint(anecheck, project)["models"]] == ["app/C.mlpackage"]
    assert [model["path"] for model in lint(anecheck, project / "app")["models"]] == ["C.mlpackage"]


def test_what_is_excluded_is_linted_only_where_it_is_named(anecheck: RunAnecheck, project: Path) -> None:
    configure(project, 'exclude = ["lib/**"]')
    assert list(codes(lint(anecheck, project, "."))) == ["C"]
    assert list(codes(lint(anecheck, project, "lib/K.mlpackage"))) == ["K"]
    inner = "lib/K.mlpackage/Manifest.json"
    assert lint(anecheck, project, inner)["models"] == [], "as a hook on changed files passes it"


def test_each_model_is_judged_for_its_own_targets(anecheck: RunAnecheck, project: Path) -> None:
    configure(
        project, 'target = ["a14", "m4"]\n[[models]]\npath = "lib/*"\ntarget = "m1/macos13"\ncompute-units = "all"'
    )
    report = lint(anecheck, project)
    assert [[target["chip"] for target in model["targets"]] for model in report["models"]] == [["a14", "m4"], ["m1"]]
    assert [target["chip"] for target in report["targets"]] == ["a14", "m4", "m1"]
    assert report["target"] == report["targets"][0]
    assert report["models"][1]["targets"][0]["compute_units"] == "all"
    given = lint(anecheck, project, "--target", "a16", "--compute-units", "cpu-only")
    assert [target["chip"] for target in given["targets"]] == ["a16"]


def test_rules_are_selected_in_layers(anecheck: RunAnecheck, project: Path) -> None:
    configure(project, 'ignore = ["ANE012", "ANE3"]\n[[models]]\npath = "app/*"\nignore = ["ANE1"]')
    assert codes(lint(anecheck, project)) == {"C": [], "K": []}
    assert codes(lint(anecheck, project, "--extend-select", "ANE104")) == {"C": ["ANE104"], "K": []}
    assert codes(lint(anecheck, project, "--select", "ANE3"))["K"] == ["ANE301"]


def test_rules_have_severities_and_limits_of_their_own(anecheck: RunAnecheck, project: Path) -> None:
    configure(project, '[rules.cumulative-sum]\nseverity = "info"\n[rules.ANE012]\nseverity = "error"')
    assert codes(lint(anecheck, project), severity="error") == {"C": ["ANE012"], "K": ["ANE012"]}
    assert codes(lint(anecheck, project), severity="warning") == {"C": [], "K": []}
    strict = "limits = { conv-kernel-width = 5, conv-kernel-height = 5, conv-square-kernel = 5 }"
    configure(project, f"[rules.ANE118]\n{strict}")
    assert "ANE118" in codes(lint(anecheck, project))["K"]
    configure(project, strict)
    assert "ANE118" in codes(lint(anecheck, project))["K"]
    configure(project, f'[[models]]\npath = "app/**"\n{strict}')
    assert "ANE118" not in codes(lint(anecheck, project))["K"]


@pytest.mark.parametrize(
    ("configuration", "arguments", "code"),
    [
        ("", [], 1),
        ('fail-on = "error"', [], 0),
        ('fail-on = "error"', ["--fail-on", "warning"], 1),
        ('fail-on = "never"\n[[models]]\npath = "app/*"\nfail-on = "warning"', [], 1),
        ('fail-on = "warning"\n[[models]]\npath = "app/*"\nfail-on = "never"', [], 0),
        ('[[suppress]]\nrule = "ANE110"\nreason = "x"', ["--ignore", "ANE104"], 1),
        ('fail-on = "error"\n[[suppress]]\nrule = "ANE110"\nreason = "x"', [], 0),
    ],
)
def test_what_fails_a_run(
    anecheck: RunAnecheck, project: Path, configuration: str, arguments: list[str], code: int
) -> None:
    configure(project, configuration)
    assert anecheck("lint", *arguments, cwd=project).returncode == code


def test_formats_may_be_configured_and_go_to_files(anecheck: RunAnecheck, project: Path) -> None:
    configure(project, 'format = ["concise", "sarif=report.sarif", "junit=report.xml"]')
    result = anecheck("lint", cwd=project)
    assert result.stdout.startswith("app/C.mlpackage:")
    assert json.loads((project / "report.sarif").read_text())["version"] == "2.1.0"
    assert (project / "report.xml").read_text().startswith("<?xml")
    assert anecheck("lint", "--format", "text", cwd=project).stdout.startswith("app/C.mlpackage\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "sarif", "--format", "json"], "two reports cannot go to the standard output"),
        (["--format", "sarif=a", "--format", "json=a"], "two reports cannot go to 'a'"),
        (["--format", "sarif="], "--format sarif= names no file"),
        (["--format", "sarif=a", "-o", "b"], "--output-file goes with one --format that names no file"),
        (["--format", "sarif=no/such/r.sarif"], "cannot write 'no/such/r.sarif': there is no folder for it"),
        (["--format", "txt"], "there is no format 'txt'; the formats are text, concise, json"),
        (["--baseline", "a", "--no-baseline"], "contradict each other"),
        (["--baseline", "gone.json"], "gone.json: cannot be read"),
        (["--config", "gone.toml"], "gone.toml: cannot be read"),
        (["--config", "anecheck.toml", "--isolated"], "contradict each other"),
        (["--listing", "anecheck.toml"], "the listing 'anecheck.toml/app/C.mil' cannot be written"),
    ],
)
def test_what_contradicts_itself_is_told_before_anything_is_written(
    anecheck: RunAnecheck, project: Path, arguments: list[str], message: str
) -> None:
    configure(project, "")
    result = anecheck("lint", *arguments, cwd=project)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_one_configuration_may_stand_for_all_or_none(anecheck: RunAnecheck, project: Path) -> None:
    configure(project, 'ignore = "ANE1"')
    other = write(project / "ci/strict.toml", 'target = "m4"')
    assert codes(lint(anecheck, project), severity="warning")["C"] == []
    assert codes(lint(anecheck, project, "app", "--config", str(other)), severity="warning")["C"] == ["ANE104"]
    assert codes(lint(anecheck, project, "app", "--isolated"), severity="warning")["C"] == ["ANE104"]


def ask(package: Path, text: str) -> None:
    """Write into a model what it asks to ignore."""
    file = package / "Data/com.apple.CoreML/model.mlmodel"
    model = messages().Model()
    model.ParseFromString(file.read_bytes())
    model.description.metadata.userDefined["com.anecheck.ignore"] = text
    file.write_bytes(model.SerializeToString())


def test_a_model_may_carry_its_own_suppressions(anecheck: RunAnecheck, project: Path) -> None:
    package = project / "app/C.mlpackage"
    ask(package, "ANE104: the app wants it; ANE110[nothing]: not there; ANE1 until 2020-01-01: old")
    report = lint(anecheck, project, "app")
    (found,) = [f for f in report["models"][0]["findings"] if f["suppressed"]]
    assert (found["code"], found["suppression"]["kind"]) == ("ANE104", "model")
    assert codes(report, severity="warning") == {"C": ["ANE040", "ANE041", "ANE104"]}
    assert anecheck("lint", "app", "--ignore", "ANE04", cwd=project).returncode == 0
    assert codes(lint(anecheck, project, "app", "--no-model-ignores"), severity="warning") == {"C": ["ANE104"]}
    assert anecheck("lint", "app", "--no-model-ignores", cwd=project).returncode == 1


def test_the_settings_that_count_are_shown_with_who_says_so(anecheck: RunAnecheck, project: Path) -> None:
    configure(
        project,
        'target = "a14"\nignore = "ANE3"\nbaseline = "b.json"\n[budgets]\nfps = 30\n'
        '[[models]]\npath = "lib/*"\ntarget = "m1"\n[[suppress]]\nrule = "ANE104"\nreason = "x"',
    )
    result = anecheck("config", "lib/K.mlpackage", "--select", "ANE1", cwd=project)
    assert (result.returncode, result.stderr) == (0, "")
    assert [" ".join(line.split()) for line in result.stdout.splitlines()] == [
        'target = ["m1"] # anecheck.toml, section 1 of [[models]] (lib/*)',
        'compute-units = "cpu-and-ne" # default',
        'fail-on = "warning" # default',
        "budgets.headroom = 0.2 # default",
        "budgets.fps = 30.0 # anecheck.toml",
        'ignore = ["ANE3"] # anecheck.toml',
        'select = ["ANE1"] # the command line',
        'baseline = "b.json" # anecheck.toml',
        "suppress = 1 # anecheck.toml",
    ]
    rows = json.loads(anecheck("config", "app", "--format", "json", cwd=project).stdout)
    assert {"name": "target", "value": ["a14"], "origin": "anecheck.toml"} in rows
    assert '["a17pro"]  # default' in anecheck("config", "--isolated", cwd=project).stdout


def test_an_inner_file_and_a_folder_of_a_package_mean_the_package(anecheck: RunAnecheck, project: Path) -> None:
    configure(project, '[[models]]\npath = "K.mlpackage"\ntarget = "m1"')
    for path in ("lib/K.mlpackage", "lib/K.mlpackage/Manifest.json", "lib/K.mlpackage/Data"):
        assert 'target           = ["m1"]' in anecheck("config", path, cwd=project).stdout, path
    assert "m1" not in anecheck("config", "lib", cwd=project).stdout


def test_the_program_is_written_where_findings_point(anecheck: RunAnecheck, project: Path) -> None:
    configure(project, "")
    report = lint(anecheck, project, "--listing", "build/mil")
    for model in report["models"]:
        lines = Path(project, model["listing"]).read_text().splitlines()
        for finding in model["findings"]:
            if finding["operation"]:
                line = lines[finding["mil_line"] - 1]
                assert line[finding["mil_column"] - 1 :].startswith(f"{finding['operation']} = ")
    assert [model["listing"] for model in report["models"]] == ["build/mil/app/C.mil", "build/mil/lib/K.mil"]
    shown = anecheck("show", "app/C.mlpackage", cwd=project).stdout
    assert (project / "build/mil/app/C.mil").read_text() == shown


SUPPRESS = '[[suppress]]\nrule = "ANE110"\nmodel = "{}"\nreason = "x"\n'


@pytest.mark.parametrize(
    ("model", "arguments", "told"),
    [
        ("app/*", [], True),
        ("app/*", ["app"], True),
        ("app/*", ["lib"], False),
        ("**", [], True),
        ("**", ["app"], False),
        ("app/C.mlpackage", ["app"], True),
        ("app/C.mlpackage", ["lib"], False),
        ("gone/*", ["lib"], True),
        ("gone/G.mlpackage", ["lib"], True),
        ("app/*", ["--ignore", "ANE110"], False),
        ("app/*", ["--ignore", "unused-suppression"], False),
    ],
)
def test_a_suppression_is_unused_only_if_every_model_that_it_fits_was_linted(
    anecheck: RunAnecheck, project: Path, model: str, arguments: list[str], told: bool
) -> None:
    configure(project, SUPPRESS.format(model))
    notices = lint(anecheck, project, *arguments)["notices"]
    assert [notice["code"] for notice in notices] == (["ANE040"] if told else [])


def test_the_configuration_has_a_say_in_what_is_told_of_itself(anecheck: RunAnecheck, project: Path) -> None:
    configure(project, 'ignore = ["ANE104", "ANE040"]\n' + SUPPRESS.format("**"))
    assert lint(anecheck, project)["notices"] == []
    configure(project, 'ignore = ["ANE104"]\nfail-on = "error"\n' + SUPPRESS.format("**"))
    assert anecheck("lint", cwd=project).returncode == 0
    write(project / "base.toml", 'fail-on = "error"\nignore = "ANE104"')
    configure(project, 'extend = "base.toml"\n' + SUPPRESS.format("**"))
    assert anecheck("lint", cwd=project).returncode == 0
