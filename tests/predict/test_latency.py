"""Estimated times of programs so small that each number is worked out here by hand."""

from __future__ import annotations

import pytest

from anecheck.knowledge.target import ComputeUnits
from anecheck.predict.latency import Timing
from tests.predict.programs import ANE, CPU, KNOWLEDGE, blob, chain, conv, devices, program
from tests.predict.timings import (
    FITTED,
    FULL,
    INT8_WEIGHT_BYTES,
    KERNEL,
    KERNEL_VALUES,
    ONE_CONV,
    ONE_INT8_CONV,
    SUM_BETWEEN,
    WIDE,
    WIDE_BYTES,
    WIDE_OPERATIONS,
    assessed,
)

TABLE = KNOWLEDGE.rates


def by_hand(chip: str, operations: float, weights: float, streamed: float) -> float:
    """The floor, the longer of arithmetic and weights, and streamed values, in ms: 1e12 operations a second are 1e9 a ms."""
    rate = TABLE[chip]
    arithmetic, reading = operations / (rate.tflops * 1e9), weights / (rate.gbps * 1e6)
    return rate.floor_ms + max(arithmetic, reading) + streamed / (rate.gbps * 1e6)


@pytest.mark.parametrize("chip", FITTED)
def test_a_convolution_whose_values_leave_the_chip(chip: str) -> None:
    timing = assessed(ONE_CONV, chip).timing
    (row,) = timing.operations
    assert (row.operations, row.weight_bytes, row.streamed_bytes) == (
        WIDE_OPERATIONS,
        2 * KERNEL_VALUES,
        2 * WIDE_BYTES,
    )
    assert (WIDE_OPERATIONS, 2 * KERNEL_VALUES, 2 * WIDE_BYTES) == (1_509_949_440, 73_728, 5_242_880)
    assert timing.ms == pytest.approx(by_hand(chip, 1_509_949_440, 73_728, 5_242_880))
    assert (timing.elsewhere, timing.switches, timing.bound) == (0, 0, "floor" if chip == "a14" else "arithmetic")


def test_a_convolution_on_a17_pro_in_figures() -> None:
    rate = TABLE["a17pro"]
    assert (rate.tflops, rate.gbps, rate.floor_ms) == (6.29, 51.0, 0.13), "fitted anew: work this out again"
    # 1.5099 GFLOP / 6.29 TFLOPS = 0.2401 ms; 73.7 kB / 51 GB/s = 0.0014 ms, hidden behind; 5.243 MB / 51 GB/s = 0.1028 ms
    assert assessed(ONE_CONV).timing.ms == pytest.approx(0.13 + 0.2401 + 0.1028, abs=1e-4)


@pytest.mark.parametrize("chip", FITTED)
def test_values_of_2_mib_stay_on_the_chip(chip: str) -> None:
    timing = assessed(program([conv("y", "x", FULL, weight=KERNEL)], ("y",), FULL), chip).timing
    assert timing.streamed == 0
    assert timing.ms == pytest.approx(by_hand(chip, 2 * (64 * 128 * 128) * (64 * 3 * 3), 2 * KERNEL_VALUES, 0))


def test_values_count_as_they_are_laid_out() -> None:
    # Rows of 121 and of 128 values take 256 bytes, together 2 MiB, which stays; 129 take 320.
    for width, laid_out in ((121, 256), (128, 256), (129, 320)):
        shape = f"tensor<fp16, [1, 64, 128, {width}]>"
        timing = assessed(program([conv("y", "x", shape, weight=KERNEL)], ("y",), shape)).timing
        size = 64 * 128 * laid_out
        assert sum(row.streamed_bytes for row in timing.operations) == (2 * size if size > 2 * 2**20 else 0)


