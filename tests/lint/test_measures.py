"""What a report says of memory and time, against numbers worked out by hand."""

from __future__ import annotations

import pytest

from anecheck.knowledge.target import ComputeUnits
from anecheck.lint.asked.settings import Settings
from anecheck.lint.examine import lint_model
from anecheck.lint.footprint_report import FootprintReport
from anecheck.lint.measures import footprint_report, memory_total
from anecheck.predict.assess import Assessment
from anecheck.predict.footprint import copies
from tests.predict.programs import KNOWLEDGE, LARGE, PACK, blob, chain, conv, judged, large, model_of, program
from tests.rules.compression.programs import palette

VALUE, PACKED = 256 * 28 * 64, 256 * 28 * 28 * 2
"""Bytes of a `LARGE` value: rows of 56 bytes, which the engine pads to 64, and without that."""
WEIGHT = 256 * 256 * 9 * 2
GFLOP = 2 * 256 * 28 * 28 * 256 * 9 / 1e9
"""Of one convolution of `LARGE` values."""


def assessed(text: str, target: str = "a17pro") -> Assessment:
    (assessment,) = judged(model_of(text), target).assessments
    return assessment


def measured(text: str, target: str = "a17pro") -> FootprintReport:
    return footprint_report(assessed(text, target))


def test_the_live_set_rises_and_falls_as_values_come_and_go() -> None:
    report = measured(chain(["conv", "relu", "conv"]))
    assert [operation.held_bytes for operation in report.operations] == [3 * VALUE, 4 * VALUE, 3 * VALUE]
    assert [operation.packed_bytes for operation in report.operations] == [3 * PACKED, 4 * PACKED, 3 * PACKED]
    assert [operation.device for operation in report.operations] == ["ane"] * 3


def test_the_peak_names_who_holds_it() -> None:
    peak = measured(chain(["conv", "relu", "conv"])).peak
    assert (peak.position, peak.index, peak.name, peak.type) == (1, 1, "v1", "relu")
    assert (peak.held_bytes, peak.packed_bytes, peak.padding_bytes) == (4 * VALUE, 4 * PACKED, 4 * (VALUE - PACKED))
    held = {(each.name, each.kind, each.first, each.last) for each in peak.holders}
    assert held == {("x", "input", 0, 2), ("v0", "value", 0, 1), ("v1", "value", 1, 2), ("v2", "output", 0, 2)}
    assert {each.type for each in peak.holders} == {"fp16[1, 256, 28, 28]"}
    assert {(each.held_bytes, each.packed_bytes) for each in peak.holders} == {(VALUE, PACKED)}
    (first,) = [each for each in peak.holders if each.name == "v1"]
    assert (first.first_operation, first.last_operation) == ("v1", "v2")
    assert len(peak.padded) == 4


def test_interface_traffic_and_work_of_operations() -> None:
    report = measured(chain(["conv", "relu", "conv"]))
    assert (report.input_bytes, report.output_bytes, report.state_bytes) == (VALUE, VALUE, 0)
    assert [operation.moved_bytes for operation in report.operations] == [2 * VALUE] * 3
    assert [operation.weight_bytes for operation in report.operations] == [WEIGHT, 0, WEIGHT]
    assert [operation.gflop for operation in report.operations] == pytest.approx([GFLOP, 0, GFLOP])
    assert (report.traffic.moved_bytes, report.traffic.weight_bytes) == (6 * VALUE, 2 * WEIGHT)
    assert (report.traffic.streamed_bytes, report.traffic.resident_limit_bytes) == (0, 2_097_152)
    assert (report.weight_stored_bytes, report.weight_resident_bytes) == (WEIGHT, WEIGHT)  # both use the same


def test_time_follows_from_the_rates_that_are_told() -> None:
    timing = measured(chain(["conv", "relu", "conv"])).timing
    arithmetic, weights = 2 * GFLOP / timing.tflops, 2 * WEIGHT / timing.gbps / 1e6
    assert (timing.arithmetic_ms, timing.weights_ms) == pytest.approx((arithmetic, weights))
    assert timing.estimated_ms == pytest.approx(timing.floor_ms + max(arithmetic, weights))
    assert timing.low_ms is not None
    assert timing.high_ms is not None
    assert timing.low_ms < timing.estimated_ms < timing.high_ms
    assert (timing.standing, timing.elsewhere_ms, timing.switches_ms) == ("fitted", 0, 0)
    assert [row.name for row in timing.slowest] == ["v0", "v2"]
    assert timing.slowest[0].estimated_us == pytest.approx(max(arithmetic, weights) * 1000 / 2)
    assert timing.slowest[0].bound == "arithmetic"


def test_values_too_large_for_the_chip_are_streamed() -> None:
    shape = "tensor<fp16, [1, 256, 128, 128]>"
    size = 256 * 128 * 128 * 2
    rows = [conv("v", "x", shape, weight="[256, 256, 3, 3]"), f"{shape} y = relu(x = v);"]
    report = measured(program(rows, ["y"], shape))
    assert [operation.device for operation in report.operations] == ["ane", "ane"]
    assert [operation.streamed_bytes for operation in report.operations] == [2 * size, 2 * size]
    assert report.traffic.streamed_bytes == 4 * size
    assert report.timing.streamed_ms == pytest.approx(4 * size / report.timing.gbps / 1e6)
    assert [(row.name, row.bound) for row in report.timing.slowest] == [("v", "arithmetic"), ("y", "values")]


