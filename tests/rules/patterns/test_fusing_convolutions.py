"""Padding before convolutions, convolutions after convolutions, and local response norms."""

from __future__ import annotations

import pytest

from tests.rules.patterns.fusing import blob, codes, convolution, found, shape


def padded(
    pad: str = "0, 0, 0, 0, 1, 1, 1, 1",
    *,
    mode: str = "constant",
    value: str = "fp16(0)",
    out: tuple[int, ...] = (1, 4, 10, 10),
) -> str:
    count = pad.count(",") + 1
    return (
        f'{shape(*out)} p = pad(constant_val = {value}, mode = string("{mode}"), '
        f"pad = tensor<int32, [{count}]>([{pad}]), x = x);"
    )


WEIGHTS = blob("w", 8, 4, 3, 3)
AFTER = convolution("y", "p", "w", (1, 8, 8, 8))
INPUT = f"{shape(1, 4, 8, 8)} x"


@pytest.mark.parametrize(
    ("pad", "expected"),
    [
        (padded(), ["ANE201"]),
        (padded("1, 1, 1, 1"), ["ANE201"]),  # the last axes alone are named
        (padded("0, 0, 0, 0, 2, 2, 2, 2", out=(1, 4, 12, 12)), ["ANE201"]),
        (padded("0, 0, 0, 0, 0, 3, 0, 0", out=(1, 4, 11, 8)), []),  # more than the kernel reaches
        (padded("0, 0, 0, 0, 0, 0, 0, 0", out=(1, 4, 8, 8)), []),
        (padded("0, 0, 1, 1, 1, 1, 1, 1", out=(1, 6, 10, 10)), []),
        (padded("1, 0, 0, 0, 1, 1, 1, 1", out=(2, 4, 10, 10)), []),
        (padded(mode="reflect"), []),
        (padded(mode="replicate"), []),
        (padded(value="fp16(1)"), []),
    ],
)
def test_zeros_at_the_edge_of_a_picture_can_be_folded(pad: str, expected: list[str]) -> None:
    assert codes(f"{WEIGHTS} {pad} {AFTER}", inputs=INPUT) == expected


def test_the_message_gives_the_widths() -> None:
    ((_, _, message),) = found(f"{WEIGHTS} {padded()} {AFTER}", inputs=INPUT)
    assert message == "zeros padded by 1, 1, 1, 1 before a convolution that could pad by itself"


def test_others_that_read_the_padding_keep_it() -> None:
    body = f"{WEIGHTS} {padded()} {AFTER} {shape(1, 4, 10, 10)} z = relu(x = p);"
    assert codes(body, inputs=INPUT, outputs="y, z") == []
    assert codes(f"{WEIGHTS} {padded()} {AFTER}", inputs=INPUT, outputs="y, p") == []


@pytest.mark.parametrize(
    ("kind", "pad", "expected"), [("valid", 0, 1), ("custom", 1, 1), ("same", 0, 0), ("same_lower", 0, 0)]
)
def test_a_convolution_that_pads_to_keep_the_size_pads_otherwise(kind: str, pad: int, expected: int) -> None:
    after = convolution("y", "p", "w", (1, 8, 8, 8), pad_type=kind, pad=pad)
    assert len(codes(f"{WEIGHTS} {padded()} {after}", inputs=INPUT)) == expected


def test_padded_weights_are_no_padded_picture() -> None:
    after = convolution("y", "z", "p", (1, 1, 9, 9))
    assert codes(f"{padded()} {after}", inputs=f"{INPUT}, {shape(1, 4, 18, 18)} z") == []


# Convolutions after convolutions


