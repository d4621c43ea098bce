"""The options that say what an app can afford: each with a model inside and one outside, and what they refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FIXTURES, RunAnecheck

LintJson = Callable[..., dict[str, Any]]

RESNET = FIXTURES / "zoo/resnet50.mlpackage"
"""2.56 ms on A14, 1.42 on A16, 1.43 on A17 Pro; 51.0 MB of weights and 5.8 MB beside them."""
MOBILENET = FIXTURES / "zoo/mobilenet_v3_large.mlpackage"
"""1.04 ms on A14; 10.9 MB of weights."""
TINY = FIXTURES / "ok/spec08_ios17_conv.mlpackage"

BUDGETS = ("--select", "ANE809,ANE810,ANE811,ANE812", "--ignore", "ANE012")


@pytest.fixture
def held(anecheck: RunAnecheck) -> Callable[..., tuple[int, str]]:
    """Hold a model against budgets alone: the exit code, and what is printed, on one line."""

    def run(*arguments: str | Path) -> tuple[int, str]:
        result = anecheck("lint", *arguments, *BUDGETS)
        assert result.stderr == ""
        return result.returncode, " ".join(result.stdout.split())

    return run


Held = Callable[..., tuple[int, str]]


def test_a_frame_rate(held: Held) -> None:
    code, output = held(RESNET, "--fps", "60", "--target", "a14")
    assert (code, "ANE809" in output) == (0, False)
    code, output = held(RESNET, "--fps", "500", "--target", "a14")
    assert code == 1
    # 1000 / 500 less a fifth is 1.6 ms; 2.564 - 1.6 = 0.964.
    assert (
        "warning ANE809 frame-budget estimated A14: estimated 2.56 ms (1.71 to 3.85) where a frame at 500 a second leaves "
        "1.6 ms: 0.964 ms too long; by the same estimate would help: palettize the weights to 4 bits (2.29 ms)"
    ) in output


def test_a_frame_that_only_the_end_of_the_range_misses_is_a_hint(held: Held) -> None:
    # 2.56 ms fits into 3.2, 3.85 does not.
    code, output = held(RESNET, "--fps", "250", "--target", "a14")
    assert code == 0
    assert "info ANE809" in output
    assert "within it, but the range ends 0.646 ms beyond" in output
    assert held(RESNET, "--fps", "250", "--target", "a14", "--fail-on", "info")[0] == 1


@pytest.mark.parametrize(("headroom", "code"), [("0%", 0), ("20%", 0), ("0.5", 1), ("50 %", 1)])
def test_headroom(held: Held, headroom: str, code: int) -> None:
    # 4 ms of a frame: 2.56 fits into all of it and into four fifths, not into half.
    assert held(RESNET, "--fps", "250", "--target", "a14", "--headroom", headroom)[0] == code


def test_a_rate_that_has_to_last(held: Held) -> None:
    # 2.86 ms are left: 2.56 ms fit while the phone is cold, and 2.56 / 0.71 after ten minutes do not.
    assert held(RESNET, "--fps", "280", "--target", "a14")[0] == 0
    code, output = held(RESNET, "--fps", "280", "--target", "a14", "--sustained", "10")
    assert code == 1
    assert (
        "ANE810 sustained-frame-budget estimated A14: after 10 minutes estimated 3.61 ms (2.28 to 5.74), 67% to 75% of the "
        "rate being left, where a frame at 280 a second leaves 2.86 ms: 0.754 ms too long"
    ) in output
    assert "palettize the weights to 4 bits (3.23 ms)" in output, "2.29 ms at 71 % of the rate"
    assert "One unplugged phone." in output
    assert "ANE810" not in held(RESNET, "--fps", "100", "--target", "a14", "--sustained", "10")[1]


def test_minutes_alone_ask_for_nothing(held: Held) -> None:
    assert held(RESNET, "--sustained", "10", "--target", "a14")[0] == 0


def test_a_rate_that_has_to_last_longer_than_anything_is_left(held: Held, lint_json: LintJson) -> None:
    code, output = held(RESNET, "--fps", "60", "--sustained", "500", "--target", "a14")
    assert code == 0
    assert "(2.28 or more), 0% to 75% of the rate being left" in output
    assert "within it, but the range has no end" in output
    (model,) = lint_json(RESNET, "--fps", "60", "--sustained", "500", "--target", "a14", *BUDGETS)["models"]
    (finding,) = model["findings"]
    assert finding["data"]["high_ms"] is None


def test_nobody_knows_how_long_a_cpu_holds_its_rate(held: Held) -> None:
    code, output = held(MOBILENET, "--fps", "30", "--sustained", "5", "--compute-units", "cpu-only")
    assert code == 0
    assert "Nobody published how long the CPU of a phone holds its rate" in output


def test_residency(held: Held) -> None:
    assert held(RESNET, "--residency", "single")[0] == 0
    code, output = held(RESNET, "--residency", "always")
    assert code == 1
    # 51.017 + 5.808 - 50
    assert (
        "ANE811 residency-budget reverse-engineered A17 Pro: 56.8 MB (51 MB of weights in memory, 5.81 MB of working set), "
        "6.82 MB more than the 50 MB of a model that stays loaded; weights of 4 bits would leave 18.6 MB"
    ) in output
    assert held(MOBILENET, "--residency", "always")[0] == 0
    assert held(RESNET, "--residency", "single", "--limit", "residency-single-bytes=50e6")[0] == 1


def test_residency_knows_what_a_system_expands(held: Held) -> None:
    palettized = FIXTURES / "zoo/resnet50_palettized4.mlpackage"
    assert held(palettized, "--residency", "always", "--target", "a14/ios17")[0] == 0
    assert held(palettized, "--residency", "always", "--target", "a14/ios16")[0] == 1


def test_load(held: Held) -> None:
    # From the cache: 0.6 to 3.2 ms for each MB, 1.6 to 8 ms for the one engine program.
    assert held(MOBILENET, "--load", "cold") == held(MOBILENET)
    assert held(MOBILENET, "--load", "camera")[0] == 0
    code, output = held(RESNET, "--load", "camera")
    assert code == 0
    assert "info ANE812 load-budget" in output
    assert "from the cache in 32.2 to 171 ms, up to 121 ms more than the 50 ms wanted" in output
    assert "what drives it: 51.0 MB of weights" in output
    large = FIXTURES / "zoo/vit_b_16.mlpackage"
    code, output = held(large, "--load", "cold")
    # 173 MB: at least 103.8 + 1.6 ms
    assert code == 1
    assert "warning ANE812" in output
    assert "at least 5.39 ms more than the 100 ms wanted" in output


def test_a_model_beside_it(held: Held) -> None:
    # 4 ms are left. ResNet-50 takes 2.56 and MobileNet 1.04: together 3.61. Two ResNets take 5.13.
    rate = ("--fps", "200", "--target", "a14", "--fail-on", "warning")
    code, output = held(RESNET, *rate, "--with", MOBILENET)
    assert code == 0
    assert "estimated 3.61 ms (2.41 to 5.41), mobilenet_v3_large.mlpackage (1.04 ms) beside it, where" in output
    code, output = held(RESNET, *rate, "--with", RESNET)
    assert code == 1
    assert (
        "resnet50.mlpackage (2.56 ms) beside it, where a frame at 200 a second leaves 4 ms: 1.13 ms too long" in output
    )
    assert "palettize the weights to 4 bits (4.86 ms)" in output, "2.293 + 2.564"
    code, output = held(RESNET, *rate, "--with", MOBILENET, "--with", MOBILENET)
    assert code == 1
    assert "estimated 4.65 ms" in output


def test_each_target_is_told_by_name(held: Held, lint_json: LintJson) -> None:
    targets = ("--target", "a17pro", "--target", "m4", "--target", "a14")
    _, output = held(RESNET, "--fps", "600", *targets)
    assert re.findall(r"(A14|A17 Pro|M4): estimated", output) == ["A14", "A17 Pro", "M4"]
    (model,) = lint_json(RESNET, "--fps", "500", *targets, *BUDGETS)["models"]
    severities = {finding["message"].partition(":")[0]: finding["severity"] for finding in model["findings"]}
    assert severities == {"A14": "warning", "A17 Pro": "info", "M4": "info"}
    assert [finding["families"] for finding in model["findings"]] == [["H13"], ["H16"], ["H16"]]


def test_the_parts_of_a_verdict_are_in_the_json_report(lint_json: LintJson) -> None:
    (model,) = lint_json(RESNET, "--fps", "500", "--target", "a14", *BUDGETS)["models"]
    (finding,) = model["findings"]
    data = finding["data"]
    assert data["budget_ms"] == pytest.approx(1.6)
    assert data["low_ms"] < data["estimated_ms"] < data["high_ms"]
    assert data["estimated_ms"] == pytest.approx(2.564, abs=1e-3)
    assert data["bound"] == "weights"


def test_functions_of_a_model_are_calls_and_parts_of_a_pipeline_are_one(lint_json: LintJson) -> None:
    strict = ("--fps", "1e6", *BUDGETS)
    (several,) = lint_json(FIXTURES / "zoo/mobilenet_multifunction.mlpackage", *strict)["models"]
    functions = [function["name"] for function in several["functions"]]
    assert len(functions) > 1
    assert sorted(finding["function"] for finding in several["findings"]) == sorted(functions)
    (pipeline,) = lint_json(FIXTURES / "zoo/encoder_head_pipeline.mlpackage", *strict)["models"]
    (finding,) = pipeline["findings"]
    assert finding["function"] is None
    assert len(pipeline["functions"]) > 1
    assert finding["data"]["estimated_ms"] == pytest.approx(
        sum(function["summary"]["latency"]["ms"] for function in pipeline["functions"])
    )


def test_nothing_of_budgets_is_said_unless_asked(lint_json: LintJson, fixtures: Path) -> None:
    for folder in ("zoo", "ok"):
        report = lint_json(fixtures / folder)
        codes = {finding["code"] for model in report["models"] for finding in model["findings"]}
        assert codes
        assert not codes & {"ANE809", "ANE810", "ANE811", "ANE812"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fps", "0"], "'--fps': '0' is no number above 0"),
        (["--fps", "-1"], "'--fps': '-1' is no number above 0"),
        (["--fps", "nan"], "'--fps': 'nan' is no number above 0"),
        (["--fps", "inf"], "'--fps': 'inf' is no number above 0"),
        (["--fps", "fast"], "'--fps': 'fast' is no number above 0"),
        (["--headroom", "100%"], "'--headroom': '100%' is no share of a frame; write for example 20%"),
        (["--headroom", "x"], "'--headroom': 'x' is no share of a frame; write for example 20%"),
        (["--headroom=-1%"], "'--headroom': '-1%' is no share of a frame; write for example 20%"),
        (["--sustained", "0"], "'--sustained': '0' is no number above 0"),
        (["--residency", "never"], "'never' is not one of 'single', 'always'"),
        (["--load", "warm"], "'warm' is not one of 'cold', 'camera'"),
        (["--memory-limit", "5parsecs"], "'5parsecs' is no amount of memory; write for example 150MB"),
        (["--memory-limit", "0MB"], "'0MB' is no amount of memory; write for example 150MB"),
        (["--with", "no/Model.mlpackage"], "'no/Model.mlpackage', to run beside others, cannot be read: the package"),
        (["--with", "@no/list"], "'@no/list', to run beside others, cannot be read: cannot read the list of models"),
        (["--with", "fixtures/broken"], "'fixtures/broken' is not one model to run beside others, but "),
        (
            ["--with", "fixtures/flagged/neural_network.mlmodel"],
            "'fixtures/flagged/neural_network.mlmodel', to run beside others, has no program whose time could be estimated",
        ),
    ],
)
def test_what_is_no_budget_is_one_usage_error(anecheck: RunAnecheck, arguments: list[str], message: str) -> None:
    result = anecheck("lint", TINY, *arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert message in " ".join(result.stderr.split())
    assert result.stderr.count("Error:") == 1
    assert "Traceback" not in result.stderr


def test_a_companion_is_checked_before_anything_is_linted(anecheck: RunAnecheck) -> None:
    result = anecheck("lint", FIXTURES / "flagged", "--with", "no/Model.mlpackage", "--format", "json")
    assert (result.returncode, result.stdout) == (2, "")


def test_a_model_without_program_has_no_budget_to_miss(anecheck: RunAnecheck) -> None:
    model = FIXTURES / "flagged/neural_network.mlmodel"
    strict = ("--fps", "1000", "--sustained", "1", "--residency", "always", "--load", "camera")
    plain = json.loads(anecheck("lint", model, "--format", "json").stdout)
    asked = json.loads(anecheck("lint", model, *strict, "--format", "json").stdout)
    assert asked == plain