@pytest.mark.parametrize("chip", FITTED)
def test_where_weights_take_longer_than_arithmetic_they_decide(chip: str) -> None:
    shape = "tensor<fp16, [1, 2048, 4, 4]>"
    timing = assessed(program([conv("y", "x", shape, weight="[2048, 2048, 1, 1]")], ("y",), shape), chip).timing
    assert timing.arithmetic < timing.weights
    assert timing.bound == ("weights" if timing.weights > timing.floor else "floor")
    assert timing.ms == pytest.approx(by_hand(chip, 2 * 2048 * 16 * 2048, 2 * 2048 * 2048, 0))


def test_arithmetic_and_weights_overlap_over_the_whole_and_not_within_an_operation() -> None:
    # First much arithmetic and few weights, then the reverse: the engine reads ahead, so the longer of the two sums counts.
    first, second = "tensor<fp16, [1, 256, 64, 64]>", "tensor<fp16, [1, 4096, 1, 1]>"
    rows = [
        conv("a", "x", first, weight="[256, 256, 3, 3]"),
        "tensor<fp16, [1, 256, 1, 1]> b = reduce_mean(axes = tensor<int32, [2]>([2, 3]), keep_dims = bool(true), x = a);",
        conv("c", "b", second, weight="[4096, 256, 1, 1]"),
        conv("y", "c", second, weight="[4096, 4096, 1, 1]"),
    ]
    timing = assessed(program(rows, ("y",), first)).timing
    assert {row.bound for row in timing.operations} == {"arithmetic", "weights"}
    assert timing.ms == pytest.approx(timing.floor + max(timing.arithmetic, timing.weights))
    assert timing.ms < timing.floor + sum(row.us for row in timing.operations) / 1000


@pytest.mark.parametrize(("chip", "reads_int8"), [("a14", False), ("a16", True), ("a17pro", True)])
def test_8_bits_compute_faster_where_the_chip_does_and_are_half_as_much_to_move(chip: str, reads_int8: bool) -> None:
    timing = assessed(ONE_INT8_CONV, chip).timing
    row = next(row for row in timing.operations if row.node.type == "conv")
    assert row.is_int8
    assert row.arithmetic_us == pytest.approx(
        WIDE_OPERATIONS / (TABLE[chip].tflops * TABLE[chip].int8_speedup * 1e6), rel=1e-9
    )
    assert row.weight_bytes == (INT8_WEIGHT_BYTES if reads_int8 else 2 * KERNEL_VALUES)
    # 160 values of a byte are laid out as 192: 64 * 128 * 192 is 1.5 MiB and stays, where 16 bits did not.
    assert timing.streamed == 0
    assert timing.ms == pytest.approx(timing.floor + row.arithmetic_us / 1000)


def test_a_weight_of_16_bits_is_no_8_bit_arithmetic() -> None:
    text = ONE_INT8_CONV.replace("weight = w,", f"weight = {blob(KERNEL)},")
    assert text != ONE_INT8_CONV
    timing = assessed(text).timing
    assert not any(row.is_int8 for row in timing.operations)
    assert timing.arithmetic == pytest.approx(WIDE_OPERATIONS / (TABLE["a17pro"].tflops * 1e9))


def test_an_operation_on_the_cpu_takes_core_mls_time_and_two_changes() -> None:
    assessment = assessed(SUM_BETWEEN)
    assert devices(assessment.placement) == [ANE, CPU, ANE]
    middle = assessment.placement.operations[1]
    timing = assessment.timing
    assert timing.elsewhere == pytest.approx(middle.estimate.cpu / 1000)
    assert timing.switches == pytest.approx(2 * 0.125)
    assert [row.node.name for row in timing.operations] == ["a", "y"]
    engine = by_hand("a17pro", 2 * WIDE_OPERATIONS, 4 * KERNEL_VALUES, 4 * WIDE_BYTES)
    assert timing.ms == pytest.approx(engine + middle.estimate.cpu / 1000 + 0.25)


