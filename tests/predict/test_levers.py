"""What would make a prediction faster, each worked out again by hand."""

from __future__ import annotations

import pytest

from anecheck.knowledge.target import ComputeUnits
from anecheck.predict.levers import WORTH, levers
from tests.predict.programs import KNOWLEDGE, blob, chain, conv, program
from tests.predict.timings import (
    KERNEL_VALUES,
    ONE_CONV,
    ONE_INT8_CONV,
    SUM_BETWEEN,
    WIDE_BYTES,
    WIDE_OPERATIONS,
    assessed,
)

PALETTES = "palettize the weights to 4 bits"
EIGHT_BITS = "quantize weights and activations to 8 bits"
PIXELS = "give it half the pixels (0.7 of width and height)"
ELSEWHERE = "keep the operations on the CPU out of the model, or mend them"

DEEP = "tensor<fp16, [1, 2048, 4, 4]>"
DEEP_BYTES = 2048 * 2048 * 2
HEAVY = program([conv("y", "x", DEEP, weight="[2048, 2048, 1, 1]")], ("y",), DEEP)
"""Bound by 8.4 MB of weights."""


def helps(text: str, target: str = "a17pro", units: ComputeUnits = ComputeUnits.CPU_AND_NE) -> dict[str, float]:
    """What helps, with the time that it leaves."""
    return {lever.text: lever.ms for lever in levers(assessed(text, target, units))}


def test_palettes_where_weights_decide() -> None:
    rate = KNOWLEDGE.rates["a14"]
    found = helps(HEAVY, "a14")
    # A quarter of the bytes, or the arithmetic if that is then longer: 134 MFLOP.
    after = max(DEEP_BYTES / 4 / (rate.gbps * 1e6), 2 * 2048 * 16 * 2048 / (rate.tflops * 1e9))
    assert found == pytest.approx({PALETTES: rate.floor_ms + after})


def test_palettes_are_not_named_where_the_system_expands_them_or_they_are_there() -> None:
    assert PALETTES not in helps(HEAVY, "a14/ios16")
    stored = f"""tensor<fp16, [2048, 2048, 1, 1]> w = constexpr_lut_to_dense(
        indices = {blob("[2048, 2048, 1, 1]", dtype="uint4")},
        lut = {blob("[1, 1, 1, 1, 16, 1]", offset=9_000_000)});"""
    palettized = program([stored, HEAVY.splitlines()[1].replace(blob("[2048, 2048, 1, 1]"), "w")], ("y",), DEEP)
    assert helps(palettized, "a14") == {}
    # On A17 Pro 8 bits would be faster arithmetic, but twice the bytes that decide: no help either.
    assert EIGHT_BITS not in helps(palettized)


def test_8_bits_where_the_chip_computes_them_faster() -> None:
    rate = KNOWLEDGE.rates["a17pro"]
    arithmetic = WIDE_OPERATIONS / (rate.tflops * rate.int8_speedup * 1e9)
    streamed = WIDE_BYTES / (rate.gbps * 1e6)
    assert 2 * KERNEL_VALUES / (rate.gbps * 1e6) < arithmetic
    assert helps(ONE_CONV)[EIGHT_BITS] == pytest.approx(rate.floor_ms + arithmetic + streamed)
    assert EIGHT_BITS not in helps(ONE_CONV, "a14"), "it computes them no faster"
    assert EIGHT_BITS not in helps(ONE_INT8_CONV), "they are there"


def test_fewer_pixels_halve_arithmetic_and_values() -> None:
    rate = KNOWLEDGE.rates["a14"]
    after = rate.floor_ms + WIDE_OPERATIONS / 2 / (rate.tflops * 1e9) + WIDE_BYTES / (rate.gbps * 1e6)
    assert helps(ONE_CONV, "a14") == pytest.approx({PIXELS: after})
    assert PIXELS not in helps(HEAVY), "4 x 4 is no picture"


def test_what_runs_on_the_cpu_costs_itself_and_the_changes() -> None:
    timing = assessed(SUM_BETWEEN).timing
    assert helps(SUM_BETWEEN)[ELSEWHERE] == pytest.approx(timing.ms - timing.elsewhere - timing.switches)


def test_a_program_without_engine_part_is_not_promised_to_take_nothing() -> None:
    assert helps(ONE_CONV, units=ComputeUnits.CPU_ONLY) == {}


def test_the_most_effective_comes_first_and_small_gains_are_not_named() -> None:
    assessment = assessed(SUM_BETWEEN)
    times = [lever.ms for lever in levers(assessment)]
    assert len(times) >= 2
    assert times == sorted(times)
    assert max(times) < WORTH * assessment.timing.ms
    assert helps(chain(["relu"])) == {}, "only the floor is left"


TABLE = f"""func main<ios18>(tensor<fp16, [1, 2048, 4, 4]> x, tensor<int32, [1, 2048]> ids) {{
    tensor<fp16, [1, 2048, 16]> rows = gather(axis = int32(0), batch_dims = int32(0), indices = ids,
        validate_indices = bool(false), x = {blob("[4000000, 16]", offset=9_000_000)});
    tensor<fp16, [1, 2048, 4, 4]> r = reshape(shape = tensor<int32, [4]>([1, 2048, 4, 4]), x = rows);
    tensor<fp16, [1, 2048, 4, 4]> s = add(x = x, y = r);
    {conv("y", "s", DEEP, weight="[2048, 2048, 1, 1]")} }} -> (y);"""


def test_a_table_that_is_read_by_rows_hides_no_lever() -> None:
    # 128 MB of table, of which a call reads 64 kB: palettes still quarter what the convolution reads.
    assessment = assessed(TABLE, "a14")
    timing = assessment.timing
    read = sum(row.weight_bytes for row in timing.operations)
    assert read == DEEP_BYTES
    assert PALETTES in {lever.text for lever in levers(assessment)}
