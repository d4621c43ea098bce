"""The text and the Markdown of hand-made comparisons, hostile names among them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from anecheck.knowledge.evidence import Confidence
from anecheck.lint.comparison.reports import (
    Comparison,
    DeviceChange,
    FindingChange,
    FunctionComparison,
    ModelComparison,
    NumberChange,
    OperationRef,
    Reason,
)
from anecheck.lint.finding import Severity
from anecheck.lint.reports import ReadError, TargetReport, ToolReport
from anecheck.report import comparison as text
from anecheck.report import comparison_markdown as markdown
from anecheck.report.comparison_words import change, verdict

HOSTILE = (
    "\x1b[31m|`<img src=x>\n# *a* [b](c) @everyone ~~d~~ https://evil.example www.evil.example &amp; _e_ $x$ \u202e"
)


def gained(**fields: object) -> FindingChange:
    content: dict[str, Any] = {
        "code": "ANE104",
        "name": "cumulative-sum",
        "severity": Severity.WARNING,
        "confidence": Confidence.MEASURED,
        "message": "cumsum along axis 1",
        "function": "main",
        "count": 1,
        "operations": ["sum_1"],
        **fields,
    }
    return FindingChange(**content)


def moved(
    index: int,
    old: str = "ane",
    new: str = "cpu",
    *,
    is_tie: bool = False,
    name: str = "",
    kind: str = "relu",
    blockers: tuple[str, ...] = (),
) -> DeviceChange:
    before, after = (
        OperationRef(index=index, name=name or f"o{index}", type=kind, device=device) for device in (old, new)
    )
    return DeviceChange(old=before, new=after, is_tie=is_tie, blockers=list(blockers))


def function(*devices: DeviceChange, name: str = "main", **fields: object) -> FunctionComparison:
    content: dict[str, Any] = {
        "matched": 7,
        "added": [],
        "removed": [],
        "numbers": [NumberChange(name="segments", old=1, new=3, delta=2)],
        **fields,
    }
    return FunctionComparison(old_name=name, new_name=name, device_changes=list(devices), **content)


def comparison(*models: ModelComparison, **fields: object) -> Comparison:
    target = TargetReport(chip="m4", family="H16", os=None, compute_units="cpu-and-ne")
    content: dict[str, Any] = {"fail_on": "warning", "tolerance": 0.01, **fields}
    return Comparison(
        tool=ToolReport(name="anecheck", version="0"),
        target=target,
        targets=[target],
        is_worse=any(model.worse for model in models),
        models=list(models),
        **content,
    )


def pair(**fields: object) -> ModelComparison:
    content: dict[str, Any] = {"old_path": "old.mlpackage", "new_path": "new.mlpackage", **fields}
    return ModelComparison(**content)


WORSE = pair(
    worse=[
        Reason(kind="findings", function="main", code="ANE104", severity=Severity.WARNING, count=2),
        Reason(kind="findings", function="main", code="ANE901", severity=Severity.ERROR, count=1),
        Reason(kind="devices", function="main", count=3),
        Reason(kind="segments", function="main", old=1, new=3),
        Reason(kind="latency_ms", function="main", old=2.0, new=3.0),
    ],
    better=[Reason(kind="resident_weight_bytes", function="main", old=2e6, new=1e6)],
    gained=[
        gained(count=2, operations=["a", "b"], rewrite="multiply"),
        gained(severity=Severity.INFO, message="a hint"),
    ],
    lost=[gained(severity=Severity.INFO, code="ANE229", message="heads", operations=[])],
    functions=[
        function(
            moved(1, kind="cumsum", blockers=("ANE104",)),
            moved(2),
            moved(3),
            moved(4, is_tie=True),
            moved(5, "cpu", "gpu"),
            added=[OperationRef(index=9, name="s", type="cumsum", device="cpu")],
        )
    ],
)


def test_the_verdict_comes_first_then_worse_then_better_then_numbers() -> None:
    written = text.render(comparison(WORSE), width=100)
    assert written == EXPECTED


EXPECTED = """\
worse: 1 error gained, 2 warnings gained, 3 operations left the engine, segments +2, a prediction,
  estimated +50.0%
  old.mlpackage → new.mlpackage
  what got worse
    +2 warning ANE104 cumulative-sum
      cumsum along axis 1: a, b
      → multiply (anecheck rule ANE104)
    3 operations left the engine
      1 ane → cpu, cumsum, kept from it by ANE104: o1
      2 ane → cpu that no rule keeps from it: relu 2
    segments: 1 → 3 (+2)
    a prediction, estimated: 2.00 ms → 3.00 ms (+50.0%)
  what got better
    weights in memory: 2.00 MB → 1.00 MB (−50.0%)
  other findings
    +1 info ANE104 cumulative-sum
      a hint: sum_1
    −1 info ANE229 cumulative-sum
      heads
  for m4 (H16): 7 operations in both; added cumsum 1; 1 moved between devices that cost the same,
    which means nothing; 1 moved between cpu and gpu
    segments  1 → 3  +2
