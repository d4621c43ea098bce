"""Introducing anecheck to a repository of ten old models: what people do in the first week, and in the months after."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import jsonschema
import pytest
import tomli

from anecheck.artifact.proto import messages
from tests.conftest import FIXTURES, RunAnecheck
from tests.lint.files import write

OLD = ("cumsum", "embedding", "lstm", "mod", "pad_then_conv", "rank_6", "sin", "conv_dilation_6", "one_hot", "tile_5")
GOOD = FIXTURES / "ok/rank3_linear.mlpackage"
BAD = FIXTURES / "flagged/scatter.mlpackage"


@pytest.fixture
def repository(tmp_path: Path, anecheck: RunAnecheck) -> Path:
    """Ten old models, a configuration to begin with, and a baseline of what they have."""
    for name in OLD:
        shutil.copytree(FIXTURES / f"flagged/{name}.mlpackage", tmp_path / f"models/{name}.mlpackage")
    assert anecheck("lint", "models", cwd=tmp_path).returncode == 1, "they are not clean"
    first = anecheck("init", cwd=tmp_path)
    assert (first.returncode, first.stderr) == (0, "")
    assert "it holds for the 10 models below it" in first.stdout
    second = anecheck("baseline", cwd=tmp_path)
    assert (second.returncode, second.stderr) == (0, "")
    assert re.fullmatch(r"anecheck-baseline.json: \d+ findings\n", second.stdout)
    return tmp_path


def put(model: Path, folder: Path, name: str) -> None:
    """Put a model in place of another, or beside the others."""
    target = folder / f"models/{name}.mlpackage"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(model, target)


def rename(file: Path) -> None:
    """Give every value and operation of a model file another name, as another conversion of the same network would."""
    model = messages().Model()
    model.ParseFromString(file.read_bytes())
    (block,) = model.mlProgram.functions["main"].block_specializations.values()
    kept = {feature.name for feature in (*model.description.input, *model.description.output)}
    names: dict[str, str] = {}
    for number, operation in enumerate(block.operations):
        for output in operation.outputs:
            if output.name not in kept:
                names[output.name] = f"again_{number}"
                output.name = names[output.name]
        if "name" in operation.attributes:
            operation.attributes["name"].immediateValue.tensor.strings.values[0] = f"op_again_{number}"
        for argument in operation.inputs.values():
            for binding in argument.arguments:
                if binding.name in names:
                    binding.name = names[binding.name]
    assert len(names) > 5
    file.write_bytes(model.SerializeToString())


def test_after_init_and_baseline_all_is_green(repository: Path, anecheck: RunAnecheck) -> None:
    result = anecheck("lint", cwd=repository)
    assert (result.returncode, result.stderr) == (0, "")
    assert "10 models checked: nothing found" in result.stdout
    assert "in the baseline" in result.stdout
    assert (
        anecheck("lint", "models", "--baseline", "anecheck-baseline.json", "--isolated", cwd=repository).returncode == 0
    )
    assert anecheck("lint", "--no-baseline", cwd=repository).returncode == 1


def test_a_new_regression_fails_and_only_it_is_told(repository: Path, anecheck: RunAnecheck) -> None:
    put(BAD, repository, "new")
    result = anecheck("lint", "--format", "json", cwd=repository)
    assert result.returncode == 1
    report = json.loads(result.stdout)
    told = {(m["path"], f["code"]) for m in report["models"] for f in m["findings"] if not f["suppressed"]}
    assert ("models/new.mlpackage", "ANE109") in told
    assert {path for path, _ in told} == {"models/new.mlpackage"}


def test_one_more_of_what_a_model_has_already_fails(repository: Path, anecheck: RunAnecheck) -> None:
    baseline = repository / "anecheck-baseline.json"
    content = json.loads(baseline.read_text())
    entries = content["models"]["models/cumsum.mlpackage"]
    (fingerprint,) = [key for key, entry in entries.items() if entry["code"] == "ANE104"]
    entries[fingerprint]["count"] -= 1
    baseline.write_text(json.dumps(content))
    assert anecheck("lint", cwd=repository).returncode == 1


def test_a_mended_finding_is_told_as_gone_and_pruned(repository: Path, anecheck: RunAnecheck) -> None:
    put(GOOD, repository, "cumsum")
    put(BAD, repository, "new")
    result = anecheck("lint", "models/cumsum.mlpackage", cwd=repository)
    assert "ANE104 cumulative-sum: 1 gone from the baseline" in result.stdout
    pruned = anecheck("baseline", "--prune", cwd=repository)
    assert pruned.returncode == 0
    content = json.loads((repository / "anecheck-baseline.json").read_text())["models"]
    assert "ANE104" not in {entry["code"] for entry in content.get("models/cumsum.mlpackage", {}).values()}
    assert "models/new.mlpackage" not in content, "pruning accepts nothing new"
    assert "gone from the baseline" not in anecheck("lint", cwd=repository).stdout
    put(FIXTURES / "flagged/cumsum.mlpackage", repository, "cumsum")
    assert anecheck("lint", "models/cumsum.mlpackage", cwd=repository).returncode == 1, (
        "what was mended may not come back"
    )


def test_a_re_export_that_renames_everything_stays_green(repository: Path, anecheck: RunAnecheck) -> None:
    """The same network, converted again: PyTorch's tracer gave other numbers."""
    rename(repository / "models/embedding.mlpackage/Data/com.apple.CoreML/model.mlmodel")
    result = anecheck("lint", "models/embedding.mlpackage", cwd=repository)
    assert result.returncode == 0, result.stdout


