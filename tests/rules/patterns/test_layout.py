"""Numbers that are moved or copied for nothing."""

from __future__ import annotations

import pytest

from tests.rules.patterns.findings import function, messages


def window(number: int, reduction: str = "reduce_mean", source: str = "x") -> str:
    """A slice of two of five elements, reduced to one."""
    return (
        f"tensor<fp16, [1, 2]> s{number} = slice_by_index(begin = tensor<int32, [2]>([0, {number}]),"
        f" end = tensor<int32, [2]>([1, {number + 2}]), x = {source});"
        f"tensor<fp16, [1, 1]> r{number} = {reduction}(axes = tensor<int32, [1]>([1]), keep_dims = bool(true), x = s{number});"
    )


def joined(windows: list[str]) -> str:
    """The windows and their concat."""
    count = len(windows)
    values = ", ".join(f"r{number}" for number in range(count))
    join = f"tensor<fp16, [1, {count}]> y = concat(axis = int32(1), interleave = bool(false), values = ({values}));"
    return "".join(windows) + join


@pytest.mark.parametrize(
    ("windows", "found"),
    [
        pytest.param([window(i) for i in range(4)], "average", id="four means"),
        pytest.param([window(i, "reduce_max") for i in range(4)], "maximum", id="four maxima"),
        pytest.param([window(i) for i in range(3)], "", id="three windows"),
        pytest.param([*[window(i) for i in range(3)], window(3, "reduce_max")], "", id="another reduction"),
        pytest.param([*[window(i) for i in range(3)], window(3, source="z")], "", id="another source"),
        pytest.param([window(i, "reduce_sum") for i in range(4)], "", id="sums"),
    ],
)
def test_windows_of_an_adaptive_pooling(windows: list[str], found: str) -> None:
    text = function("tensor<fp16, [1, 5]> x, tensor<fp16, [1, 5]> z", joined(windows))
    message = f"info: an adaptive {found} pooling of fp16[1, 5] in 4 slices and 4 reductions"
    assert messages("ANE221", text) == ({"y": message} if found else {})


N = "tensor<fp16, [1, 3, 1]>"
M = "tensor<fp16, [1, 3, 8]>"
TILED = f"{M} t = tile(reps = tensor<int32, [3]>([1, 1, 8]), x = n);"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param(f"{TILED} {M} y = mul(x = t, y = x);", ["t"], id="an element-wise user"),
        pytest.param(f"{TILED} {M} a = mul(x = t, y = x); {M} y = add(x = a, y = t);", ["t"], id="two of them"),
        pytest.param(f"{TILED} {M} a = mul(x = t, y = x); {M} y = exp(x = t);", [], id="and one that needs the copies"),
        pytest.param(f"{TILED} {M} y = mul(x = t, y = fp16(2));", [], id="a partner that is no larger"),
        pytest.param(f"{TILED} {M} y = mul(x = t, y = t);", [], id="itself"),
        pytest.param(
            f"{M} t = tile(reps = r, x = n); {M} y = mul(x = t, y = x);", [], id="counts that come while the model runs"
        ),
        pytest.param(
            "tensor<fp16, [1, 3, 16]> t = tile(reps = tensor<int32, [3]>([1, 1, 2]), x = x);"
            "tensor<fp16, [1, 3, 16]> y = mul(x = t, y = w);",
            [],
            id="copies of more than one element",
        ),
        pytest.param(
            f"{TILED} tensor<fp16, [1, 3, 16]> y = concat(axis = int32(2), interleave = bool(false), values = (t, x));",
            [],
            id="a concat",
        ),
    ],
)
def test_tiles(body: str, found: list[str]) -> None:
    arguments = f"{N} n, {M} x, tensor<fp16, [1, 3, 16]> w, tensor<int32, [3]> r"
    assert list(messages("ANE222", function(arguments, body))) == found


def test_a_tile_that_is_returned_has_to_be_made() -> None:
    text = function(f"{N} n, {M} x", f"{TILED} {M} y = mul(x = t, y = x);", "t, y")
    assert messages("ANE222", text) == {}


@pytest.mark.parametrize(("axis", "found"), [(0, ["t"]), (1, [])])
def test_a_product_repeats_all_axes_but_its_last_two(axis: int, found: list[str]) -> None:
    reps, shape = [4 if index == axis else 1 for index in range(3)], [4 if index == axis else 1 for index in range(2)]
    body = (
        f"tensor<fp16, [{shape[0]}, {shape[1]}, 8]> t = tile(reps = tensor<int32, [3]>({reps}), x = k);"
        f"tensor<fp16, [4, 3, {shape[1]}]> y = matmul(transpose_y = bool(true), x = q, y = t);"
    )
    assert list(messages("ANE222", function("tensor<fp16, [1, 1, 8]> k, tensor<fp16, [4, 3, 8]> q", body))) == found


def test_heads_repeated_for_something_else_than_attention() -> None:
    body = """
        tensor<fp16, [1, 2, 1, 5, 8]> e = expand_dims(axes = tensor<int32, [1]>([2]), x = k);
        tensor<fp16, [1, 2, 2, 5, 8]> t = tile(reps = tensor<int32, [5]>([1, 1, 2, 1, 1]), x = e);
        tensor<fp16, [1, 4, 5, 8]> r = reshape(shape = tensor<int32, [4]>([1, 4, 5, 8]), x = t);
        tensor<fp16, [1, 4, 5, 8]> y = tanh(x = r);
    """
    assert messages("ANE222", function("tensor<fp16, [1, 2, 5, 8]> k", body)) == {}
