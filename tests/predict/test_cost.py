"""Estimates of operations, against the formulas worked out by hand."""

from __future__ import annotations

import pytest

from anecheck.mil.graph import Graph
from anecheck.mil.parser import parse
from anecheck.predict.cost import CostModel, Estimate
from tests.predict.programs import KNOWLEDGE, blob, conv

MODEL = CostModel(KNOWLEDGE.costs)
GIB = 1.073741824
ENGINE, CPU = 68 * GIB, 170 / 3 * GIB
"""Bytes in a nanosecond of the engine's and the CPU's memory: 68 and 56⅔ GiB/s."""


def estimate(*rows: str, inputs: str = "tensor<fp16, [1, 64, 32, 32]> x") -> Estimate:
    """The estimate of the last operation."""
    text = f"func main<ios18>({inputs}) {{ {' '.join(rows)} }} -> (y);"
    return MODEL.estimate(Graph(parse(text).functions["main"]).nodes[-1])


def check(found: Estimate, ane_us: float, cpu_us: float, cost_class: str, standing: str = "measured") -> None:
    assert found.ane == pytest.approx(ane_us, rel=1e-4)
    assert found.cpu == pytest.approx(cpu_us, rel=1e-4)
    assert found.gpu == pytest.approx(found.cpu / 4)
    assert (found.cost_class, found.standing) == (cost_class, standing)


def memory(found: Estimate, size: float, standing: str = "measured") -> None:
    check(found, size / ENGINE / 1e3, size / CPU / 1e3, "memory", standing)


def test_element_wise_operations_cost_the_bytes_in_and_out() -> None:
    memory(estimate("tensor<fp16, [1, 64, 32, 32]> y = abs(x = x);"), 2 * 2 * 65536)
    assert estimate("tensor<fp16, [1, 64, 32, 32]> y = abs(x = x);").ane == pytest.approx(3.5903, abs=1e-4)  # as read


def test_constant_parameters_count_but_strings_do_not() -> None:
    memory(estimate('tensor<fp32, [1, 64, 32, 32]> y = cast(dtype = string("fp32"), x = x);'), (2 + 4) * 65536)
    memory(
        estimate("tensor<fp16, [1, 64, 32, 32]> y = clip(alpha = fp16(0), beta = fp16(1), x = x);"), 4 * 65536 + 2 * 2
    )
    axes = "axes = tensor<int32, [2]>([2, 3]), keep_dims = bool(true)"
    memory(estimate(f"tensor<fp16, [1, 64, 1, 1]> y = reduce_mean({axes}, x = x);"), 2 * 65536 + 2 * 64 + 2 * 4 + 1)


def test_parameters_of_norms_do_not_count() -> None:
    scale = "gamma = tensor<fp16, [2]>([1, 1]), beta = tensor<fp16, [2]>([0, 0])"
    row = f"tensor<fp16, [1, 2]> y = layer_norm(axes = tensor<int32, [1]>([1]), {scale}, epsilon = fp16(0.001), x = x);"
    memory(estimate(row, inputs="tensor<fp16, [1, 2]> x"), 2 * 2 + 2 * 2)


def test_only_the_first_result_and_the_first_of_a_list_count() -> None:
    half = "tensor<fp16, [1, 32, 32, 32]>"
    row = f"{half} y, {half} z = split(axis = int32(1), num_splits = int32(2), x = x);"
    memory(estimate(row), 2 * 65536 + 2 * 32768 + 2 * 4)
    row = "tensor<fp16, [2, 1, 64, 32, 32]> y = stack(axis = int32(0), values = (x, x));"
    memory(estimate(row), 2 * 65536 + 4 * 65536 + 4)


def test_convolution_tiers() -> None:
    dense = estimate(conv("y", "x", "tensor<fp16, [1, 64, 32, 32]>", weight="[64, 64, 3, 3]"))
    operations = 2 * 65536 * 64 * 9  # intensity: 75.5 M over 2 · 65536 · 2 + 73728 bytes is 225
    check(dense, operations / 16151.677 / 1e3, operations / 754.4927 / 1e3, "convolution, intense")
    assert (round(dense.ane, 2), round(dense.cpu)) == (4.67, 100)  # as Core ML reports it
    pointwise = estimate(conv("y", "x", "tensor<fp16, [1, 64, 32, 32]>", weight="[64, 64, 1, 1]"))
    operations = 2 * 65536 * 64  # over 270336 bytes: 31
    check(pointwise, operations / 7160.83 / 1e3, operations / 388.0614 / 1e3, "convolution, medium")
    assert (round(pointwise.ane, 2), round(pointwise.cpu, 1)) == (1.17, 21.6)
    depthwise = estimate(conv("y", "x", "tensor<fp16, [1, 64, 32, 32]>", weight="[64, 1, 3, 3]", groups=64))
    operations = 2 * 65536 * 9  # over 263296 bytes: 4.5
    check(depthwise, operations / 471.1809 / 1e3, operations / 27.085213 / 1e3, "convolution, sparse")
    assert not any(found.near_border for found in (dense, pointwise, depthwise))


