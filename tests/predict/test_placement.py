"""Plans of programs whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anecheck.knowledge.target import ComputeUnits
from anecheck.mil.model import Feature, Flexibility, Interface, Kind, Model
from anecheck.predict.placement import Placement
from anecheck.predict.support import GPU_GAP
from tests.predict.programs import (
    ANE,
    CPU,
    GPU,
    LARGE,
    apply,
    blob,
    chain,
    devices,
    judged,
    large,
    model_of,
    named,
    placed,
    program,
)

MATMUL = """
    func main<ios18>(tensor<fp16, [4, 4]> x) {
        tensor<fp16, [4, 4]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = x, y = x);
    } -> (y);
"""
RANGE = Feature("x", "multiarray", "fp16", (1, 256, 28, 28), flexibility=Flexibility("range", (1, 256, 28, 28)))


def on_engine(placement: Placement) -> float:
    return sum(operation.estimate.ane for operation in placement.operations)


def test_a_small_matmul_alone_stays_on_the_cpu() -> None:
    placement = placed(MATMUL)
    assert devices(placement) == [CPU]
    assert placement.operations[0].support.blockers == {}
    assert placement.operations[0].tie == ()
    assert placement.total_us < 0.01


def test_a_large_chain_goes_to_the_engine_for_a_launch_and_an_output() -> None:
    placement = placed(chain(["conv"] * 4))
    assert devices(placement) == [ANE] * 4
    assert placement.switches == 0
    assert placement.total_us == pytest.approx(125 + 125 + on_engine(placement))
    assert placement.total_ms == pytest.approx(placement.total_us / 1000)


def test_an_unsupported_operation_splits_a_large_network() -> None:
    placement = placed(chain(["conv", "acos", "conv"]))
    assert devices(placement) == [ANE, CPU, ANE]
    assert [(segment.device, segment.first, segment.last) for segment in placement.segments] == [
        (ANE, 0, 0),
        (CPU, 1, 1),
        (ANE, 2, 2),
    ]
    first, middle, last = (operation.estimate for operation in placement.operations)
    assert placement.total_us == pytest.approx(4 * 125 + first.ane + middle.cpu + last.ane)
    assert [segment.us for segment in placement.segments] == pytest.approx([first.ane, middle.cpu, last.ane])
    assert named(placement, "v1").support.blockers == {ANE: ("ANE101",)}


def test_an_unsupported_operation_takes_a_small_network_to_the_cpu() -> None:
    kinds = ["conv"] * 4 + ["acos"] + ["conv"] * 4
    shape = "tensor<fp16, [1, 16, 8, 8]>"
    placement = placed(chain(kinds, shape))
    assert devices(placement) == [CPU] * 9
    assert [operation.node.type for operation in placement.operations if operation.support.blockers] == ["acos"]


def test_integers_in_the_middle_split_the_network_with_their_cast() -> None:
    one = "tensor<{}, [1, 1, 28, 28]>"
    rows = [
        large("a", "x"),
        (
            f"{one.format('int32')} i = reduce_argmax(axis = int32(1), keep_dims = bool(true), "
            'output_dtype = string("int32"), x = a);'
        ),
        f'{one.format("fp16")} c = cast(dtype = string("fp16"), x = i);',
        f"{LARGE} s = add(x = a, y = c);",
        large("y", "s"),
    ]
    placement = placed(program(rows, ["y"]))
    assert devices(placement) == [ANE, CPU, CPU, ANE, ANE]
    assert [set(operation.support.blockers) for operation in placement.operations] == [
        set(),
        {ANE},
        {ANE},
        set(),
        set(),
    ]
    assert "ANE113" in named(placement, "i").support.blockers[ANE]
    assert "ANE113" in named(placement, "c").support.blockers[ANE]


def test_every_output_that_the_engine_makes_costs_again() -> None:
    rows = [large("a", "x"), large("b", "a"), large("c", "b")]
    one, three = placed(program(rows, ["c"])), placed(program(rows, ["a", "b", "c"]))
    assert devices(one) == devices(three) == [ANE] * 3
    assert three.total_us - one.total_us == pytest.approx(2 * 125)
    assert three.problem.outputs == (1, 1, 1)
    assert one.problem.outputs == (0, 0, 1)


def test_a_relu_at_the_end_is_a_tie() -> None:
    placement = placed(chain(["conv", "relu"]))
    assert devices(placement) == [ANE, ANE]
    assert [operation.tie for operation in placement.operations] == [(), (ANE, CPU)]


def test_a_relu_before_a_forced_switch_is_a_tie() -> None:
    placement = placed(chain(["conv", "relu", "acos", "relu", "conv"]))
    assert devices(placement) == [ANE, ANE, CPU, ANE, ANE]
    assert [operation.tie for operation in placement.operations] == [(), (ANE, CPU), (), (ANE, CPU), ()]


@pytest.mark.parametrize(
    ("units", "long", "short"),
    [
        (ComputeUnits.ALL, ANE, GPU),  # one convolution: 306.4 µs on the GPU, 307.3 on the engine
        (ComputeUnits.CPU_AND_NE, ANE, ANE),
        (ComputeUnits.CPU_AND_GPU, GPU, GPU),
        (ComputeUnits.CPU_ONLY, CPU, CPU),
    ],
)
def test_every_setting_of_compute_units(units: ComputeUnits, long: object, short: object) -> None:
    assert set(devices(placed(chain(["conv"] * 5), units=units))) == {long}
    assert set(devices(placed(chain(["conv"]), units=units))) == {short}
    assert placed(chain(["conv"]), units=units).problem.devices[-1] is CPU


def test_the_cpu_alone_costs_the_sum_of_its_estimates() -> None:
    placement = placed(chain(["conv", "acos", "relu"]), units=ComputeUnits.CPU_ONLY)
    assert placement.total_us == pytest.approx(sum(operation.estimate.cpu for operation in placement.operations))
    assert all(operation.tie == () for operation in placement.operations)


def test_the_gpu_has_gaps_of_its_own() -> None:
    resized = (
        f'{LARGE} b = resize(interpolation_mode = string("NEAREST_NEIGHBOR"), resized_dims = uint32(2), '
        'sampling_mode = string("DEFAULT"), shape = tensor<int32, [2]>([28, 28]), x = a);'
    )
    text = program([large("a", "x"), resized, large("y", "b")], ["y"])
    without_engine = placed(text, units=ComputeUnits.CPU_AND_GPU)
    assert devices(without_engine) == [GPU, CPU, GPU]
    assert [operation.support.blockers for operation in without_engine.operations] == [{}, {GPU: (GPU_GAP,)}, {}]
    middle = named(without_engine, "b").estimate.cpu
    around = 2 * named(without_engine, "a").estimate.gpu
    assert without_engine.total_us == pytest.approx(2 * 230 + middle + around)
    assert devices(placed(text, units=ComputeUnits.ALL)) == [ANE] * 3


def test_nested_blocks_go_with_the_operation_around_them() -> None:
    text = f"""
        func main<ios18>({LARGE} x) {{
            {large("a", "x")}
            tensor<fp16, []> mean = reduce_mean(axes = tensor<int32, [4]>([0, 1, 2, 3]), keep_dims = bool(false), x = a);
            tensor<bool, []> positive = greater(x = mean, y = fp16(0));
            {LARGE} b = cond(pred = positive) {{
                block() {{ {large("c", "a")} {apply("exp", "d", "c")} }} -> (d);
                block() {{ {apply("relu", "e", "a")} }} -> (e);
            }};
            {large("y", "b")}
        }} -> (y);
    """
    placement = placed(text)
    assert [operation.node.name for operation in placement.operations] == ["a", "mean", "positive", "b", "y"]
    around = named(placement, "b")
    assert (around.device, around.estimate.standing) == (CPU, "extrapolated")
    assert "ANE111" in around.support.blockers[ANE]
    a = named(placement, "a").estimate
    nested_relu, nested_exp = 2 * 401408 / 100e3, 2 * 401408 / 60.84537e3
    assert around.estimate.cpu == pytest.approx(a.cpu + nested_relu + nested_exp, rel=1e-5)
    assert (named(placement, "a").device, named(placement, "y").device) == (ANE, ANE)


def test_every_function_has_a_plan_of_its_own() -> None:
    big = program([large("y", "x")], ["y"], name="big")
    bad = program([apply("acos", "y", "x")], ["y"], name="bad")
    first, second = judged(model_of(bad + big)).placements
    assert (devices(first), devices(second)) == ([CPU], [ANE])


def part(name: str, text: str, interface: Interface | None = None) -> Model:
    return replace(model_of(text, interface), name=name)


def test_the_parts_of_a_pipeline_are_judged_each_by_its_own_interface() -> None:
    text = chain(["conv", "conv"])
    parts = (part("encoder", text), part("head", text, Interface((RANGE,))))
    pipeline = Model("p", Kind.PIPELINE, "pipeline", 9, parts=parts)
    encoder, head = judged(pipeline).placements
    assert devices(encoder) == [ANE, ANE]
    assert devices(head) == [CPU, CPU]
    assert encoder.whole == ()
    assert len(head.whole) == 1


def test_a_range_of_shapes_keeps_the_whole_program_from_the_engine() -> None:
    model = model_of(chain(["conv"] * 4), Interface((RANGE,)))
    (placement,) = judged(model).placements
    assert devices(placement) == [CPU] * 4
    assert tuple(reason.text for reason in placement.whole) == (
        "input 'x' accepts a range of shapes, with which Core ML does not use the engine",
    )
    assert all(operation.support.blockers == {} for operation in placement.operations)
    (with_gpu,) = judged(model, units=ComputeUnits.ALL).placements
    assert devices(with_gpu) == [GPU] * 4


def test_enumerated_shapes_do_not() -> None:
    flexible = Flexibility("enumerated", (1, 256, 28, 28), shapes=((1, 256, 28, 28), (2, 256, 28, 28)))
    (placement,) = judged(model_of(chain(["conv"] * 4), Interface((RANGE._replace(flexibility=flexible),)))).placements
    assert devices(placement) == [ANE] * 4
    assert placement.whole == ()


def heavy(gib: float) -> str:
    """A chain with so many GiB of weights more than nothing, which are used in sums of no other weight."""
    count = round(gib * 2**29 / 1024)
    rows = [
        f"tensor<fp16, [{count}, 1024]> w = const()[val = {blob(f'[{count}, 1024]', offset=4096)}];",
        large("a", "x"),
        large("b", "a"),
        (
            "tensor<fp16, [1, 1024]> g = gather(axis = int32(0), batch_dims = int32(0), "
            "indices = tensor<int32, [1]>([3]), validate_indices = bool(false), x = w);"
        ),
        "tensor<fp16, [1, 1]> s = reduce_sum(axes = tensor<int32, [1]>([1]), keep_dims = bool(true), x = g);",
        f"{LARGE} y = add(x = b, y = s);",
    ]
    return program(rows, ["y"])


@pytest.mark.parametrize(
    ("target", "gib", "out"),
    [
        ("m4", 1.5, None),
        ("m4", 2.5, "2 GiB"),
        ("m4/macos26", 1.5, None),
        ("m4/macos27", 1.5, "1 GiB"),
        ("m4/macos27.1", 0.9, None),
        ("m4/ios18", 1.5, "1 GiB"),
        ("a17pro", 1.5, "1 GiB"),
        ("a17pro", 0.9, None),
    ],
)
def test_weights_above_the_limit_keep_the_whole_program_from_the_engine(
    target: str, gib: float, out: str | None
) -> None:
    placement = placed(heavy(gib), target)
    if out is None:
        assert placement.whole == ()
        assert placement.count(ANE) > 0
        return
    (reason,) = placement.whole
    assert f"weights of {gib:.2f} GiB" in reason.text
    assert out in reason.text
    assert set(devices(placement)) == {CPU}


def test_a_weight_used_twice_counts_once() -> None:
    placement = placed(
        heavy(1.5)
        .replace("-> (y)", "-> (y, w2)")
        .replace("\n} ->", "\n" + apply("relu", "w2", "w", "tensor<fp16, [786432, 1024]>") + "\n} ->")
    )
    assert placement.whole == ()


def test_a_function_of_nothing_has_an_empty_plan() -> None:
    placement = placed(program([], ["x"]))
    assert (placement.operations, placement.segments, placement.total_us, placement.switches) == ((), (), 0.0, 0)
