"""What devices keep of their rate under lasting work, against the series that it rests on."""

from __future__ import annotations

from itertools import pairwise

import pytest

from anecheck.knowledge.evidence import Confidence, Device
from anecheck.knowledge.heat import Curve
from anecheck.knowledge.tables import Knowledge
from anecheck.predict.heat import Sustained, sustained, unmeasured

KNOWLEDGE = Knowledge()
HEAT = KNOWLEDGE.heat
MEASURED = [curve for curve in HEAT.curves if not curve.carried_over_from]
ANE, GPU, CPU = Device.ANE, Device.GPU, Device.CPU


def kept(device_class: str, device: Device, minutes: float) -> Sustained:
    """What is known to be left."""
    found = sustained(device_class, device, minutes, KNOWLEDGE)
    assert found is not None
    return found


def name(curve: Curve) -> str:
    return f"{curve.device_class}-{curve.device}"


@pytest.mark.parametrize("curve", MEASURED, ids=name)
def test_a_curve_falls_from_the_full_rate_and_has_a_width(curve: Curve) -> None:
    assert len(curve.minutes) == len(curve.low) == len(curve.high)
    assert (curve.minutes[0], curve.low[0], curve.high[0]) == (0, 1, 1)
    assert all(before < after for before, after in pairwise(curve.minutes))
    assert all(before >= after for side in (curve.low, curve.high) for before, after in pairwise(side))
    assert all(0 < low <= high <= 1 for low, high in zip(curve.low, curve.high, strict=True))
    assert curve.devices == len(curve.measured_on) >= 1


@pytest.mark.parametrize("curve", MEASURED, ids=name)
def test_a_curve_encloses_every_sample_of_the_series_that_it_names(curve: Curve) -> None:
    for key in curve.series:
        slug, _, workload = key.partition("/")
        chip = KNOWLEDGE.chips[slug]
        if workload in chip.readings:
            reading = chip.readings[workload]
            assert (reading.source, reading.note) == (curve.source, f"flat for {curve.minutes[-1] * 60:g} s")
            continue
        (series,) = [row for row in chip.thermal if (row.device, row.workload) == (curve.device, workload)]
        assert series.source == curve.source
        assert len(series.seconds) == len(series.retained) > 5
        for seconds, share in zip(series.seconds, series.retained, strict=True):
            left = kept(curve.device_class, Device(curve.device), seconds / 60)
            assert left.low <= min(share, 1.0) <= left.high, (key, seconds)


def test_every_series_of_the_chips_is_part_of_a_curve() -> None:
    named = {key for curve in MEASURED for key in curve.series}
    assert {f"{chip.slug}/{row.workload}" for chip in KNOWLEDGE.chips.values() for row in chip.thermal} <= named


def test_every_class_and_device_has_a_curve_or_a_sentence() -> None:
    classes = {chip.device_class for chip in KNOWLEDGE.chips.values()}
    assert classes == {"phone", "tablet", "laptop", "desktop"}
    for device_class in classes:
        for device in (ANE, GPU):
            rows = [row for row in HEAT.unmeasured if (row.device_class, row.device) == (device_class, device.value)]
            assert (HEAT.curve(device_class, device.value) is None) == (len(rows) == 1)


@pytest.mark.parametrize(
    ("device_class", "device", "minutes", "low", "high"),
    [
        ("phone", ANE, 0, 1, 1),
        ("phone", ANE, 2, 0.89, 1),
        ("phone", ANE, 10, 0.67, 0.75),
        ("phone", ANE, 9, 0.735, 0.815),
        ("phone", GPU, 1, 0.5, 0.67),
        ("phone", GPU, 10, 0.38, 0.55),
        ("tablet", GPU, 10, 0.38, 0.55),
        ("laptop", ANE, 3.5, 1, 1),
        ("desktop", ANE, 2, 1, 1),
    ],
)
def test_what_is_left_after_so_many_minutes(
    device_class: str, device: Device, minutes: float, low: float, high: float
) -> None:
    left = kept(device_class, device, minutes)
    assert [left.low, left.high] == pytest.approx([low, high])
    assert left.source in KNOWLEDGE.sources
    assert "beyond" not in left.note


def test_after_the_last_measurement_only_the_low_side_falls_and_it_is_said() -> None:
    end, later, latest = (kept("phone", ANE, minutes) for minutes in (10, 20, 1000))
    assert later.high == latest.high == end.high
    assert later.low == pytest.approx(end.low - (0.835 - 0.67)), "one more doubling, one more loss"
    assert 0 <= latest.low < later.low
    assert "Measured for 10 minutes; beyond that the low side is a guess." in later.note
    assert later.confidence is Confidence.EXTRAPOLATED
    assert end.confidence is Confidence.COMMUNITY


def test_a_cooled_computer_may_lose_what_a_phone_loses_after_its_last_measurement() -> None:
    at_end, later = kept("phone", ANE, 3.5), kept("phone", ANE, 10)
    assert kept("laptop", ANE, 3.5 + 1e-9).low == pytest.approx(1.0)
    assert kept("laptop", ANE, 10).low == pytest.approx(1 - (at_end.low - later.low))
    assert kept("laptop", ANE, 10).high == 1


def test_what_is_carried_over_says_so_and_how_few_were_measured() -> None:
    tablet = kept("tablet", ANE, 5)
    assert tablet.confidence is Confidence.EXTRAPOLATED
    assert "No tablet was measured" in tablet.note
    assert "Carried over from the phone: One unplugged phone." in tablet.note


def test_what_nobody_measured_has_no_number() -> None:
    assert sustained("laptop", GPU, 1, KNOWLEDGE) is None
    assert unmeasured("laptop", GPU, KNOWLEDGE).startswith("Nobody published how long the GPU of a Mac with a fan")
    assert sustained("phone", CPU, 1, KNOWLEDGE) is None
    assert unmeasured("phone", CPU, KNOWLEDGE) == "Nobody published how long the CPU of a phone holds its rate."


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="-1 minutes"):
        sustained("phone", ANE, -1, KNOWLEDGE)


def test_what_looks_like_heat_and_is_not_is_kept_apart() -> None:
    slow = next(row for row in HEAT.observations if row.subject == "scheduler-slowdown")
    assert not slow.heat
    assert "iPhone 13" in slow.text
