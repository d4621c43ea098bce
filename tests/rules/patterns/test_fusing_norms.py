"""Normalisations in their parts, and batch norms that stand."""

from __future__ import annotations

import pytest

from tests.rules.patterns.fusing import blob, codes, convolution, found, shape


def norm(
    sizes: tuple[int | str, ...],
    axes: tuple[int, ...],
    *,
    square: str = "square(x = d)",
    keep: bool = True,
    epsilon: str = "fp16(1e-3)",
    root: str = "sqrt(x = e)",
    end: str = "real_div(x = d, y = r)",
    over: tuple[int, ...] | None = None,
    source: str = "x",
) -> str:
    """The source minus its mean, over the root of its variance."""
    reduced = shape(*(1 if axis in {other % len(sizes) for other in axes} else size for axis, size in enumerate(sizes)))
    listed, others = (", ".join(map(str, some)) for some in (axes, over or axes))
    count = len(axes)
    return f"""
        {reduced} m = reduce_mean(axes = tensor<int32, [{count}]>([{listed}]), keep_dims = bool(true), x = {source});
        {shape(*sizes)} d = sub(x = {source}, y = m);
        {shape(*sizes)} s = {square};
        {reduced} v = reduce_mean(axes = tensor<int32, [{len(over or axes)}]>([{others}]),
            keep_dims = bool({"true" if keep else "false"}), x = s);
        {reduced} e = add(x = v, y = {epsilon});
        {reduced} r = {root};
        {shape(*sizes)} y = {end};"""


def norms(sizes: tuple[int | str, ...], axes: tuple[int, ...], **parts: object) -> list[str]:
    return codes(norm(sizes, axes, **parts), inputs=f"{shape(*sizes)} x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sizes", "axes", "code"),
    [
        ((2, 3, 8, 8), (0, 2, 3), ["ANE203"]),
        ((2, 3, 8, 8), (0, -1, -2), ["ANE203"]),
        ((1, 3, 8), (0, 2), ["ANE203"]),
        ((1, 3, 2, 8, 8), (0, 2, 3, 4), ["ANE203"]),
        ((8, 16), (0,), ["ANE204"]),  # time, perhaps
        ((2, 3, 8, 8), (2, 3), ["ANE204"]),
        ((2, 3, 8, 8), (1,), ["ANE204"]),
        ((2, 3, 8, 8), (1, 2, 3), ["ANE204"]),
        ((2, 8, 16), (-1,), ["ANE204"]),
        ((2, 3, 8, 8), (0, 1, 2, 3), ["ANE204"]),
        (("?", 3, 8, 8), (0, 2, 3), ["ANE203"]),
        ((1, 3, 2, 8, 8), (2, 3, 4), []),  # no reshape around it: no group norm, and no layer norm of rank 5
    ],
)
def test_the_axes_say_which_norm_it_is(sizes: tuple[int | str, ...], axes: tuple[int, ...], code: list[str]) -> None:
    assert norms(sizes, axes) == code


@pytest.mark.parametrize("square", ["square(x = d)", "mul(x = d, y = d)", "pow(x = d, y = fp16(2))"])
@pytest.mark.parametrize(
    ("root", "end"),
    [
        ("sqrt(x = e)", "real_div(x = d, y = r)"),
        ("rsqrt(epsilon = fp16(0), x = e)", "mul(x = d, y = r)"),
        ("rsqrt(epsilon = fp16(0), x = e)", "mul(x = r, y = d)"),
        ("pow(x = e, y = fp16(0.5))", "real_div(x = d, y = r)"),
        ("pow(x = e, y = fp16(-0.5))", "mul(x = d, y = r)"),
    ],
)
def test_every_spelling_is_known(square: str, root: str, end: str) -> None:
    assert norms((2, 8, 16), (-1,), square=square, root=root, end=end) == ["ANE204"]