def test_a_deleted_model_leaves_a_note_and_is_forgotten(repository: Path, anecheck: RunAnecheck) -> None:
    shutil.rmtree(repository / "models/mod.mlpackage")
    result = anecheck("lint", cwd=repository)
    assert result.returncode == 0
    assert "the baseline lists 'models/mod.mlpackage', which is not there any more" in " ".join(result.stdout.split())
    anecheck("baseline", "--prune", cwd=repository)
    assert "ANE043" not in anecheck("lint", cwd=repository).stdout


def test_a_baseline_of_some_models_keeps_the_others(repository: Path, anecheck: RunAnecheck) -> None:
    put(BAD, repository, "new")
    assert anecheck("baseline", "models/new.mlpackage", cwd=repository).returncode == 0
    assert anecheck("lint", cwd=repository).returncode == 0


def test_a_baseline_of_some_rules_keeps_the_others(repository: Path, anecheck: RunAnecheck) -> None:
    before = (repository / "anecheck-baseline.json").read_text()
    assert anecheck("baseline", "--select", "ANE104", cwd=repository).returncode == 0
    assert (repository / "anecheck-baseline.json").read_text() == before


def test_a_damaged_baseline_is_told_by_both_commands(repository: Path, anecheck: RunAnecheck) -> None:
    write(repository / "anecheck-baseline.json", "{")
    for command in ("lint", "baseline"):
        result = anecheck(command, cwd=repository)
        assert (result.returncode, result.stdout) == (2, "")
        assert "delete it and run `anecheck baseline`" in " ".join(result.stderr.split())
    assert (repository / "anecheck-baseline.json").read_text() == "{"


def test_a_model_that_cannot_be_read_keeps_its_place_in_the_baseline(repository: Path, anecheck: RunAnecheck) -> None:
    before = json.loads((repository / "anecheck-baseline.json").read_text())
    manifest = repository / "models/lstm.mlpackage/Manifest.json"
    text = manifest.read_text()
    manifest.write_text("{")
    result = anecheck("baseline", cwd=repository)
    assert result.returncode == 3
    assert "models/lstm.mlpackage: ANE005" in result.stderr
    assert json.loads((repository / "anecheck-baseline.json").read_text()) == before
    manifest.write_text(text)


SUPPRESSION = """
[[suppress]]
rule = "scatter"
model = "models/new.mlpackage"
reason = "runs once, at start"
expires = {day}
"""


def suppress(repository: Path, day: str) -> None:
    """Excuse what the new model has, until a day."""
    file = repository / "anecheck.toml"
    write(file, file.read_text(encoding="utf-8") + SUPPRESSION.format(day=day))


def test_a_suppression_with_a_reason_lets_a_finding_in(repository: Path, anecheck: RunAnecheck) -> None:
    put(BAD, repository, "new")
    suppress(repository, "2999-12-31")
    result = anecheck("lint", "--format", "json", "--select", "ANE1", "--ignore", "ANE102,ANE103", cwd=repository)
    assert result.returncode == 0, result.stdout
    (found,) = [f for m in json.loads(result.stdout)["models"] for f in m["findings"] if f["code"] == "ANE109"]
    assert found["suppression"] == {"kind": "configuration", "reason": "runs once, at start", "expires": "2999-12-31"}


def test_an_expired_suppression_is_told_where_it_stands_and_holds_no_more(
    repository: Path, anecheck: RunAnecheck
) -> None:
    put(BAD, repository, "new")
    suppress(repository, "2020-01-31")
    result = anecheck("lint", cwd=repository)
    assert result.returncode == 1
    text = " ".join(result.stdout.split())
    assert "ANE041 expired-suppression" in text
    assert "held until 2020-01-31, which is past (runs once, at start)" in text
    assert "ANE109" in result.stdout
    line = (repository / "anecheck.toml").read_text(encoding="utf-8").splitlines().index("[[suppress]]") + 1
    assert f"anecheck.toml:{line}" in text


def test_a_suppression_that_excuses_nothing_is_told(repository: Path, anecheck: RunAnecheck) -> None:
    put(GOOD, repository, "new")
    suppress(repository, "2999-12-31")
    result = anecheck("lint", cwd=repository)
    assert result.returncode == 1
    assert "ANE040 unused-suppression" in result.stdout
    assert anecheck("lint", "models/cumsum.mlpackage", cwd=repository).returncode == 0, (
        "that model has nothing to do with it"
    )
    assert anecheck("lint", "--ignore", "unused-suppression", cwd=repository).returncode == 0


def test_init_does_not_overwrite_and_what_it_writes_is_understood(tmp_path: Path, anecheck: RunAnecheck) -> None:
    assert anecheck("init", cwd=tmp_path).returncode == 0
    again = anecheck("init", cwd=tmp_path)
    assert again.returncode == 2
    assert "there is a anecheck.toml already; --force replaces it" in " ".join(again.stderr.split())
    assert anecheck("init", "--force", cwd=tmp_path).returncode == 0
    uncommented = re.sub(r"^# (?=[\w\[])(?=.*[=\]])", "", (tmp_path / "anecheck.toml").read_text(), flags=re.MULTILINE)
    examples = [line for line in uncommented.splitlines() if line and not line.startswith("#")]
    assert len(examples) > 25
    text = "\n".join(line for line in examples if not line.startswith("target = ["))
    write(tmp_path / "anecheck.toml", text)
    shown = anecheck("config", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert 'budgets.residency = "single"  # anecheck.toml' in re.sub(" +=", " =", shown.stdout)
    schema = json.loads(anecheck("schema", "configuration").stdout)
    content = json.loads(json.dumps(tomli.loads(text), default=str))  # JSON has no days
    jsonschema.validate(content, schema, jsonschema.Draft202012Validator)
    with pytest.raises(jsonschema.ValidationError, match="selct"):
        jsonschema.validate({**content, "selct": []}, schema, jsonschema.Draft202012Validator)