def test_dilation_divides_the_operations() -> None:
    row = conv("y", "x", "tensor<fp16, [1, 64, 32, 32]>", weight="[64, 64, 3, 3]")
    dilated = estimate(row.replace("dilations = tensor<int32, [2]>([1, 1])", "dilations = tensor<int32, [2]>([2, 2])"))
    operations = 2 * 65536 * 64 * 9 / 4  # over 335872 bytes: 56.2, a little under the bracket's start
    assert dilated.ane == pytest.approx(operations / 7160.83 / 1e3, rel=1e-4)
    assert dilated.cost_class == "convolution, medium"


def test_a_bracketed_tier_is_near_its_border() -> None:
    # 64 → 64 channels, 1 × 2 kernel: 2 · 65536 · 128 operations over 278528 bytes are 60.2, in 56.2 … 67.3.
    found = estimate(conv("y", "x", "tensor<fp16, [1, 64, 32, 32]>", weight="[64, 64, 1, 2]"))
    assert found.near_border
    assert found.cost_class == "convolution, medium"


def test_transposed_convolutions_count_their_own_way() -> None:
    rows = (
        'tensor<fp16, [1, 32, 64, 64]> y = conv_transpose(pad_type = string("valid"), '
        f"strides = tensor<int32, [2]>([2, 2]), weight = {blob('[64, 32, 2, 2]')}, x = x);"
    )
    found = estimate(rows)
    operations = 2 * 32 * 64 * 64 * 64 * 4  # over 131072 + 16384 + 262144 bytes: 163.84, in the bracket
    check(found, operations / 15205.035 / 1e3, operations / 63.142517 / 1e3, "transposed convolution, intense")
    assert found.near_border


@pytest.mark.parametrize(
    ("rows", "k", "n", "name", "ane", "cpu"),
    [
        (128, 256, 512, "linear, large", 5290.78955, 167.758301),
        (16, 256, 512, "linear, small", 580.450378, 22.544456),
    ],
)
def test_linear_layers_count_their_input_twice_over(
    rows: int, k: int, n: int, name: str, ane: float, cpu: float
) -> None:
    row = f"tensor<fp16, [{rows}, {n}]> y = linear(weight = {blob(f'[{n}, {k}]')}, x = x);"
    found = estimate(row, inputs=f"tensor<fp16, [{rows}, {k}]> x")
    amount = 2 * rows * k * k + n
    check(found, amount / ane / 1e3, amount / cpu / 1e3, name)
    assert found.near_border is False or rows * n == 65536


def test_sums_products_and_concatenations_count_elements_before_broadcasting() -> None:
    add = estimate("tensor<fp16, [1, 64, 32, 32]> y = add(x = x, y = fp16(1));")
    check(add, 65537 / 17.990265 / 1e3, 65537 / 10.561096 / 1e3, "sum")
    mul = estimate("tensor<fp16, [1, 64, 32, 32]> y = mul(x = x, y = x);")
    check(mul, 131072 / 21.5 / 1e3, 131072 / 5.751092 / 1e3, "product", "one-sample")
    row = "tensor<fp16, [1, 128, 32, 32]> y = concat(axis = int32(1), interleave = bool(false), values = (x, x));"
    check(estimate(row), 131072 / 50 / 1e3, 131072 / 5.751092 / 1e3, "concatenation")


def test_relu_costs_the_same_everywhere() -> None:
    found = estimate("tensor<fp16, [1, 64, 32, 32]> y = relu(x = x);")
    check(found, 2.62144, 2.62144, "relu")


def test_matmul_has_a_floor_on_the_cpu() -> None:
    inputs = "tensor<fp16, [128, 256]> x, tensor<fp16, [256, 128]> w"
    row = "tensor<fp16, [128, 128]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = x, y = w);"
    found = estimate(row, inputs=inputs)
    size, operations = 2 * (2 * 128 * 256 + 128 * 128), 2 * 128 * 128 * 256
    check(found, size / ENGINE / 1e3, operations / 754.543333 / 1e3, "memory")
    assert (round(found.ane, 2), round(found.cpu, 1)) == (2.24, 11.1)
    turned = estimate(
        row.replace("transpose_y = bool(false)", "transpose_y = bool(true)"),
        inputs="tensor<fp16, [128, 256]> x, tensor<fp16, [128, 256]> w",
    )
    assert turned.cpu == pytest.approx((operations + 128 * 256) / 754.543333 / 1e3, rel=1e-5)


