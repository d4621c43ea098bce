"""How fast an engine is taken to be: fitted, or carried over from another, and from which."""

from __future__ import annotations

import pytest

from anecheck.knowledge.evidence import FAMILIES
from anecheck.knowledge.target import parse_target
from anecheck.predict.rates import Rates, elsewhere, rates, widest
from tests.predict.programs import KNOWLEDGE

TABLE = KNOWLEDGE.rates
SPREAD = KNOWLEDGE.rate_spread


def of(target: str) -> Rates:
    return rates(parse_target(target, KNOWLEDGE), KNOWLEDGE)


@pytest.mark.parametrize("chip", list(TABLE))
def test_a_fitted_chip_has_its_own_rates(chip: str) -> None:
    found, row = of(chip), TABLE[chip]
    assert found[:5] == (row.tflops, row.gbps, row.floor_ms, row.int8_speedup, row.spread)
    assert (found.standing, found.note) == (
        "fitted",
        f"fitted to {row.fitted_to} published latencies on {KNOWLEDGE.chips[chip].name}",
    )
    assert of(f"{chip}/ios18") == found, "the system changes nothing"


@pytest.mark.parametrize(
    ("target", "model", "gbps", "floor_ms"),
    [
        ("m1", "a14", 60.9, None),  # `engine_gbps` of M1, and no floor of its own
        ("m1max", "a14", 54.6, 0.21),  # 0.19 to 0.23 ms measured
        ("m2", "a15", 60.5, None),
        ("m3max", "a16", 120.2, None),
        ("m4", "a17pro", 64.2, 0.095),
        ("m4pro", "a17pro", 126.4, None),
    ],
)
def test_a_chip_of_a_fitted_family_has_its_arithmetic_and_what_was_measured_of_itself(
    target: str, model: str, gbps: float, floor_ms: float | None
) -> None:
    found, row = of(target), TABLE[model]
    assert (found.tflops, found.int8_speedup) == (row.tflops, row.int8_speedup)
    assert found.gbps == pytest.approx(gbps)
    assert found.floor_ms == pytest.approx(row.floor_ms if floor_ms is None else floor_ms)
    assert (found.standing, found.spread) == ("family", SPREAD["family"])
    assert KNOWLEDGE.chips[model].name in found.note


@pytest.mark.parametrize(
    ("target", "model", "nominal", "memory"),
    [
        ("a12", "a14", 5 / 11, 34.1 / 34.1),
        ("a13", "a14", 6 / 11, 34.1 / 34.1),
        ("a18", "a17pro", 17.5 / 17.5, 60.0 / 51.2),
        ("a19", "a17pro", 1.0, 68.3 / 51.2),  # Apple names no rate for it
    ],
)
def test_a_chip_of_another_family_is_scaled_by_nominal_rate_and_memory(
    target: str, model: str, nominal: float, memory: float
) -> None:
    found, row = of(target), TABLE[model]
    assert found.tflops == pytest.approx(row.tflops * nominal)
    assert found.gbps == pytest.approx(row.gbps * memory)
    assert (found.floor_ms, found.standing, found.spread) == (row.floor_ms, "other", SPREAD["other"])
    assert found.note.startswith(f"carried over from {KNOWLEDGE.chips[model].name}: nobody published")


def test_no_engine_is_taken_to_draw_more_than_the_widest_one_measured() -> None:
    measured = [chip.figures["engine_gbps"].value for chip in KNOWLEDGE.chips.values() if "engine_gbps" in chip.figures]
    assert max(float(str(value)) for value in measured) == widest(KNOWLEDGE) == 126.4
    assert of("m3ultra").gbps == widest(KNOWLEDGE), (
        "819.2 GB/s of memory, of which its engine was never seen to draw a share"
    )


@pytest.mark.parametrize(("family", "chip"), [("h13", "a14"), ("h14", "a15"), ("h15", "a16"), ("h16", "a17pro")])
def test_a_fitted_family_stands_for_its_fitted_chip_with_a_wider_range(family: str, chip: str) -> None:
    found, row = of(family), TABLE[chip]
    assert found[:4] == (row.tflops, row.gbps, row.floor_ms, row.int8_speedup)
    assert (found.standing, found.spread) == ("family", SPREAD["family"])
    assert found.spread > row.spread


@pytest.mark.parametrize(("family", "chip"), [("h11", "a12"), ("h12", "a13"), ("h17", "a18"), ("h18", "a19")])
def test_a_family_that_nobody_fitted_stands_for_its_first_chip(family: str, chip: str) -> None:
    assert of(family) == of(chip)


def test_every_target_has_rates() -> None:
    names = [*FAMILIES, *(chip.slug for chip in KNOWLEDGE.chips.values() if chip.family in FAMILIES)]
    for name in names:
        found = of(name)
        assert min(found[:4]) > 0, name
        assert found.spread > 1, name


def test_a_function_without_the_engine_has_no_fitted_range() -> None:
    own = rates(parse_target("a17pro", KNOWLEDGE), KNOWLEDGE)
    without = elsewhere(own, KNOWLEDGE)
    assert (own.standing, without.standing) == ("fitted", "other")
    assert without.spread == KNOWLEDGE.rate_spread["other"] > own.spread
    assert "nothing runs on the engine" in without.note
