"""Baselines: what they count, what is new and what is gone, and what is wrong with a file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from anecheck.knowledge.evidence import Confidence
from anecheck.lint.baseline import (
    BaselineError,
    Entry,
    accept,
    entries_of,
    key_of,
    pruned,
    read_baseline,
    write_baseline,
)
from anecheck.lint.finding import Finding, Severity
from anecheck.lint.run_report import Suppression
from tests.lint.files import write


def found(fingerprint: str, code: str = "ANE104") -> Finding:
    return Finding(
        code=code,
        name="n",
        severity=Severity.WARNING,
        confidence=Confidence.MEASURED,
        message=f"m {fingerprint}",
        fingerprint=fingerprint,
    )


def spoken(_code: str) -> bool:
    """Every rule speaks."""
    return True


def test_equal_findings_are_counted() -> None:
    entries = entries_of([found("a"), found("b"), found("a")])
    assert entries == {"a": Entry("ANE104", "n", 2, "m a"), "b": Entry("ANE104", "n", 1, "m b")}
    assert entries_of([replace(found("a"), suppressed=True)]) == {}, "what is excused needs no baseline"


def test_only_what_comes_on_top_counts() -> None:
    findings, gone = accept(
        [found("a"), found("a"), found("a"), found("c")], entries_of([found("a"), found("a")]), spoken
    )
    assert [finding.suppressed for finding in findings] == [True, True, False, False]
    assert findings[0].suppression == Suppression(kind="baseline", reason="in the baseline")
    assert gone == []


def test_what_is_gone_is_told_with_its_count() -> None:
    entries = entries_of([found("a"), found("a"), found("a"), found("b", "ANE101")])
    findings, gone = accept([found("a")], entries, spoken)
    assert [finding.suppressed for finding in findings] == [True]
    assert [(item.code, item.fingerprint, item.count, item.message) for item in gone] == [
        ("ANE101", "b", 1, "m b"),
        ("ANE104", "a", 2, "m a"),
    ]
    assert pruned(entries, gone) == entries_of([found("a")])


def test_what_a_silent_rule_would_have_found_is_not_gone() -> None:
    entries = entries_of([found("a"), found("b", "ANE101")])
    _, gone = accept([], entries, lambda code: code == "ANE104")
    assert [item.code for item in gone] == ["ANE104"]


def test_what_is_excused_elsewhere_too_is_not_gone() -> None:
    excused = replace(found("a"), suppressed=True, suppression=Suppression(kind="model", reason="known"))
    findings, gone = accept([excused], entries_of([found("a")]), spoken)
    assert (findings, gone) == ([excused], [])


def test_models_are_named_from_the_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert key_of(Path("models/M.mlpackage"), Path("anecheck-baseline.json")) == "models/M.mlpackage"
    assert key_of(tmp_path / "models/M.mlpackage", Path("ci/b.json")) == "../models/M.mlpackage"


def test_a_file_is_sorted_and_comes_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    models = {"z": entries_of([found("b"), found("a", "ANE101")]), "a": entries_of([found("ü\ud800")]), "empty": {}}
    write_baseline(file, models)
    assert list(json.loads(file.read_text())["models"]) == ["a", "z"]
    assert list(json.loads(file.read_text())["models"]["z"]) == ["a", "b"]
    assert read_baseline(file).models["z"] == models["z"]
    once = file.read_bytes()
    write_baseline(file, dict(reversed([*read_baseline(file).models.items()])))
    assert file.read_bytes() == once


def test_models_that_are_not_there_any_more_are_told(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    (tmp_path / "here.mlmodel").touch()
    write_baseline(file, {"here.mlmodel": entries_of([found("a")]), "gone.mlmodel": entries_of([found("a")])})
    (notice,) = read_baseline(file).vanished()
    assert (notice.code, notice.data) == ("ANE043", {"model": "gone.mlmodel"})
    assert notice.source is not None
    assert notice.source.file == str(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "it is no JSON text"),
        ("[" * 100_000, "it is no JSON text"),
        ("[]", "it is no baseline of this version"),
        ('{"anecheck-baseline": 2, "models": {}}', "it is no baseline of this version"),
        ('{"anecheck-baseline": 1}', "it is damaged"),
        ('{"anecheck-baseline": 1, "models": []}', "it is damaged"),
        ('{"anecheck-baseline": 1, "models": {"m": {"f": {"code": "ANE104"}}}}', "it is damaged"),
        ('{"anecheck-baseline": 1, "models": {"m": {"f": {"code": 1, "name": "n", "count": 1, "message": ""}}}}', "damaged"),
        ('{"anecheck-baseline": 1, "models": {"m": {"f": {"code": "A", "name": "n", "count": true, "message": ""}}}}', "damaged"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_baseline_is_told(tmp_path: Path, text: str, message: str) -> None:
    file = write(tmp_path / "b.json", text)
    with pytest.raises(BaselineError, match=f"b.json: .*{message}.*anecheck baseline"):
        read_baseline(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match=r"gone.json: cannot be read: .*`anecheck baseline` writes one"):
        read_baseline(tmp_path / "gone.json")
    with pytest.raises(BaselineError, match=r"b.json: cannot be written"):
        write_baseline(tmp_path / "no/b.json", {})