"""


def test_markdown_says_the_same() -> None:
    written = markdown.render(comparison(WORSE))
    assert written.startswith("### anecheck: worse: 1 error gained, 2 warnings gained, 3 operations left the engine")
    assert "- **+2 warning ANE104** cumulative-sum: cumsum along axis 1: a, b\n  - instead: multiply\n" in written
    assert "- 3 operations left the engine\n  - 1 ane → cpu, cumsum, kept from it by ANE104: o1\n" in written
    assert "| segments | 1 | 3 | +2 |\n" in written
    assert written.index("What got worse") < written.index("What got better") < written.index("| segments")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (pair(), "no difference"),
        (pair(lost=[gained(severity=Severity.INFO)]), "not worse"),
        (
            pair(better=[Reason(kind="devices", function="main", count=1)]),
            "not worse; better: 1 operation came to the engine",
        ),
        (pair(worse=[Reason(kind="segments", function="main", old=1, new=2)]), "worse: segments +1"),
        (pair(new_error=ReadError(code="ANE003", message="no model")), "not compared"),
    ],
)
def test_verdicts(model: ModelComparison, expected: str) -> None:
    assert verdict(model) == expected


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("segments", 3030, 1, "−3,029"),
        ("latency_ms", 2.0, 3.0, "+50.0%"),
        ("latency_ms", 0.0, 3.0, "from nothing"),
        ("weight_bytes", 1.0, 250.0, "250 times"),
        ("weight_bytes", 8.0, 2.0, "−75.0%"),
        ("latency_ms", None, 1.0, "?"),
    ],
)
def test_changes(name: str, old: float | None, new: float, expected: str) -> None:
    assert change(name, old, new) == expected


def test_several_functions_are_named() -> None:
    both = [function(moved(1), name="encode"), function(name="decode")]
    model = pair(worse=[Reason(kind="devices", function="encode", count=1)], functions=both, added_functions=["more"])
    written = text.render(comparison(model))
    assert "1 operation of encode left the engine\n" in written
    assert "function decode for m4 (H16): 7 operations in both" in written
    assert "function more: only in the new export\n" in written
    assert "Function decode: 7 operations in both" in markdown.render(comparison(model))


def hostile() -> Comparison:
    model = pair(
        old_path=HOSTILE,
        new_path=HOSTILE,
        worse=[
            Reason(kind="findings", function=HOSTILE, code="ANE104", severity=Severity.WARNING, count=1),
            Reason(kind="devices", function=HOSTILE, count=2),
            Reason(kind="segments", function=HOSTILE, old=1, new=2),
        ],
        gained=[gained(message=HOSTILE, operations=[HOSTILE], function=HOSTILE, name=HOSTILE, rewrite=HOSTILE)],
        lost=[gained(message=HOSTILE, severity=Severity.INFO)],
        functions=[
            function(moved(1, name=HOSTILE, kind=HOSTILE, blockers=(HOSTILE,)), moved(2, kind=HOSTILE), name=HOSTILE),
            function(added=[OperationRef(index=1, name=HOSTILE, type=HOSTILE, device=None)], name="other"),
        ],
        added_functions=[HOSTILE],
        removed_functions=[HOSTILE],
    )
    error = ReadError(code="ANE003", message=HOSTILE)
    return comparison(model, pair(old_error=error, new_error=error), added_models=[HOSTILE], removed_models=[HOSTILE])


@pytest.mark.parametrize("render", [text.render, markdown.render])
def test_nothing_of_a_model_reaches_the_output_as_a_control(render: Callable[[Comparison], str]) -> None:
    written = render(hostile())
    assert "\\x1b[31m" in written.replace("&#91;", "[").replace("&#92;", "\\")
    assert not set(written) & {"\x1b", "\u202e", "\r"}


def test_nothing_of_a_model_is_markup() -> None:
    written = markdown.render(hostile())
    own = written.replace("@<!-- -->", "")
    assert "<" not in own
    assert "`" not in own
    assert not re.search(r"\[b\]|@everyone|https://|www\.evil|~~|\*a\*|\s_e_\s|\$x|&amp;", own)
    assert all(line.count("|") == 5 for line in own.splitlines() if "|" in line)
    headings = [line for line in own.splitlines() if line.startswith("#")]
    assert all(line.startswith(("### anecheck: ", "#### What ", "#### Models ")) for line in headings)