EMBEDDING = f"""func main<ios18>(tensor<int32, [1, 16]> ids) {{
    tensor<fp16, [1, 16, 512]> y = gather(axis = int32(0), batch_dims = int32(0), indices = ids,
        validate_indices = bool(false), x = {blob("[50000, 512]")}); }} -> (y);"""


def test_a_look_up_on_the_cpu_reads_rows_not_the_table() -> None:
    assessment = assessed(EMBEDDING)
    assert devices(assessment.placement) == [CPU]
    whole_table = assessment.placement.operations[0].estimate.cpu / 1000
    table, rows = 50_000 * 512 * 2, 16 * 512 * 2
    timing = assessment.timing
    assert timing.floor == 0
    assert timing.ms == pytest.approx(whole_table * 2 * rows / (table + rows))
    assert timing.ms < whole_table / 1000


@pytest.mark.parametrize("kind", ["reshape", "expand_dims", "squeeze"])
def test_what_only_looks_at_a_value_in_another_shape_costs_nothing(kind: str) -> None:
    flat = "tensor<fp16, [1, 64, 20480]>"
    looks = {
        "reshape": (flat, "reshape(shape = tensor<int32, [3]>([1, 64, 20480]), x = a)"),
        "expand_dims": ("tensor<fp16, [1, 1, 64, 128, 160]>", "expand_dims(axes = tensor<int32, [1]>([0]), x = a)"),
        "squeeze": ("tensor<fp16, [64, 128, 160]>", "squeeze(axes = tensor<int32, [1]>([0]), x = a)"),
    }
    shape, look = looks[kind]
    plain = assessed(program([conv("a", "x", WIDE, weight=KERNEL)], ("a",), WIDE)).timing
    timing = assessed(program([conv("a", "x", WIDE, weight=KERNEL), f"{shape} y = {look};"], ("y",), WIDE)).timing
    rows = {row.node.type: row for row in timing.operations}
    assert rows["conv"].streamed_bytes == 2 * WIDE_BYTES
    assert kind not in rows or rows[kind].us == 0
    assert timing.ms == pytest.approx(plain.ms)


def sums_of(timing: Timing) -> tuple[float, float, float]:
    """Arithmetic, weights and streamed values of all rows, in milliseconds."""
    rows = timing.operations
    return (
        sum(row.arithmetic_us for row in rows) / 1000,
        sum(row.weights_us for row in rows) / 1000,
        sum(row.streamed_us for row in rows) / 1000,
    )


@pytest.mark.parametrize("text", [ONE_CONV, ONE_INT8_CONV, SUM_BETWEEN, chain(["conv", "relu", "conv"])])
def test_totals_are_the_sums_of_the_rows(text: str) -> None:
    timing = assessed(text).timing
    assert sums_of(timing) == pytest.approx((timing.arithmetic, timing.weights, timing.streamed))
    parts = max(timing.arithmetic, timing.weights) + timing.streamed
    assert timing.ms == pytest.approx(timing.floor + parts + timing.elsewhere + timing.switches)


@pytest.mark.parametrize("chip", FITTED)
def test_the_range_is_the_spread_of_the_chip_up_and_down(chip: str) -> None:
    timing = assessed(ONE_CONV, chip).timing
    spread = TABLE[chip].spread
    assert timing.range == pytest.approx((timing.ms / spread, timing.ms * spread))


@pytest.mark.parametrize("units", [ComputeUnits.CPU_AND_GPU, ComputeUnits.CPU_ONLY])
def test_without_the_engine_there_is_neither_floor_nor_row(units: ComputeUnits) -> None:
    assessment = assessed(ONE_CONV, units=units)
    timing = assessment.timing
    (placed,) = assessment.placement.operations
    assert placed.device is not ANE
    assert (timing.floor, timing.arithmetic, timing.weights, timing.streamed) == (0, 0, 0, 0)
    assert timing.operations == ()
    assert timing.ms == pytest.approx(getattr(placed.estimate, placed.device.value) / 1000)
    assert timing.bound == "elsewhere"
