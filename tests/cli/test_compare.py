"""`anecheck compare`, as a user calls it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import anecheck as library
from anecheck.report.comparison_json import render
from tests.conftest import RunAnecheck


def compared(anecheck: RunAnecheck, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
    result = anecheck("compare", "--format", "json", *arguments)
    assert (result.returncode, result.stderr) == (code, "")
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def test_a_model_against_itself_is_no_difference(anecheck: RunAnecheck, fixtures: Path) -> None:
    path = fixtures / "flagged/cumsum.mlpackage"
    result = anecheck("compare", path, path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0] == "no difference"
    assert "got worse" not in result.stdout
    (model,) = compared(anecheck, path, path)["models"]
    assert [model[key] for key in ("worse", "better", "gained", "lost")] == [[], [], [], []]


def test_palettized_weights_are_smaller_and_all_else_is_the_same(anecheck: RunAnecheck, fixtures: Path) -> None:
    old, new = fixtures / "zoo/resnet50.mlpackage", fixtures / "zoo/resnet50_palettized4.mlpackage"
    text = anecheck("compare", old, new).stdout
    assert text.startswith("not worse; better: weights in memory −75.0%\n")
    assert "122 operations in both\n" in text
    content = compared(anecheck, old, new)
    assert not content["is_worse"]
    (reason,) = content["models"][0]["better"]
    assert (reason["kind"], reason["function"]) == ("resident_weight_bytes", "main")
    back = anecheck("compare", new, old)
    assert back.returncode == 1
    assert back.stdout.startswith("worse: weights in memory +")


def test_a_newer_operation_set_fuses_attention(anecheck: RunAnecheck, fixtures: Path) -> None:
    content = compared(anecheck, fixtures / "zoo/vit_b_16.mlpackage", fixtures / "zoo/vit_b_16_ios18.mlpackage")
    (function,) = content["models"][0]["functions"]
    assert function["matched"] == 368
    assert [each["type"] for each in function["added"]] == ["scaled_dot_product_attention"] * 12
    assert {each["type"] for each in function["removed"]} == {"mul", "matmul", "softmax"}
    assert not content["is_worse"]


def test_a_flexible_input_takes_everything_off_the_engine(anecheck: RunAnecheck, fixtures: Path) -> None:
    old, new = fixtures / "zoo/mobilenet_v3_large.mlpackage", fixtures / "zoo/mobilenet_v3_large_range.mlpackage"
    result = anecheck("compare", old, new)
    assert result.returncode == 1
    assert result.stdout.startswith("worse: 1 warning gained, 182 operations left the engine\n")
    assert "+1 warning ANE701 shape-range" in result.stdout
    assert "182 ane → cpu that no rule keeps from it: conv 62" in result.stdout
    assert "sizes are not fixed" in result.stdout


def test_what_decides_can_be_chosen(anecheck: RunAnecheck, fixtures: Path) -> None:
    old, new = fixtures / "ok/edge_conv_7x7.mlpackage", fixtures / "flagged/acos.mlpackage"
    assert anecheck("compare", old, new, "--tolerance", "1000000").returncode == 1
    content = compared(anecheck, old, new, "--fail-on", "never", "--tolerance", "1000000%")
    assert content["tolerance"] == 10000
    assert content["models"][0]["gained"]
    ignored = compared(anecheck, old, new, "--ignore", "ANE1,ANE3", "--tolerance", "1000000")
    assert not [each for each in ignored["models"][0]["gained"] if each["code"].startswith("ANE1")]


@pytest.mark.parametrize("pair", [("resnet50", "resnet50_palettized4"), ("llama_stateful_static", "llama_stateful")])
def test_json_follows_its_schema(anecheck: RunAnecheck, fixtures: Path, pair: tuple[str, str]) -> None:
    schema = json.loads(anecheck("schema", "comparison").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    paths = [fixtures / f"zoo/{name}.mlpackage" for name in pair]
    content = json.loads(anecheck("compare", "--format", "json", *paths).stdout)
    jsonschema.validate(content, schema)
    assert schema["title"] == "anecheck comparison"
    assert content["schema_version"] == "1.0"
    assert json.loads(anecheck("schema").stdout)["title"] == "anecheck report"


@pytest.mark.parametrize("side", ["old", "new"])
@pytest.mark.parametrize("path", ["broken/truncated_model.mlpackage", "no_such.mlpackage"])
def test_what_cannot_be_read_is_not_compared(anecheck: RunAnecheck, fixtures: Path, side: str, path: str) -> None:
    good, bad = fixtures / "ok/bare_program.mlmodel", fixtures / path
    result = anecheck("compare", *((bad, good) if side == "old" else (good, bad)))
    assert result.returncode == 3
    assert result.stdout.startswith("not compared\n")
    assert f" {side}: " in result.stdout
    assert "Traceback" not in result.stderr


def test_folders_by_relative_path(anecheck: RunAnecheck, fixtures: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for place, names in ((old, ("a", "b", "gone")), (new, ("a", "b", "more"))):
        for name in names:
            shutil.copytree(fixtures / "ok/edge_conv_7x7.mlpackage", place / "deep" / f"{name}.mlpackage")
    shutil.rmtree(new / "deep/b.mlpackage")
    shutil.copytree(fixtures / "flagged/acos.mlpackage", new / "deep/b.mlpackage")
    result = anecheck("compare", old, new)
    assert result.returncode == 1
    assert "deep/more.mlpackage: only in the new folder\n" in result.stdout
    assert "deep/gone.mlpackage: only in the old folder\n" in result.stdout
    assert "2 pairs of models: 1 worse" in result.stdout
    shutil.rmtree(new / "deep/a.mlpackage/Data")
    assert anecheck("compare", old, new).returncode == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["zoo/resnet50.mlpackage"], "Missing argument 'NEW'"),
        (["zoo", "zoo/resnet50.mlpackage"], "name the two models themselves"),
        (["zoo", "ok/bare_program.mlmodel"], "name one of each"),
        (["zoo/resnet50.mlpackage", "zoo/resnet50.mlpackage", "--tolerance", "little"], "is no percentage"),
        (["zoo/resnet50.mlpackage", "zoo/resnet50.mlpackage", "--tolerance", "-1"], "is no percentage"),
        (["zoo/resnet50.mlpackage", "zoo/resnet50.mlpackage", "--target", "a99"], "no chip, device or family"),
        (["zoo/resnet50.mlpackage", "zoo/resnet50.mlpackage", "-o", "no/such/folder"], "cannot write"),
    ],
)
def test_wrong_usage(anecheck: RunAnecheck, fixtures: Path, arguments: list[str], message: str) -> None:
    result = anecheck("compare", *arguments, cwd=fixtures)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())


def test_markdown_into_a_file(anecheck: RunAnecheck, fixtures: Path, tmp_path: Path) -> None:
    file = tmp_path / "comment.md"
    old, new = fixtures / "zoo/mobilenet_v3_large.mlpackage", fixtures / "zoo/mobilenet_v3_large_range.mlpackage"
    result = anecheck("compare", old, new, "--format", "markdown", "--output-file", file)
    assert (result.returncode, result.stdout) == (1, "")
    text = file.read_text(encoding="utf-8")
    assert text.startswith("### anecheck: worse: 1 warning gained, 182 operations left the engine\n")
    assert "| predicted on ane | 182 | 0 | −182 |\n" in text


def test_findings_are_coloured_only_where_asked(anecheck: RunAnecheck, fixtures: Path) -> None:
    old, new = fixtures / "ok/edge_conv_7x7.mlpackage", fixtures / "flagged/acos.mlpackage"
    assert "\x1b[" not in anecheck("compare", old, new).stdout
    assert "\x1b[31m" in anecheck("compare", old, new, "--color", "always").stdout


@pytest.mark.parametrize("format_", ["text", "markdown"])
def test_an_output_without_arrows_gets_ascii(anecheck: RunAnecheck, fixtures: Path, format_: str) -> None:
    old, new = fixtures / "ok/edge_conv_7x7.mlpackage", fixtures / "flagged/acos.mlpackage"
    result = anecheck("compare", old, new, "--format", format_, PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (1, "")
    assert "+1 warning ANE1" in result.stdout
    assert " -33.3%" in result.stdout


def test_from_python(anecheck: RunAnecheck, fixtures: Path) -> None:
    paths = [fixtures / f"zoo/{name}.mlpackage" for name in ("resnet50", "resnet50_palettized4")]
    by_path = library.compare(*paths)
    assert isinstance(by_path, library.Comparison)
    assert json.loads(render(by_path)) == compared(anecheck, *paths)
    assert library.compare(*map(library.load, paths)) == by_path
    assert library.compare(*reversed(paths), tolerance=5).is_worse is False
    with pytest.raises(TypeError, match="two paths or two models"):
        library.compare(paths[0], library.load(paths[1]))
    with pytest.raises(ValueError, match="no share"):
        library.compare(*paths, tolerance=-1)
