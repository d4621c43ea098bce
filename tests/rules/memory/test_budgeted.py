"""Rules on memory that speak only when somebody asks: waiting for weights at a rate, a limit of memory; and expansion at load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from anecheck import Wanted, lint
from anecheck.lint.finding import Finding


def found(path: Path, code: str, target: str, wanted: Wanted | None = None) -> list[Finding]:
    report = lint(path, target=target, select=[code], budgets=wanted or Wanted())
    return [finding for finding in report.models[0].findings if finding.code == code]


@pytest.fixture
def zoo(fixtures: Path) -> Path:
    return fixtures / "zoo"


def test_a_limit_is_held_by_weights_and_working_set_together(zoo: Path) -> None:
    # 51.0 MB of weights, and 5.81 MB at the second bottleneck's addition: three values of 256 x 56 rows of 128 bytes,
    # the picture and the result.
    (finding,) = found(zoo / "resnet50.mlpackage", "ANE410", "a17pro", Wanted(memory_limit=56e6))
    assert finding.severity.value == "warning"
    assert finding.data["peak_working_set_bytes"] == 3 * 256 * 56 * 128 + 3 * 224 * 448 + 2048
    total = finding.data["resident_weight_bytes"] + finding.data["peak_working_set_bytes"]
    assert not found(zoo / "resnet50.mlpackage", "ANE410", "a17pro", Wanted(memory_limit=total))
    assert found(zoo / "resnet50.mlpackage", "ANE410", "a17pro", Wanted(memory_limit=total - 1))
    assert "the weights are most of it; with 4 bits they would be 12.8 MB" in finding.message


def test_a_peak_names_its_holders_and_what_cutting_leaves(zoo: Path) -> None:
    (finding,) = found(zoo / "whisper_tiny_encoder.mlpackage", "ANE410", "a17pro", Wanted(memory_limit=60e6))
    assert "held by input_7_cast_fp16 (27.1 MB), input_9_cast_fp16 (27.1 MB)" in finding.message
    # Four layers, each with a softmax over 6 x 1500 x 1500, live with what goes in and what comes out.
    assert re.search(r"each of the \d+ operations with more than 29 MB live cut into two parts", finding.message)


def test_nothing_is_said_of_limits_that_nobody_set(zoo: Path) -> None:
    for code in ("ANE409", "ANE410"):
        assert not found(zoo / "whisper_tiny_encoder.mlpackage", code, "a17pro")


def test_waiting_for_weights_is_said_where_the_rate_is_missed(zoo: Path) -> None:
    bert = zoo / "bert_base.mlpackage"
    (finding,) = found(bert, "ANE409", "a14", Wanted(fps=120))
    assert finding.severity.value == "info"
    assert finding.data["weights_ms"] > finding.data["arithmetic_ms"]
    # 170 MB at 26.4 GB/s; palettes of 4 bits are a quarter, the word table, which is read by rows, left out.
    assert "(from H13 on)" in finding.message
    assert not found(bert, "ANE409", "a14", Wanted(fps=10)), "a rate that is kept asks for nothing"
    resnet = zoo / "resnet50.mlpackage"
    assert not found(resnet, "ANE409", "a17pro", Wanted(fps=2000)), "its arithmetic takes longer"


def test_each_target_is_told_by_name(zoo: Path) -> None:
    report = lint(
        zoo / "resnet50.mlpackage", target=["a14", "m1"], select=["ANE410"], budgets=Wanted(memory_limit=40e6)
    )
    assert [finding.message.partition(":")[0] for finding in report.models[0].findings if finding.code == "ANE410"] == [
        "A14",
        "M1",
    ]


@pytest.mark.parametrize(
    ("package", "target", "said"),
    [
        ("resnet50_palettized4", "a15/ios16", "the release expands all"),
        ("resnet50_palettized4", "a15/ios17", ""),
        ("resnet50_palettized4", "a14", ""),
        ("vit_b_16_int4_blocks", "a15", "H14 expands a scale per block"),
        ("vit_b_16_int4_blocks", "a17pro", ""),
        ("resnet50_linear8", "a14", ""),  # ANE614 speaks of these
        ("resnet50_linear8", "a14/ios16", "the release expands all"),
        ("resnet50", "a15/ios16", ""),
    ],
)
def test_expansion_at_load_depends_on_form_chip_and_release(zoo: Path, package: str, target: str, said: str) -> None:
    findings = found(zoo / f"{package}.mlpackage", "ANE408", target)
    assert [finding.message.endswith(said) for finding in findings] == ([True] if said else [])
