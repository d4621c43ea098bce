"""Activation functions in their parts."""

from __future__ import annotations

import pytest

from anecheck.knowledge.evidence import FAMILIES
from anecheck.knowledge.tables import Knowledge
from tests.rules.patterns.fusing import codes, found, shape

X = shape(1, 4, 16)
INPUT = f"{X} x"


def chain(*steps: str) -> str:
    """Operations that follow each other; each step is `name = operation`."""
    return "\n".join(f"{X} {step};" for step in steps)


QUICK = chain("z = mul(x = x, y = fp16(1.702))", "s = sigmoid(x = z)", "y = mul(x = x, y = s)")
ERF = ("z = mul(x = x, y = fp16(0.70710678))", "f = erf(x = z)")
CUBE = (
    "c = pow(x = x, y = fp16(3))",
    "k = mul(x = c, y = fp16(0.044715))",
    "i = add(x = x, y = k)",
    "o = mul(x = i, y = fp16(0.79788456))",
    "f = tanh(x = o)",
)
ENDS = {
    "one, half, x": ("g = add(x = f, y = fp16(1))", "h = mul(x = g, y = fp16(0.5))", "y = mul(x = h, y = x)"),
    "one, x, half": ("g = add(x = f, y = fp16(1))", "h = mul(x = g, y = x)", "y = mul(x = h, y = fp16(0.5))"),
    "one, half of x": ("g = add(x = fp16(1), y = f)", "h = mul(x = x, y = fp16(0.5))", "y = mul(x = h, y = g)"),
    "half, half, x": ("g = mul(x = f, y = fp16(0.5))", "h = add(x = g, y = fp16(0.5))", "y = mul(x = x, y = h)"),
    "by two": ("g = add(x = f, y = fp16(1))", "h = mul(x = g, y = x)", "y = real_div(x = h, y = fp16(2))"),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize(("start", "mode"), [(ERF, "erf"), (CUBE, "tanh")], ids=["erf", "tanh"])
def test_gelu_is_known_in_every_order(start: tuple[str, ...], mode: str, end: tuple[str, ...]) -> None:
    ((code, name, message),) = found(chain(*start, *end), inputs=INPUT)
    assert (code, name) == ("ANE206", "y")
    assert message == f"GELU ({mode}) written out in {len(start) + len(end)} operations"


def test_the_argument_is_read_as_a_polynomial() -> None:
    square = ("q = square(x = x)", "k = mul(x = q, y = fp16(0.044715))", "i = add(x = k, y = fp16(1))")
    outer = ("j = mul(x = x, y = i)", "o = real_div(x = j, y = fp16(1.2533))", "f = tanh(x = o)")
    assert codes(chain(*square, *outer, *ENDS["one, half, x"]), inputs=INPUT) == ["ANE206"]


@pytest.mark.parametrize(
    "steps",
    [
        (*ERF, "g = add(x = f, y = fp16(1))", "y = mul(x = g, y = x)"),  # twice GELU
        (*ERF, "g = add(x = f, y = fp16(-1))", "h = mul(x = g, y = fp16(0.5))", "y = mul(x = h, y = x)"),
        ("z = mul(x = x, y = fp16(0.8))", "f = erf(x = z)", *ENDS["one, half, x"]),
        (*ERF, "g = add(x = f, y = fp16(1))", "h = mul(x = g, y = fp16(0.5))", "y = mul(x = h, y = w)"),
        ("f = tanh(x = x)", *ENDS["one, half, x"]),
        ("z = mul(x = x, y = w)", "s = sigmoid(x = z)", "y = mul(x = x, y = s)"),
        ("z = mul(x = x, y = fp16(1.5))", "s = sigmoid(x = z)", "y = mul(x = x, y = s)"),
        ("z = add(x = x, y = fp16(1.702))", "s = sigmoid(x = z)", "y = mul(x = x, y = s)"),
        ("c = pow(x = x, y = fp16(4))", "f = tanh(x = c)", *ENDS["one, half, x"]),
    ],
)
def test_other_functions_are_no_gelu(steps: tuple[str, ...]) -> None:
    assert codes(chain(*steps), inputs=f"{INPUT}, {X} w") == []


def test_constants_that_differ_are_named_with_what_they_make() -> None:
    other = chain("z = mul(x = x, y = fp16(1.7109375))", "s = sigmoid(x = z)", "y = mul(x = x, y = s)")
    ((_, _, message),) = found(other, inputs=INPUT)
    assert message == (
        "quick GELU (sigmoid) written out in 3 operations; its constants (1.711 for 1.702) move the result by up to 0.001"
    )
    beyond = other.replace("1.7109375", "1.78125")
    assert codes(beyond, inputs=INPUT) == []


def test_the_tolerance_is_the_engines_own_error_on_every_family() -> None:
    values = {Knowledge().limit("gelu-table-error", family) for family in FAMILIES}
    assert {limit.value for limit in values if limit} == {0.0062}
    assert codes(QUICK, inputs=INPUT, target="m1") == ["ANE206"]


def test_another_reader_inside_is_named_and_leaves_alone_what_would_save_nothing() -> None:
    body = chain(*ERF, *ENDS["one, half, x"])
    ((_, _, message),) = found(body + chain("w = relu(x = f)"), inputs=INPUT, outputs="y, w")
    assert message == "GELU (erf) written out in 5 operations, its erf read by relu 'w' too"
    ((_, _, message),) = found(body, inputs=INPUT, outputs="y, f")
    assert message == "GELU (erf) written out in 5 operations, part of which is returned too"
    assert codes(QUICK + chain("w = relu(x = s)"), inputs=INPUT, outputs="y, w") == []


# SiLU and the hard ones

SILU = ("s = sigmoid(x = x)", "y = mul(x = s, y = x)")


def test_silu_is_flagged_where_nothing_else_reads_the_sigmoid() -> None:
    assert codes(chain(*SILU), inputs=INPUT) == ["ANE207"]
    assert codes(chain(*SILU), inputs=INPUT, outputs="y, s") == []
    assert codes(chain("s = sigmoid(x = x)", "y = mul(x = s, y = w)"), inputs=f"{INPUT}, {X} w") == []
    assert codes(chain("s = sigmoid(x = x)", "y = mul(x = s, y = s)"), inputs=INPUT) == []


CLIPPED = ("a = add(x = x, y = fp16(3))", "r = relu6(x = a)")
SIXTH = "fp16(0.16666667)"


@pytest.mark.parametrize(
    "steps",
    [
        (*CLIPPED, "p = mul(x = x, y = r)", f"y = mul(x = p, y = {SIXTH})"),
        (*CLIPPED, f"p = mul(x = r, y = {SIXTH})", "y = mul(x = p, y = x)"),
        (*CLIPPED, "p = mul(x = r, y = x)", "y = real_div(x = p, y = fp16(6))"),
        (*CLIPPED, f"p = mul(x = x, y = {SIXTH})", "y = mul(x = p, y = r)"),
    ],
)
def test_hard_swish_is_known_in_every_order(steps: tuple[str, ...]) -> None:
    assert [(code, message) for code, _, message in found(chain(*steps), inputs=INPUT)] == [
        ("ANE207", "hard swish written out in 4 operations")
    ]


@pytest.mark.parametrize(
    ("steps", "count"),
    [
        ((*CLIPPED, f"y = mul(x = r, y = {SIXTH})"), 3),
        ((*CLIPPED, "y = real_div(x = r, y = fp16(6))"), 3),
        (
            (
                "a = add(x = x, y = fp16(3))",
                "r = clip(alpha = fp16(0), beta = fp16(6), x = a)",
                f"y = mul(x = r, y = {SIXTH})",
            ),
            3,
        ),
        (
            (
                "m = mul(x = x, y = fp16(0.2))",
                "a = add(x = m, y = fp16(0.5))",
                "y = clip(alpha = fp16(0), beta = fp16(1), x = a)",
            ),
            3,
        ),
    ],
)
def test_hard_sigmoid_is_known(steps: tuple[str, ...], count: int) -> None:
    assert [message for *_, message in found(chain(*steps), inputs=INPUT)] == [
        f"hard sigmoid written out in {count} operations"
    ]


@pytest.mark.parametrize(
    "steps",
    [
        ("y = relu6(x = x)",),
        (*CLIPPED[:1], "y = relu6(x = a)"),
        (*CLIPPED, "y = mul(x = r, y = fp16(0.5))"),
        (*CLIPPED, "y = real_div(x = fp16(6), y = r)"),
        (
            "a = add(x = x, y = fp16(3))",
            "r = clip(alpha = fp16(-1), beta = fp16(6), x = a)",
            f"y = mul(x = r, y = {SIXTH})",
        ),
        ("a = add(x = x, y = w)", "r = relu6(x = a)", f"y = mul(x = r, y = {SIXTH})"),
        ("h = sigmoid_hard(alpha = fp16(0.2), beta = fp16(0.5), x = x)", "y = mul(x = x, y = h)"),
    ],
)
def test_other_clips_are_left_alone(steps: tuple[str, ...]) -> None:
    assert codes(chain(*steps), inputs=f"{INPUT}, {X} w") == []
