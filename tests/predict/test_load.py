"""Predicted loads, against every load that was published."""

from __future__ import annotations

import pytest

from anecheck.knowledge.evidence import FAMILIES
from anecheck.knowledge.loads import MEGABYTE, LoadConstant, LoadSample
from anecheck.knowledge.tables import Knowledge
from anecheck.predict.load import CACHED, MINUTES, SLOW, Load, Numbers, load_class, load_of, numbers_of
from tests.predict.programs import KNOWLEDGE, LARGE, chain, judged, large, model_of, program

LOADS = KNOWLEDGE.loads
SAMPLES = {sample.model: sample for sample in LOADS.samples}
MEASURED = [sample for sample in LOADS.samples if not sample.outlier]
SMALL = Numbers(operations=40, resident_bytes=10_000_000)


def predict(numbers: Numbers, family: str = "H16", wanted_ms: float | None = None) -> Load:
    return load_class(numbers, KNOWLEDGE, family, wanted_ms)


def of_sample(sample: LoadSample) -> Load:
    """The prediction for a sample; weights that nobody states are counted as none."""
    return predict(Numbers(operations=1, resident_bytes=sample.bytes or 0, engine_segments=sample.programs))


def within(measured: tuple[float, float], predicted: tuple[float, float]) -> bool:
    return predicted[0] <= measured[0] <= measured[1] <= predicted[1]


@pytest.mark.parametrize("sample", MEASURED, ids=lambda sample: sample.model)
def test_every_published_load_lies_within_what_is_predicted(sample: LoadSample) -> None:
    load = of_sample(sample)
    assert sample.first_s or sample.cached_ms
    if sample.first_s is not None:
        assert within(sample.first_s, load.first_s)
    if sample.cached_ms is not None:
        assert within(sample.cached_ms, load.cached_ms)


def test_outliers_lie_outside_and_say_why() -> None:
    outliers = [sample for sample in LOADS.samples if sample.outlier]
    assert {sample.model for sample in outliers} == {"Whisper medium", "Gemma 4 E2B, one part of several"}
    for sample in outliers:
        assert sample.first_s is not None
        assert not within(sample.first_s, of_sample(sample).first_s)


def test_weights_are_stated_or_say_how_they_are_known() -> None:
    for sample in LOADS.samples:
        assert (sample.bytes is None) == (sample.weights == ""), sample.model
        assert sample.weights in {"", "stated"} or sample.weights.startswith("derived: "), sample.model


def rate(constant: LoadConstant, sample: LoadSample) -> tuple[float, float]:
    """What a sample gives for a constant."""
    measured = sample.cached_ms if constant.unit.startswith("ms") else sample.first_s
    assert measured is not None
    amount = (sample.bytes or 0) / MEGABYTE if constant.unit.endswith("/MB") else sample.programs
    return measured[0] / amount, measured[1] / amount


@pytest.mark.parametrize(
    "constant", [constant for constant in LOADS.constants.values() if constant.low_from], ids=lambda each: each.name
)
def test_constants_are_the_rates_of_the_samples_they_name_rounded_outwards(constant: LoadConstant) -> None:
    low, high = SAMPLES[constant.low_from], SAMPLES[constant.high_from]
    assert 0.85 * rate(constant, low)[0] <= constant.low <= rate(constant, low)[0]
    assert rate(constant, high)[1] <= constant.high <= 1.15 * rate(constant, high)[1]
    assert set(constant.sources) == {low.source, high.source}


def test_a_small_network_loads_from_the_cache_in_time_and_never_the_first_time() -> None:
    load = predict(SMALL)
    assert load.kind == CACHED
    assert list(load.cached_ms) == pytest.approx([7.6, 40])
    assert list(load.first_s) == pytest.approx([0.2, 5.1])
    assert load.first_s[0] > 0.1
    assert "count on none keeping to 100 ms" in load.note


