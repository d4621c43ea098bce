"""Plans of real architectures, as anybody who has run them on an engine expects them."""

from __future__ import annotations

import pytest

from anecheck.artifact.load import load
from anecheck.predict.placement import Placement
from tests.conftest import FIXTURES
from tests.predict.programs import ANE, CPU, judged, placed
from tests.predict.test_placement import MATMUL


def plan(name: str, target: str = "m4") -> Placement:
    (placement,) = judged(load(FIXTURES / "zoo" / f"{name}.mlpackage"), target).placements
    return placement


@pytest.mark.parametrize("target", ["m4", "a17pro"])
@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v3_large", "vit_b_16", "whisper_tiny_encoder"])
def test_networks_known_to_run_on_the_engine_do(name: str, target: str) -> None:
    placement = plan(name, target)
    assert placement.whole == ()
    assert placement.count(ANE) >= 0.95 * len(placement.operations)


def test_bert_looks_its_words_up_on_the_cpu_and_runs_on_the_engine() -> None:
    placement = plan("bert_base")
    prelude, body = placement.segments
    assert (prelude.device, body.device) == (CPU, ANE)
    assert prelude.count <= 0.05 * len(placement.operations)
    types = {operation.node.type for operation in placement.operations[: body.first]}
    assert {"gather", "cast"} <= types
    assert not {"linear", "matmul", "softmax"} & types


def test_a_recurrent_network_does_not_reach_the_engine() -> None:
    placement = plan("lstm_speech")
    recurrent = [operation for operation in placement.operations if operation.node.type == "lstm"]
    assert recurrent
    assert all(operation.device is CPU and operation.support.blockers[ANE] for operation in recurrent)


def test_compressed_weights_change_nothing_about_the_plan() -> None:
    plain = plan("resnet50")
    for name in ("resnet50_linear8", "resnet50_palettized4", "resnet50_palettized4_groups"):
        other = plan(name)
        assert [each.device for each in other.operations] == [each.device for each in plain.operations], name
        assert other.total_us == pytest.approx(plain.total_us), name


def test_a_range_of_image_sizes_keeps_mobilenet_from_the_engine() -> None:
    placement = plan("mobilenet_v3_large_range")
    assert placement.count(ANE) == 0
    assert len(placement.whole) == 1


def test_a_four_by_four_matmul_alone_stays_on_the_cpu() -> None:
    assert placed(MATMUL).count(CPU) == 1
