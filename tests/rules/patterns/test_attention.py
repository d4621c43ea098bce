"""Where the rules on attention begin to speak, and what must not make them."""

from __future__ import annotations

import pytest

from tests.rules.patterns.findings import function, messages

NO, YES = "bool(false)", "bool(true)"


def written_out(  # each is one thing that may differ
    *,
    heads: int | str = 2,
    key_heads: int | str | None = None,
    rows: int | str = 8,
    keys: int | str = 8,
    width: int = 4,
    value_width: int = 4,
    axis: int = -1,
    scale: str = "0.5",
    extra: str = "",
    results: str = "y",
    opset: str = "ios18",
) -> str:
    left = key_heads or heads
    scores = f"tensor<fp16, [1, {heads}, {rows}, {keys}]>"
    return function(
        f"tensor<fp16, [1, {heads}, {rows}, {width}]> q, tensor<fp16, [1, {left}, {keys}, {width}]> k, "
        f"tensor<fp16, [1, {left}, {keys}, {value_width}]> v, {scores} other",
        f"""
        {scores} s = matmul(transpose_x = {NO}, transpose_y = {YES}, x = q, y = k);
        {scores} t = mul(x = s, y = {scale});
        {scores} p = softmax(axis = int32({axis}), x = t);
        tensor<fp16, [1, {heads}, {rows}, {value_width}]> y = matmul(transpose_x = {NO}, transpose_y = {NO}, x = p, y = v);
        {extra}
        """,
        results,
        opset,
    ).replace("y = 0.5)", "y = fp16(0.5))")


def fused(rank: int = 4, rows: int = 8, keys: int = 8, value_width: int = 4, opset: str = "ios18") -> str:
    batch = ", ".join(["1", "2", "3", "2", "1"][: rank - 2])
    return function(
        f"tensor<fp16, [{batch}, {rows}, 4]> q, tensor<fp16, [{batch}, {keys}, 4]> k, "
        f"tensor<fp16, [{batch}, {keys}, {value_width}]> v",
        f"tensor<fp16, [{batch}, {rows}, {value_width}]> y = scaled_dot_product_attention(key = k, query = q, value = v);",
        opset=opset,
    )


def test_written_out_attention_is_counted_once_in_a_function() -> None:
    found = messages("ANE241", written_out())
    assert found == {
        "p": "info: one attention is written out, its scores fp16[1, 2, 8, 8]; one operation of iOS 18 computes it"
    }


@pytest.mark.parametrize(
    ("target", "speaks"),
    [
        ("m4", False),
        ("m4/macos14", False),
        ("m4/macos15", True),
        ("a17pro/ios17", False),
        ("a17pro/ios18", True),
        ("h16/visionos2", True),
        ("h16/watchos10.3", False),
    ],
)
def test_an_older_function_is_told_of_the_operation_only_where_the_release_has_it(target: str, speaks: bool) -> None:
    assert bool(messages("ANE241", written_out(opset="ios17"), target)) is speaks


def test_a_scale_that_is_not_built_in_is_named() -> None:
    (message,) = messages("ANE241", written_out(width=16, value_width=16)).values()
    assert message.endswith("once the scale of 0.5 is in the weights of the query")


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(written_out(value_width=3), id="values of another width"),
        pytest.param(written_out(key_heads=1), id="heads that are broadcast"),
        pytest.param(written_out(axis=1), id="softmax over another axis"),
        pytest.param(written_out(scale="other"), id="scores times what is computed"),
        pytest.param(
            written_out(extra="tensor<fp16, [1, 2, 8, 8]> seen = relu(x = p);", results="y, seen"),
            id="probabilities that others see",
        ),
        pytest.param(written_out(results="y, p"), id="probabilities that are returned"),
    ],
)
def test_attention_that_the_operation_does_not_compute_is_left_alone(program: str) -> None:
    assert messages("ANE241", program) == {}


def test_unknown_sizes_do_not_hide_attention() -> None:
    assert list(messages("ANE241", written_out(rows="?", keys="?"))) == ["p"]
    assert messages("ANE242", written_out(rows="?", keys="?"), "m2") == {}


@pytest.mark.parametrize(
    ("rows", "keys", "target", "severity"),
    [
        (1023, 1024, "m2", None),
        (1024, 1024, "m2", "warning"),
        (1, 1 << 20, "h14", "warning"),
        (1024, 1024, "m2/macos27", "warning"),
        (1024, 1024, "m2/macos26.1", "info"),
        (1024, 1024, "m1", None),
        (1024, 1024, "m4", None),
    ],
)
def test_scores_of_a_head_from_two_to_the_twentieth_on(rows: int, keys: int, target: str, severity: str | None) -> None:
    found = messages("ANE242", written_out(rows=rows, keys=keys, opset="ios17"), target)
    assert [message.partition(":")[0] for message in found.values()] == ([severity] if severity else [])


