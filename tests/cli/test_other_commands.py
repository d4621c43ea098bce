"""`show`, `rule`, `targets`, `schema` and the group itself, as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anecheck.mil.parser import parse
from tests.conftest import RunAnecheck


def test_version_and_help(anecheck: RunAnecheck) -> None:
    assert anecheck("--version").stdout.startswith("anecheck 0.")
    text = anecheck("--help").stdout
    assert all(command in text for command in ("lint", "show", "rule", "targets", "schema"))
    for command in ("lint", "show", "rule", "targets", "schema"):
        assert anecheck(command, "--help").returncode == 0


def test_an_unknown_command_is_wrong_usage(anecheck: RunAnecheck) -> None:
    result = anecheck("lnit", "x")
    assert result.returncode == 2
    assert "No such command 'lnit'" in result.stderr


def test_show_prints_text_that_parses_again(anecheck: RunAnecheck, fixtures: Path) -> None:
    result = anecheck("show", fixtures / "zoo/bert_base.mlpackage")
    assert result.returncode == 0
    assert "main" in parse(result.stdout).functions


def test_show_writes_findings_above_their_operations(anecheck: RunAnecheck, fixtures: Path) -> None:
    lines = anecheck("show", fixtures / "flagged/cumsum.mlpackage", "--findings").stdout.splitlines()
    position = next(number for number, line in enumerate(lines) if "// warning ANE104" in line)
    assert " = cumsum(" in lines[position + 1]
    assert lines[position].startswith(lines[position + 1][:8])
    assert "-> multiply by a triangular matrix of ones" in lines[position]
    assert "main" in parse("\n".join(lines)).functions


def test_show_of_a_neural_network_lists_its_layers(anecheck: RunAnecheck, fixtures: Path) -> None:
    result = anecheck("show", fixtures / "flagged/neural_network_custom_layers.mlmodel")
    assert result.returncode == 0
    assert "// neuralNetwork: no ML Program" in result.stdout
    assert "custom Swirl" in result.stdout


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("broken/truncated_model.mlpackage", 3, "error ANE003"),
        ("no_such.mlpackage", 3, "error ANE008"),
        ("zoo", 2, "holds 29 models; name one of them"),
    ],
)
def test_show_of_what_cannot_be_shown(
    anecheck: RunAnecheck, fixtures: Path, path: str, code: int, message: str
) -> None:
    result = anecheck("show", fixtures / path)
    assert (result.returncode, result.stdout) == (code, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_rule_explains_by_code_or_name(anecheck: RunAnecheck) -> None:
    by_code = anecheck("rule", "ANE104").stdout
    assert by_code == anecheck("rule", "cumulative-sum").stdout
    for part in ("Why it leaves the engine", "Instead", "Evidence", "Example 1", "cumsum(", "https://"):
        assert part in by_code


def test_rule_explains_diagnostics_too(anecheck: RunAnecheck) -> None:
    assert "git lfs pull" in anecheck("rule", "ANE001").stdout


def test_rule_all_lists_every_code_once(anecheck: RunAnecheck) -> None:
    codes = [line.split()[0] for line in anecheck("rule", "--all").stdout.splitlines()]
    assert codes == sorted(set(codes))
    assert {"ANE001", "ANE030", "ANE101", "ANE801"} <= set(codes)
    pages = json.loads(anecheck("rule", "--all", "--format", "json").stdout)
    assert [page["code"] for page in pages] == codes
    markdown = anecheck("rule", "--all", "--format", "markdown").stdout
    assert [line.split()[1] for line in markdown.splitlines() if line.startswith("# ANE")] == codes


@pytest.mark.parametrize("arguments", [[], ["ANE104", "--all"], ["ANE9"], ["cumulative-sums"]])
def test_rule_with_wrong_usage(anecheck: RunAnecheck, arguments: list[str]) -> None:
    result = anecheck("rule", *arguments)
    assert (result.returncode, result.stdout) == (2, "")


def test_targets_lists_chips_families_and_releases(anecheck: RunAnecheck) -> None:
    text = anecheck("targets").stdout
    for part in ("a17pro", "iphone-15-pro", "H16", "CoreML8"):
        assert part in text
    content = json.loads(anecheck("targets", "--format", "json").stdout)
    assert len(content["chips"]) == 30
    assert [family["name"] for family in content["families"]] == [f"H{number}" for number in range(11, 19)]
    assert [release["specification_version"] for release in content["releases"]] == list(range(4, 11))


def test_targets_gives_every_number_with_its_source(anecheck: RunAnecheck) -> None:
    content = json.loads(anecheck("targets", "m4", "--format", "json").stdout)
    assert content["figures"]["dram_gbps"]["value"] == 120
    assert content["limits"]["conv-kernel-width"]["value"] == 15
    assert all(row["source"] for row in content["figures"].values())
    assert all(row["sources"] for row in content["limits"].values())
    assert "dram_gbps: 120 GB/s" in anecheck("targets", "m4").stdout
    assert anecheck("targets", "m44").returncode == 2