@pytest.mark.parametrize(
    "parts",
    [
        {"square": "pow(x = d, y = fp16(3))"},
        {"square": "mul(x = d, y = x)"},
        {"keep": False},
        {"epsilon": "w"},
        {"end": "mul(x = d, y = r)"},
        {"end": "real_div(x = r, y = d)"},
        {"end": "real_div(x = x, y = r)"},
        {"root": "pow(x = e, y = fp16(0.25))"},
        {"over": (1,)},
    ],
)
def test_near_misses_are_other_functions(parts: dict[str, object]) -> None:
    body = norm((2, 8, 16), (2,), **parts)  # type: ignore[arg-type]
    assert codes(body, inputs=f"{shape(2, 8, 16)} x, {shape(2, 8, 1)} w") == []


def test_scale_and_shift_count_where_they_are_constant_and_nothing_else_reads_between() -> None:
    body = (
        norm((2, 8, 16), (2,))
        + f"""
        {shape(2, 8, 16)} g = mul(x = y, y = fp16(2));
        {shape(2, 8, 16)} b = add(x = g, y = fp16(1));"""
    )
    ((_, _, message),) = found(body, inputs=f"{shape(2, 8, 16)} x", outputs="b")
    assert message == "layer norm over axis 2 written out in 9 operations, scale and shift included"
    ((_, _, message),) = found(body, inputs=f"{shape(2, 8, 16)} x", outputs="b, y")
    assert message == "layer norm over axis 2 written out in 7 operations"


def test_an_rms_norm_is_left_to_others() -> None:
    body = f"""
        {shape(2, 8, 16)} s = square(x = x);
        {shape(2, 8, 1)} v = reduce_mean(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true), x = s);
        {shape(2, 8, 1)} e = add(x = v, y = fp16(1e-3));
        {shape(2, 8, 1)} r = rsqrt(epsilon = fp16(0), x = e);
        {shape(2, 8, 16)} y = mul(x = x, y = r);"""
    assert codes(body, inputs=f"{shape(2, 8, 16)} x") == []


def test_the_batch_is_named() -> None:
    ((_, _, message),) = found(norm((4, 3, 8), (0, 2)), inputs=f"{shape(4, 3, 8)} x")
    assert message == "batch normalisation by mean and variance of the batch of 4, computed while the model runs"
    ((_, _, message),) = found(norm(("?", 3, 8), (0, 2)), inputs=f"{shape('?', 3, 8)} x")
    assert message == "batch normalisation by mean and variance of the batch, computed while the model runs"


def test_a_group_norm_stands_between_reshapes() -> None:
    body = (
        f"{shape(1, 4, 4, 8, 8)} g = reshape(shape = tensor<int32, [5]>([1, 4, 4, 8, 8]), x = x);"
        + norm((1, 4, 4, 8, 8), (2, 3, 4), source="g")
        + f"{shape(1, 16, 8, 8)} z = reshape(shape = tensor<int32, [4]>([1, 16, 8, 8]), x = y);"
    )
    ((code, name, message),) = found(body, inputs=f"{shape(1, 16, 8, 8)} x", outputs="z")
    assert (code, name) == ("ANE205", "y")
    assert message == "group norm over 4 groups written out in 9 operations at rank 5"
    assert codes(body, inputs=f"{shape(1, 16, 8, 8)} x", outputs="z, y") == []


# Batch norms

STATISTICS = "mean = tensor<fp16, [4]>([0, 0, 0, 0]), variance = tensor<fp16, [4]>([1, 1, 1, 1])"
WEIGHTS = blob("w", 4, 4, 3, 3)
BEFORE = convolution("c", "x", "w", (1, 4, 6, 6))
FIRST = f"{shape(1, 4, 8, 8)} x"


def batch_norm(name: str, x: str, *sizes: int) -> str:
    return f"{shape(*sizes)} {name} = batch_norm({STATISTICS}, x = {x});"


