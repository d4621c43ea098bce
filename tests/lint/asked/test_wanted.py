"""Reading what somebody wants: amounts, shares, numbers, and which of two sayings counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anecheck.lint.asked.wanted import NOTHING_WANTED, SettingError, Wanted, positive, share, size
from anecheck.predict.budget import NO_BUDGETS, Neighbour

A, B = Path("a.mlpackage"), Path("b.mlpackage")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("150MB", 150e6),
        ("150 mb", 150e6),
        (" 1.5GiB ", 1.5 * 2**30),
        ("2kB", 2000),
        ("2KiB", 2048),
        ("1GB", 1e9),
        ("64MiB", 64 * 2**20),
        ("512", 512),
        ("512B", 512),
        (150_000_000, 150e6),
        (150e6, 150e6),
    ],
)
def test_an_amount_of_memory(text: object, amount: float) -> None:
    assert size(text) == amount


@pytest.mark.parametrize(
    "text", ["5parsecs", "", "MB", "-5MB", "0MB", 0, "1e3MB", "1,5GB", "nan", True, None, "9" * 400]
)
def test_what_is_no_amount_of_memory(text: object) -> None:
    with pytest.raises(ValueError, match="is no amount of memory; write for example 150MB"):
        size(text)


@pytest.mark.parametrize(
    ("text", "part"), [("20%", 0.2), ("20 %", 0.2), ("0.2", 0.2), (0.2, 0.2), ("0%", 0), (0, 0), ("99.5%", 0.995)]
)
def test_a_share(text: object, part: float) -> None:
    assert share(text) == pytest.approx(part)


@pytest.mark.parametrize("text", ["100%", "1", 1, "20", "-1%", "x", "", "%", "nan", "inf", "20%%", True])
def test_what_is_no_share(text: object) -> None:
    with pytest.raises(ValueError, match="is no share of a frame; write for example 20%"):
        share(text)


@pytest.mark.parametrize(("text", "number"), [("60", 60), (60, 60), ("29.97", 29.97), ("1e1", 10)])
def test_a_number_above_0(text: object, number: float) -> None:
    assert positive(text) == number


@pytest.mark.parametrize("text", ["0", 0, "-1", "nan", "inf", "x", "", "60fps", True, None])
def test_what_is_no_number_above_0(text: object) -> None:
    with pytest.raises(ValueError, match="is no number above 0"):
        positive(text)


def test_what_one_says_counts_before_what_the_other_says() -> None:
    options = Wanted(fps=60, headroom=0.0, beside=(A,))
    file = Wanted(fps=30, headroom=0.5, load="cold", beside=(B,))
    assert options.over(file) == Wanted(fps=60, headroom=0.0, load="cold", beside=(A,)), "no headroom is something said"
    assert NOTHING_WANTED.over(file) == file
    assert file.over(NOTHING_WANTED) == file


def test_nothing_beside_is_something_said() -> None:
    assert Wanted(beside=()).over(Wanted(beside=(B,))).beside == ()
    assert NOTHING_WANTED.over(Wanted(beside=(B,))).beside == (B,)


def test_what_is_wanted_becomes_budgets() -> None:
    assert NOTHING_WANTED.budgets(()) == NO_BUDGETS
    neighbours = (Neighbour("b", (1.0, 2.0, 3.0)),)
    budgets = Wanted(
        fps=50, headroom=0.0, sustained=5, residency="always", load="camera", memory_limit=1e6, beside=(B,)
    ).budgets(neighbours)
    assert budgets.frame_ms == 20
    assert (budgets.sustained, budgets.residency, budgets.load, budgets.memory_limit, budgets.beside) == (
        *(5, "always", "camera", 1e6),
        neighbours,
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fps": 0}, "fps: '0' is no number above 0"),
        ({"fps": float("nan")}, "fps: 'nan' is no number above 0"),
        ({"sustained": -1}, "sustained: '-1' is no number above 0"),
        ({"memory_limit": float("inf")}, "memory_limit: 'inf' is no number above 0"),
        ({"headroom": 1}, "headroom: '1' is no share of a frame"),
        ({"residency": "twice"}, "residency: 'twice' is neither single nor always"),
        ({"load": "warm"}, "load: 'warm' is neither cold nor camera"),
    ],
)
def test_values_that_are_no_budget_are_refused_from_python_too(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Wanted(**given)