def pair(
    first: tuple[int, ...], second: tuple[int, ...], *, one: dict[str, object], two: dict[str, object]
) -> list[str]:
    """Two convolutions of 8 × 8; sizes of the results do not matter to the rule."""
    body = (
        blob("v", *first)
        + blob("w", *second)
        + "tensor<fp16, [1]> b = const()[val = tensor<fp16, [1]>([1])];"
        + convolution("m", "x", "v", (1, first[0], 8, 8), **one)  # type: ignore[arg-type]
        + convolution("y", "m", "w", (1, second[0], 8, 8), **two)  # type: ignore[arg-type]
    )
    groups = int(str(one.get("groups", 1)))
    return codes(body, inputs=f"{shape(1, first[1] * groups, 8, 8)} x")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((64, 64, 1, 1), (64, 64, 1, 1), True),
        ((64, 64, 3, 3), (64, 64, 1, 1), True),
        ((64, 64, 3, 3), (128, 64, 1, 1), False),  # the product would be larger
        ((64, 64, 1, 1), (64, 64, 3, 3), True),
        ((64, 64, 3, 3), (64, 64, 3, 3), False),
        ((16, 16, 1, 1), (72, 16, 1, 1), False),  # the bottleneck of MobileNet
        ((24, 72, 1, 1), (88, 24, 1, 1), False),
        ((8, 64, 1, 1), (64, 8, 1, 1), False),  # low rank
        ((64, 128, 1, 1), (32, 64, 1, 1), True),
        ((128, 32, 1, 1), (256, 128, 1, 1), True),
        ((64, 64, 1, 1), (64, 32, 1, 1), False),  # sizes that do not fit are nobody's
    ],
)
def test_a_pair_is_flagged_where_the_product_is_smaller(
    first: tuple[int, ...], second: tuple[int, ...], *, expected: bool
) -> None:
    assert pair(first, second, one={}, two={}) == (["ANE208"] if expected else [])


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ({"pad": 1}, {}, True),
        ({"stride": 2}, {}, True),
        ({}, {"stride": 2}, False),
        ({}, {"pad": 1}, False),
        ({"bias": "b"}, {"bias": "b"}, True),
        ({"groups": 2}, {}, False),
        ({}, {"groups": 2}, False),
        ({}, {"pad_type": "same"}, True),  # of one tap pads nothing
    ],
)
def test_what_comes_before_a_pointwise_convolution_may_do_anything(
    one: dict[str, object], two: dict[str, object], *, expected: bool
) -> None:
    assert pair((64, 64, 3, 3), (64, 64, 1, 1), one=one, two=two) == (["ANE208"] if expected else [])


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ({"bias": "b"}, {"pad": 1}, False),
        ({"bias": "b"}, {}, True),
        ({}, {"pad": 1}, True),
        ({}, {"pad_type": "same"}, True),
        ({"bias": "b"}, {"pad_type": "same"}, False),
        ({"stride": 2}, {}, False),
        ({"pad": 1}, {}, False),
    ],
)
def test_a_pointwise_convolution_first_must_not_show_at_the_edge(
    one: dict[str, object], two: dict[str, object], *, expected: bool
) -> None:
    assert pair((64, 64, 1, 1), (64, 64, 3, 3), one=one, two=two) == (["ANE208"] if expected else [])


def test_another_reader_or_weights_of_run_time_keep_both() -> None:
    weights = blob("v", 8, 8, 1, 1) + blob("w", 8, 8, 1, 1)
    both = convolution("m", "x", "v", (1, 8, 8, 8)) + convolution("y", "m", "w", (1, 8, 8, 8))
    assert codes(weights + both, inputs=f"{shape(1, 8, 8, 8)} x") == ["ANE208"]
    assert codes(weights + both, inputs=f"{shape(1, 8, 8, 8)} x", outputs="y, m") == []
    assert codes(blob("w", 8, 8, 1, 1) + both, inputs=f"{shape(1, 8, 8, 8)} x, {shape(8, 8, 1, 1)} v") == []


def test_the_message_compares_the_weights() -> None:
    body = (
        blob("v", 512, 512)
        + blob("w", 256, 512)
        + f"{shape(1, 512)} m = linear(weight = v, x = x); {shape(1, 256)} y = linear(weight = w, x = m);"
    )
    ((_, _, message),) = found(body, inputs=f"{shape(1, 512)} x")
    assert (
        message
        == "512 → 512 and 512 → 256 with nothing between them would be one linear layer with 33 % of the weights"
    )


# Local response norms


def response_norm(
    *, window: str = "5, 1, 1", divided: str = "x", square: str = "mul(x = x, y = x)", strides: str = "1, 1, 1"
) -> str:
    return f"""
        {shape(1, 8, 4, 4)} s = {square};
        {shape(1, 1, 8, 4, 4)} r = reshape(shape = tensor<int32, [5]>([1, 1, 8, 4, 4]), x = s);
        {shape(1, 1, 12, 4, 4)} p = pad(pad = tensor<int32, [10]>([0, 0, 0, 0, 2, 2, 0, 0, 0, 0]), x = r);
        {shape(1, 1, 8, 4, 4)} m = avg_pool(ceil_mode = bool(false), exclude_padding_from_average = bool(false),
            kernel_sizes = tensor<int32, [3]>([{window}]), pad = tensor<int32, [6]>([0, 0, 0, 0, 0, 0]),
            pad_type = string("valid"), strides = tensor<int32, [3]>([{strides}]), x = p);
        {shape(1, 8, 4, 4)} q = squeeze(axes = tensor<int32, [1]>([1]), x = m);
        {shape(1, 8, 4, 4)} a = mul(x = q, y = fp16(0.1));
        {shape(1, 8, 4, 4)} b = add(x = a, y = fp16(1));
        {shape(1, 8, 4, 4)} d = pow(x = b, y = fp16(0.75));
        {shape(1, 8, 4, 4)} y = real_div(x = {divided}, y = d);"""


def test_a_local_response_norm_divides_its_own_source() -> None:
    inputs = f"{shape(1, 8, 4, 4)} x, {shape(1, 8, 4, 4)} z"
    assert [message for *_, message in found(response_norm(), inputs=inputs)] == [
        "local response norm over 5 channels written out in 9 operations"
    ]
    assert codes(response_norm(square="square(x = x)"), inputs=inputs) == ["ANE209"]
    assert codes(response_norm(divided="z"), inputs=inputs) == []
    assert codes(response_norm(square="mul(x = x, y = z)"), inputs=inputs) == []
    assert codes(response_norm(window="5, 3, 3"), inputs=inputs) == []
    assert codes(response_norm(strides="2, 1, 1"), inputs=inputs) == []
    assert codes(response_norm(), inputs=inputs, outputs="y, b") == []