def test_fused_scores_were_not_what_failed() -> None:
    assert messages("ANE242", fused(rows=1024, keys=1024), "m2")["y"].startswith("info: 1,024 queries × 1,024 keys")
    assert messages("ANE242", fused(rows=512, keys=1024), "m2") == {}


def test_a_softmax_over_classes_is_no_attention() -> None:
    pixels = "tensor<fp16, [1, 1024, 1024]>"
    assert messages("ANE242", function(f"{pixels} x", f"{pixels} y = softmax(axis = int32(-1), x = x);"), "m2") == {}


@pytest.mark.parametrize(("rank", "found"), [(3, []), (4, []), (5, ["y"])])
def test_fused_attention_of_more_than_four_dimensions(rank: int, found: list[str]) -> None:
    assert list(messages("ANE243", fused(rank))) == found


def test_fused_values_of_another_width_are_a_note() -> None:
    assert messages("ANE243", fused(value_width=3)) == {
        "y": "info: fused attention with values 3 wide beside keys 4 wide"
    }


def projected(between: str, factor: str = "h", results: str = "y", weight: str = "w") -> str:
    return function(
        "tensor<fp16, [1, 6, 4]> x, tensor<fp16, [1, 6, 4]> k, tensor<fp16, [4, 4]> given",
        f"""
        tensor<fp16, [4, 4]> w = const()[val = tensor<fp16, [4, 4]>([[1, 2, 0, 1], [0, 1, 1, 3], [2, 0, 1, 1], [1, 1, 0, 2]])];
        tensor<fp16, [1, 6, 4]> p = matmul(transpose_x = {NO}, transpose_y = {NO}, x = x, y = {weight});
        {between}
        tensor<fp16, [1, 6, 4]> y = scaled_dot_product_attention(key = k, query = {factor}, value = k);
        """,
        results,
    )


MUL = "tensor<fp16, [1, 6, 4]> h = mul(x = p, y = fp16(0.25));"


def test_a_factor_between_projection_and_attention() -> None:
    assert messages("ANE244", projected(MUL)) == {
        "h": "info: the query is multiplied by 0.25 on its way from a matmul to the attention"
    }


def test_the_scale_that_is_built_in_is_named_where_it_comes_twice() -> None:
    twice = messages("ANE244", projected("tensor<fp16, [1, 6, 4]> h = real_div(x = p, y = fp16(2));"))
    assert twice["h"].endswith("to the attention, which scales by 1/√4 = 0.5 itself")


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(
            projected("tensor<fp16, [1, 6, 4]> h = real_div(x = fp16(2), y = p);"), id="a number over the query"
        ),
        pytest.param(projected("tensor<fp16, [1, 6, 4]> h = mul(x = p, y = p);"), id="no constant"),
        pytest.param(projected(MUL, results="y, p"), id="a projection that is returned"),
        pytest.param(projected(MUL, weight="given"), id="weights that are given at run time"),
        pytest.param(
            projected(MUL.replace("x = p", "x = g").replace("ten", "tensor<fp16, [1, 6, 4]> g = tanh(x = p); ten", 1)),
            id="something else between",
        ),
    ],
)
def test_a_factor_that_the_projection_cannot_hold_is_left_alone(program: str) -> None:
    assert messages("ANE244", program) == {}


def angles(body: str, kind: str = "fp16") -> str:
    return function(
        f"tensor<{kind}, [1, 8, 1]> p, tensor<{kind}, [1, 8, 4]> x",
        f"""
        tensor<{kind}, [1, 1, 4]> f = const()[val = tensor<{kind}, [1, 1, 4]>([[[1, 0.25, 0.0625, 0.015625]]])];
        {body}
        """,
        "s, c",
    )


PAIR = "tensor<fp16, [1, 8, 4]> s = sin(x = a); tensor<fp16, [1, 8, 4]> c = cos(x = a);"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param(f"tensor<fp16, [1, 8, 4]> a = mul(x = p, y = f); {PAIR}", ["s"], id="positions by frequencies"),
        pytest.param(f"tensor<fp16, [1, 8, 4]> a = matmul(x = p, y = f); {PAIR}", ["s"], id="as a matrix product"),
        pytest.param(f"tensor<fp16, [1, 8, 4]> a = mul(x = x, y = fp16(3)); {PAIR}", [], id="one frequency for all"),
        pytest.param(f"tensor<fp16, [1, 8, 4]> a = relu(x = x); {PAIR}", [], id="angles of another kind"),
        pytest.param(PAIR.replace("x = a", "x = x"), [], id="angles that are given"),
        pytest.param(
            "tensor<fp16, [1, 8, 4]> a = mul(x = p, y = f); " + PAIR.replace("cos(x = a)", "cos(x = x)"),
            [],
            id="a cosine of something else",
        ),
    ],
)
def test_tables_of_rotations(body: str, found: list[str]) -> None:
    assert list(messages("ANE253", angles(body))) == found