def test_the_class_depends_on_the_wanted_time() -> None:
    assert predict(SMALL, wanted_ms=40.0001).kind == CACHED
    assert predict(SMALL, wanted_ms=39).kind == SLOW
    assert load_class(SMALL, Knowledge({"load-cold-ms": 39}), "H16").kind == SLOW


@pytest.mark.parametrize(("megabytes", "kind"), [(28, CACHED), (29, SLOW), (130, SLOW), (134, MINUTES)])
def test_larger_weights_load_longer(megabytes: int, kind: str) -> None:
    assert predict(SMALL._replace(resident_bytes=megabytes * 10**6)).kind == kind


def test_every_engine_segment_is_compiled_for_itself() -> None:
    one, many = predict(SMALL), predict(SMALL._replace(engine_segments=50))
    assert list(many.first_s) == pytest.approx([0.6, one.first_s[1] + 49 * 0.6])
    assert many.cached_ms[1] == pytest.approx(one.cached_ms[1] + 49 * 8)
    driver = next(driver for driver in many.drivers if driver.name == "segments")
    assert driver.amount == 50
    assert driver.seconds == pytest.approx((0.6, 30))


def test_without_the_engine_nothing_is_compiled_for_it() -> None:
    load = predict(SMALL._replace(engine_segments=0, square_kernels=3))
    assert list(load.first_s) == pytest.approx([0, 0.51])
    assert [driver.name for driver in load.drivers] == ["operations", "weights"]


@pytest.mark.parametrize(
    ("change", "family", "name", "seconds", "kind"),
    [
        ({"branch_clusters": 2}, "H14", "branches", (18, 18), CACHED),
        ({"branch_clusters": 7}, "H14", "branches", (63, 63), MINUTES),
        ({"square_kernels": 1}, "H16", "square kernels", (212, 229), MINUTES),
        ({"chain": 256}, "H18", "element-wise chain", (178, 178), MINUTES),
        ({"chain": 512}, "H18", "element-wise chain", (178 * 2**3.5, 178 * 2**3.8), MINUTES),
        ({"matrix_products": 5120}, "H16", "matrix products", None, MINUTES),
    ],
)
def test_what_is_measured_to_compile_long_comes_on_top(
    change: dict[str, int], family: str, name: str, seconds: tuple[float, float] | None, kind: str
) -> None:
    usual, load = predict(SMALL, family), predict(SMALL._replace(**change), family)
    driver = next(driver for driver in load.drivers if driver.name == name)
    assert driver.amount == next(iter(change.values()))
    assert driver.seconds == (seconds and pytest.approx(seconds))
    low, high = seconds or (0, 0)
    assert load.first_s == pytest.approx((usual.first_s[0] + low, usual.first_s[1] + high))
    assert load.cached_ms == usual.cached_ms
    assert load.kind == kind
    assert {citation.source for citation in load.citations} > {citation.source for citation in usual.citations}


def test_a_chain_counts_where_it_was_measured_and_from_there_on() -> None:
    long = SMALL._replace(chain=300)
    assert [predict(long, family).kind for family in FAMILIES] == [CACHED] * 7 + [MINUTES]
    assert predict(SMALL._replace(chain=255), "H18").kind == CACHED


def test_numbers_are_counted_in_an_assessed_function() -> None:
    rows = [large("a", "x"), large("b", "a"), f"{LARGE} c = cumsum(axis = int32(1), x = b);", large("d", "c")]
    (assessment,) = judged(model_of(program(rows, ("d",)))).assessments
    numbers = numbers_of(assessment)
    assert numbers == Numbers(operations=4, resident_bytes=256 * 256 * 9 * 2, engine_segments=2)
    assert load_of(assessment) == predict(numbers)
    assert load_of(assessment, 1).kind == SLOW


def test_a_long_chain_of_a_program_takes_minutes_where_it_was_measured() -> None:
    text = chain(["conv", *["relu", "square"] * 128])
    assert load_of(judged(model_of(text), "a19").assessments[0]).kind == MINUTES
    assert load_of(judged(model_of(text), "m4").assessments[0]).kind == CACHED