@pytest.mark.parametrize("kind", ["relu", "silu", "sigmoid", "tanh", "relu6"])
def test_an_activation_between_is_named(kind: str) -> None:
    body = f"{WEIGHTS} {BEFORE} {shape(1, 4, 6, 6)} r = {kind}(x = c);" + batch_norm("y", "r", 1, 4, 6, 6)
    ((code, name, message),) = found(body, inputs=FIRST)
    assert (code, name) == ("ANE202", "y")
    assert message == f"{kind} stands between conv and batch_norm, which cannot fold"


def test_padding_between_is_named() -> None:
    pad = "pad(pad = tensor<int32, [8]>([0, 0, 0, 0, 1, 1, 1, 1]), x = c)"
    body = f"{WEIGHTS} {BEFORE} {shape(1, 4, 8, 8)} p = {pad};" + batch_norm("y", "p", 1, 4, 8, 8)
    assert [message for *_, message in found(body, inputs=FIRST)] == [
        "pad stands between conv and batch_norm, which cannot fold"
    ]


def test_a_second_reader_of_the_convolution_is_named() -> None:
    body = WEIGHTS + BEFORE + batch_norm("n", "c", 1, 4, 6, 6)
    added = f"{shape(1, 4, 6, 6)} y = add(x = c, y = n);"
    assert [message for *_, message in found(body + added, inputs=FIRST)] == [
        "batch_norm cannot fold into the conv before it, whose output add 'y' reads too"
    ]
    assert [message for *_, message in found(body, inputs=FIRST, outputs="n, c")] == [
        "batch_norm cannot fold into the conv before it, whose output is returned too"
    ]
    assert [message for *_, message in found(body, inputs=FIRST, outputs="n")] == [
        "batch_norm right after conv was not folded into its weights"
    ]


INSIDE = f"{shape(1, 4, 8, 8)} a = abs(x = x);"
"""Something between the input and what is tested."""


def test_weights_of_run_time_take_nothing_in() -> None:
    body = BEFORE + batch_norm("y", "c", 1, 4, 6, 6)
    assert codes(body, inputs=f"{FIRST}, {shape(4, 4, 3, 3)} w") == []
    body = INSIDE + batch_norm("n", "a", 1, 4, 8, 8) + convolution("y", "n", "w", (1, 4, 6, 6))
    assert codes(body, inputs=f"{FIRST}, {shape(4, 4, 3, 3)} w") == []


@pytest.mark.parametrize(
    ("pad", "kind", "expected"),
    [(0, "custom", ["ANE202"]), (0, "valid", ["ANE202"]), (1, "custom", []), (0, "same", [])],
)
def test_it_folds_forwards_into_a_convolution_that_pads_nothing(pad: int, kind: str, expected: list[str]) -> None:
    size = 6 if kind != "same" and not pad else 8
    body = (
        INSIDE
        + WEIGHTS
        + batch_norm("n", "a", 1, 4, 8, 8)
        + convolution("y", "n", "w", (1, 4, size, size), pad=pad, pad_type=kind)
    )
    assert codes(body, inputs=FIRST) == expected


def test_one_on_an_input_belongs_before_the_model() -> None:
    assert codes(batch_norm("y", "x", 1, 4, 8, 8), inputs=FIRST) == ["ANE202"]
    assert codes(INSIDE + batch_norm("y", "a", 1, 4, 8, 8), inputs=FIRST) == []


def test_networks_that_normalise_before_their_activations_are_left_alone() -> None:
    sum_first = f"{shape(1, 4, 8, 8)} s = add(x = x, y = z);" + batch_norm("n", "s", 1, 4, 8, 8)
    relu = f"{shape(1, 4, 8, 8)} y = relu(x = n);"
    assert codes(sum_first + relu, inputs=f"{FIRST}, {shape(1, 4, 8, 8)} z") == []
    stem = f"{WEIGHTS} {BEFORE} {shape(1, 4, 6, 6)} r = relu(x = c);" + batch_norm("n", "r", 1, 4, 6, 6)
    assert codes(f"{stem} {shape(1, 4, 6, 6)} y = add(x = r, y = n);", inputs=FIRST) == []