def test_each_segment_has_its_own_numbers() -> None:
    report = measured(chain(["conv", "tan", "conv"]))
    assert [(each.device, each.first, each.last, each.operations) for each in report.segments] == [
        ("ane", 0, 0, 1),
        ("cpu", 1, 1, 1),
        ("ane", 2, 2, 1),
    ]
    # Every value is one that the engine makes or uses, so all count as it lays them out.
    assert [each.peak_bytes for each in report.segments] == [3 * VALUE, 4 * VALUE, 3 * VALUE]
    assert [each.weight_bytes for each in report.segments] == [WEIGHT, 0, WEIGHT]
    assert [each.gflop for each in report.segments] == pytest.approx([GFLOP, 0, GFLOP])
    crossed = [(copy.name, copy.source, copy.target, copy.index, copy.packed_bytes) for copy in report.copies]
    assert crossed == [("v0", "ane", "cpu", 1, PACKED), ("v1", "cpu", "ane", 2, PACKED)]
    assert report.operations[1].bound == "elsewhere"
    assert report.segments[1].estimated_ms == pytest.approx(report.timing.elsewhere_ms)
    engine = report.segments[0].estimated_ms + report.segments[2].estimated_ms
    assert engine == pytest.approx(max(report.timing.arithmetic_ms, report.timing.weights_ms))


def test_off_the_engine_there_is_no_range_and_no_padding() -> None:
    report = measured(program([f"{LARGE} y = tan(x = x);"], ["y"]))
    assert (report.peak.held_bytes, report.peak.padding_bytes, report.peak.padded) == (2 * PACKED, 0, [])
    assert (report.timing.low_ms, report.timing.high_ms, report.timing.floor_ms) == (None, None, 0)
    assert report.timing.bound == "elsewhere"


def palettized(result: str, x: str) -> list[str]:
    """A convolution whose weights are 4-bit codes, and at another place in the file a table of 16 numbers."""
    codes, _, table = palette("[256, 256, 3, 3]").rpartition("uint64(64)")
    return [f"{codes}uint64(300000){table}", large(result, x).replace(blob("[256, 256, 3, 3]"), "w")]


def test_compressed_weights_by_form() -> None:
    report = measured(program(palettized("y", "x"), ["y"]))
    stored = 256 * 256 * 9 // 2 + 16 * 2
    assert [(each.form, each.count, each.stored_bytes) for each in report.weight_forms] == [("palette", 1, stored)]
    assert report.weight_forms[0].read_as_stored is True
    assert (report.weight_stored_bytes, report.weight_resident_bytes) == (stored, stored)
    assert [operation.name for operation in report.operations] == ["y"]  # what expands weights does not run
    assert (report.operations[0].index, report.operations[0].weight_bytes) == (1, stored)


def test_compressed_weights_are_expanded_before_ios_17() -> None:
    report = measured(program(palettized("y", "x"), ["y"]), "a15/ios16")
    assert report.weight_forms[0].read_as_stored is False
    assert report.weight_resident_bytes == WEIGHT


def test_expanded_weights_do_not_cross_between_devices() -> None:
    rows = [large("v0", "x"), f"{LARGE} v1 = tan(x = v0);", *palettized("y", "v1")]
    assessment = assessed(program(rows, ["y"]))
    assert [copy.value.name for copy in copies(assessment.graph, assessment.placement)] == ["v0", "v1"]


def test_unknown_sizes_are_counted() -> None:
    shape = "tensor<fp16, [1, ?, 28, 28]>"
    report = measured(program([f"{shape} y = relu(x = x);"], ["y"], shape))
    assert report.unknown_sizes == 2
    assert report.peak.packed_bytes == 2 * 28 * 28 * 2
    assert measured(chain(["relu"])).unknown_sizes == 0


def test_a_function_without_operations() -> None:
    report = measured(f"func main<ios18>({LARGE} x) {{\n}} -> (x);")
    assert (report.peak.position, report.peak.name, report.segments, report.operations) == (None, None, [], [])
    assert (report.peak.held_bytes, report.timing.estimated_ms) == (VALUE, 0)


def test_functions_share_weights_and_parts_of_a_pipeline_do_not() -> None:
    small, big = assessed(chain(["relu", "conv"])), assessed(chain(["conv", "relu", "conv"]))
    shared = memory_total(["a", "b"], [small, big])
    assert (shared.weight_stored_bytes, shared.weight_resident_bytes) == (WEIGHT, WEIGHT)
    parts = memory_total(["a/main", "b/main"], [small, big])
    assert (parts.weight_stored_bytes, parts.weight_resident_bytes) == (2 * WEIGHT, 2 * WEIGHT)
    assert (parts.peak_bytes, parts.peak_function) == (4 * VALUE, "b/main")


@pytest.mark.parametrize("wanted", [True, False])
def test_a_report_has_footprints_where_they_are_asked_for(wanted: bool) -> None:
    model = model_of(chain(["conv", "relu", "conv"]))
    target = judged(model).target
    settings = Settings(PACK, (target,), ComputeUnits.CPU_AND_NE, KNOWLEDGE, footprint=wanted)
    report = lint_model(model, settings)
    (function,) = report.functions
    assert (function.footprint is not None, report.memory is not None) == (wanted, wanted)
    assert function.summary.peak_working_set_bytes == 4 * VALUE