def test_a_thin_matmul_is_bound_by_memory() -> None:
    inputs = "tensor<fp16, [1, 256]> x, tensor<fp16, [256, 128]> w"
    row = "tensor<fp16, [1, 128]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = x, y = w);"
    memory(estimate(row, inputs=inputs), 2 * (256 + 256 * 128 + 128))


@pytest.mark.parametrize("kind", ["max_pool", "avg_pool"])
def test_pools_count_four_bytes_a_tap_and_their_arithmetic(kind: str) -> None:
    def pool(width: int) -> Estimate:
        extra = "exclude_padding_from_average = bool(false), " if kind == "avg_pool" else ""
        return estimate(
            f"tensor<fp16, [1, 64, 32, 32]> y = {kind}(ceil_mode = bool(false), {extra}"
            f"kernel_sizes = tensor<int32, [2]>([{width}, {width}]), pad = tensor<int32, [4]>([0, 0, 0, 0]), "
            'pad_type = string("same"), strides = tensor<int32, [2]>([1, 1]), x = x);'
        )

    memory(pool(2), 4 * 65536 + 4 * 4)
    check(pool(8), (4 * 65536 + 4 * 64) / ENGINE / 1e3, 64 * 65536 / 754.543333 / 1e3, "memory")


def test_gelu_has_78_operations_an_element() -> None:
    found = estimate('tensor<fp16, [1, 64, 32, 32]> y = gelu(mode = string("EXACT"), x = x);')
    check(found, 4 * 65536 / ENGINE / 1e3, 78 * 65536 / 754.543333 / 1e3, "memory")


def test_gather_costs_memory_on_the_engine_and_elements_on_the_cpu() -> None:
    row = (
        "tensor<fp16, [8, 64]> y = gather(axis = int32(0), batch_dims = int32(0), indices = i, "
        "validate_indices = bool(false), x = x);"
    )
    found = estimate(row, inputs="tensor<fp16, [100, 64]> x, tensor<int32, [8]> i")
    size = 2 * 6400 + 4 * 8 + 2 * 512 + 4 + 4 + 1
    check(found, size / ENGINE / 1e3, (6400 + 8 + 3) / 11.502185 / 1e3, "gather")


def test_transposes_cost_more_where_the_first_axis_moves() -> None:
    def turned(order: str) -> Estimate:
        return estimate(f"tensor<fp16, [1, 64, 32, 32]> y = transpose(perm = tensor<int32, [4]>({order}), x = x);")

    check(turned("[0, 1, 3, 2]"), 65540 / 17.218672 / 1e3, 65540 / 21.87158 / 1e3, "transpose")
    check(turned("[-4, 1, 3, 2]"), 65540 / 17.218672 / 1e3, 65540 / 21.87158 / 1e3, "transpose")
    first = turned("[1, 0, 2, 3]")
    check(first, 65540 / 11.428275 / 1e3, 65540 / 0.937736 / 1e3, "transpose of the first axis", "one-sample")


def test_bilinear_upsampling_is_dear_on_the_cpu() -> None:
    scale = "scale_factor_height = fp16(2), scale_factor_width = fp16(2)"
    found = estimate(
        f"tensor<fp16, [1, 64, 64, 64]> y = upsample_bilinear(align_corners = bool(false), {scale}, x = x);"
    )
    check(found, 262144 / 79.314172 / 1e3, 262144 / 0.5246709 / 1e3, "bilinear upsampling", "one-sample")
    assert (round(found.ane, 1), round(found.cpu, 1)) == (3.3, 499.6)


def test_an_unknown_dimension_counts_as_one_and_is_extrapolated() -> None:
    found = estimate("tensor<fp16, [?, 64]> y = abs(x = x);", inputs="tensor<fp16, [?, 64]> x")
    memory(found, 4 * 64, "extrapolated")
    found = estimate("tensor<fp16, [?, 64]> y = relu(x = x);", inputs="tensor<fp16, [?, 64]> x")
    assert (found.cost_class, found.standing) == ("relu", "extrapolated")
    assert found.ane == pytest.approx(4 * 64 / 100 / 1e3)


def test_an_operation_that_was_never_measured_is_extrapolated() -> None:
    assert "sqrt" not in KNOWLEDGE.costs.measured_memory
    memory(estimate("tensor<fp16, [1, 64, 32, 32]> y = sqrt(x = x);"), 4 * 65536, "extrapolated")
    memory(estimate("tensor<fp16, [1, 64, 32, 32]> y = nobody_knows(x = x);"), 4 * 65536, "extrapolated")


def test_the_higher_tier_comes_first() -> None:
    for rows in KNOWLEDGE.costs.by_type.values():
        borders = [row.at_least for row in rows]
        assert borders == sorted(borders, reverse=True)
        assert len({(row.amount, row.tier) for row in rows}) == 1
        assert borders[-1] == 0.0
    assert not KNOWLEDGE.costs.measured_memory & KNOWLEDGE.costs.by_type.keys()
