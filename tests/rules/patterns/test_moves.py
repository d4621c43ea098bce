"""Transposes, slices and joins that only move numbers."""

from __future__ import annotations

import pytest

from tests.rules.patterns.findings import function, messages

A, B = "tensor<fp16, [1, 2, 3, 4]>", "tensor<fp16, [1, 3, 4, 2]>"
THERE = f"{B} a = transpose(perm = tensor<int32, [4]>([0, 2, 3, 1]), x = x);"
BACK = "transpose(perm = tensor<int32, [4]>([0, 3, 1, 2]), x = {});"
WEIGHTS = "tensor<fp16, [2, 2]>([[1, 2], [3, 4]])"
NORM = "layer_norm(axes = tensor<int32, [{}]>({}), epsilon = fp16(0x1p-10), gamma = tensor<fp16, [{}]>({}), x = a)"


@pytest.mark.parametrize(
    ("body", "results", "found"),
    [
        pytest.param(f"{THERE} {B} b = relu(x = a); {A} y = {BACK.format('b')}", "y", ["y"], id="a pair around a relu"),
        pytest.param(f"{THERE} {A} y = {BACK.format('a')}", "y, a", ["y"], id="a pair whose first is needed"),
        pytest.param(f"{THERE} {B} b = relu(x = a); {A} y = {BACK.format('b')}", "y, b", [], id="a result between"),
        pytest.param(f"{THERE} {B} b = relu(x = a); {A} y = {BACK.format('b')}", "y, a", [], id="a result before"),
        pytest.param(
            f"{THERE} {B} b = softmax(axis = int32(-1), x = a); {A} y = {BACK.format('b')}",
            "y",
            [],
            id="an axis between",
        ),
        pytest.param(f"{THERE} {B} b = add(x = a, y = z); {A} y = {BACK.format('b')}", "y", [], id="a second value"),
        pytest.param(
            f"{THERE} tensor<fp16, [1, 4, 2, 3]> y = transpose(perm = tensor<int32, [4]>([0, 2, 3, 1]), x = a);",
            "y",
            ["y"],
            id="two that are one",
        ),
        pytest.param(
            f"{THERE} tensor<fp16, [1, 4, 2, 3]> y = transpose(perm = tensor<int32, [4]>([0, 2, 3, 1]), x = a);",
            "y, a",
            [],
            id="two that are needed",
        ),
    ],
)
def test_transposes(body: str, results: str, found: list[str]) -> None:
    assert list(messages("ANE223", function(f"{A} x, {B} z", body, results))) == found


@pytest.mark.parametrize(
    ("order", "second", "found"),
    [
        ("[0, 1, 3, 2]", "", ["t"]),
        ("[0, 1, -1, -2]", "", ["t"]),
        ("[1, 0, 3, 2]", "", []),
        ("[0, 1, 3, 2]", "tensor<fp16, [1, 2, 4, 5]> z = relu(x = t);", []),
    ],
)
def test_a_transpose_for_a_matmul(order: str, second: str, found: list[str]) -> None:
    swapped = "tensor<fp16, [2, 1, 4, 5]>" if order.startswith("[1") else "tensor<fp16, [1, 2, 4, 5]>"
    body = f"{swapped} t = transpose(perm = tensor<int32, [4]>({order}), x = k); {second}"
    body += "tensor<fp16, [1, 2, 3, 5]> y = matmul(x = q, y = t);"
    arguments = f"{A} q, tensor<fp16, [1, 2, 5, 4]> k"
    assert list(messages("ANE223", function(arguments, body, "y, z" if second else "y"))) == found


@pytest.mark.parametrize(
    ("layer", "found"),
    [
        pytest.param(f"linear(weight = {WEIGHTS}, x = a)", "linear", id="a linear layer"),
        pytest.param(NORM.format(1, "[-1]", 2, "[2, 3]"), "layer_norm", id="a norm over the channels"),
        pytest.param(NORM.format(2, "[2, 3]", "4, 2", "[[1, 2], [3, 4], [5, 6], [7, 8]]"), "", id="a norm over more"),
        pytest.param("relu(x = a)", "", id="no layer at all"),
    ],
)
def test_islands(layer: str, found: str) -> None:
    text = function(f"{A} x", f"{THERE} {B} b = {layer}; {A} y = {BACK.format('b')}")
    message = f"info: channels moved to the last axis and back for {found}"
    assert messages("ANE224", text) == ({"y": message} if found else {})


def cut(name: str, source: str, shape: str, bounds: str, step: str = "[1, 1]") -> str:
    """A slice of rank 2."""
    return (
        f"tensor<fp16, {shape}> {name} = slice_by_index({bounds}, stride = tensor<int32, [2]>({step}), x = {source});"
    )


WHOLE = "begin = tensor<int32, [2]>([0, 0]), end = tensor<int32, [2]>([6, 6])"


@pytest.mark.parametrize(
    ("body", "results", "found"),
    [
        pytest.param(
            cut("a", "x", "[3, 6]", WHOLE, "[2, 1]") + cut("y", "a", "[3, 3]", WHOLE, "[1, 2]"), "y", ["y"], id="two"
        ),
        pytest.param(
            cut("a", "x", "[3, 6]", WHOLE, "[2, 1]") + cut("y", "a", "[3, 3]", WHOLE, "[1, 2]"),
            "y, a",
            [],
            id="both wanted",
        ),
        pytest.param(cut("y", "x", "[3, 3]", WHOLE, "[2, 2]"), "y", [], id="one"),
        pytest.param(
            cut("a", "x", "[6, 6]", WHOLE, "[-1, 1]") + cut("y", "a", "[6, 3]", WHOLE, "[1, 2]"),
            "y",
            [],
            id="backwards",
        ),
        pytest.param(
            cut("a", "x", "[3, 6]", "begin = at, end = tensor<int32, [2]>([6, 6])", "[2, 1]")
            + cut("y", "a", "[3, 3]", WHOLE, "[1, 2]"),
            "y",
            [],
            id="a bound that comes while the model runs",
        ),
    ],
)
def test_slices_of_slices(body: str, results: str, found: list[str]) -> None:
    arguments = "tensor<fp16, [6, 6]> x, tensor<int32, [2]> at"
    assert list(messages("ANE225", function(arguments, body, results))) == found


@pytest.mark.parametrize(
    ("starts", "axis", "found"),
    [
        ([(0, 0), (0, 1), (1, 0), (1, 1)], 1, ["y"]),
        ([(0, 0), (1, 0), (0, 1), (1, 1)], -3, ["y"]),
        ([(0, 0), (0, 1), (1, 0), (1, 0)], 1, []),
        ([(0, 0), (0, 1), (1, 0), (1, 1)], 2, []),
        ([(0, 0), (0, 1), (1, 0)], 1, []),
    ],
)
def test_grids_of_pixels(starts: list[tuple[int, int]], axis: int, found: list[str]) -> None:
    body = "".join(
        f"tensor<fp16, [1, 1, 2, 2]> s{i} = slice_by_index(begin = tensor<int32, [4]>([0, 0, {row}, {column}]),"
        " end = tensor<int32, [4]>([1, 1, 4, 4]), stride = tensor<int32, [4]>([1, 1, 2, 2]), x = x);"
        for i, (row, column) in enumerate(starts)
    )
    shape = [1, len(starts), 2, 2] if axis != 2 else [1, 1, 2 * len(starts), 2]
    values = ", ".join(f"s{i}" for i in range(len(starts)))
    body += f"tensor<fp16, {shape}> y = concat(axis = int32({axis}), interleave = bool(false), values = ({values}));"
    assert list(messages("ANE226", function("tensor<fp16, [1, 1, 4, 4]> x", body))) == found


@pytest.mark.parametrize(("order", "found"), [("[0, 3, 1, 4, 2]", True), ("[0, 3, 2, 4, 1]", False)])
def test_only_the_order_of_a_pixel_shuffle(order: str, found: bool) -> None:
    body = f"""
        tensor<fp16, [2, 2, 2, 3, 4]> a = reshape(shape = tensor<int32, [5]>([2, 2, 2, 3, 4]), x = x);
        tensor<fp16, [2, 3, 2, 4, 2]> b = transpose(perm = tensor<int32, [5]>({order}), x = a);
        tensor<fp16, [1, 2, 6, 8]> y = reshape(shape = tensor<int32, [4]>([1, 2, 6, 8]), x = b);
    """
    assert bool(messages("ANE227", function("tensor<fp16, [1, 8, 3, 4]> x", body))) == found


@pytest.mark.parametrize(("steps", "found"), [(2, []), (3, ["t2"])])
def test_relayed_transposes(steps: int, found: list[str]) -> None:
    body = "".join(
        f"tensor<fp16, [2, 2, 2, 2]> r{i} = reshape(shape = tensor<int32, [4]>([2, 2, 2, 2]), x = {f't{i - 1}' if i else 'x'});"
        f"tensor<fp16, [2, 2, 2, 2]> t{i} = transpose(perm = tensor<int32, [4]>([0, 2, 1, 3]), x = r{i});"
        for i in range(steps)
    )
    body += f"tensor<fp16, [16]> y = reshape(shape = tensor<int32, [1]>([16]), x = t{steps - 1});"
    assert list(messages("ANE228", function("tensor<fp16, [4, 4]> x", body))) == found


@pytest.mark.parametrize(
    ("batch", "parts", "found"), [(1, 3, True), (1, 2, True), (2, 2, True), (2, 3, False), (1, 4, False)]
)
def test_heads_at_rank_five(batch: int, parts: int, found: bool) -> None:
    width = parts * 4
    cuts = ", ".join(f"tensor<fp16, [{batch}, 3, 1, 2, 2]> p{i}" for i in range(parts))
    body = f"""
        tensor<fp16, [{batch}, 3, {width}]> h = linear(weight = w, x = x);
        tensor<fp16, [{batch}, 3, {parts}, 2, 2]> r = reshape(
            shape = tensor<int32, [5]>([{batch}, 3, {parts}, 2, 2]), x = h);
        {cuts} = split(axis = int32(2), num_splits = int32({parts}), x = r);
    """
    arguments = f"tensor<fp16, [{batch}, 3, 2]> x, tensor<fp16, [{width}, 2]> w"
    text = function(arguments, body, ", ".join(f"p{i}" for i in range(parts)))
    assert bool(messages("ANE229", text)) == found
    assert bool(messages("ANE804", text)) == (batch > 1 and parts == 3)


@pytest.mark.parametrize(
    ("outputs", "stride", "bias", "found"),
    [(4, 1, "", True), (4, 2, "", False), (5, 1, "", False), (4, 1, "bias = tensor<fp16, [4]>([1, 2, 3, 4]), ", False)],
)
def test_the_form_of_an_unfold(outputs: int, stride: int, bias: str, found: bool) -> None:
    side = 4 if stride == 1 else 2
    body = f"""
        tensor<fp16, [1, {outputs}, {side}, {side}]> c = conv({bias}dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
            pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
            strides = tensor<int32, [2]>([{stride}, {stride}]), weight = w, x = x);
        tensor<fp16, [1, {outputs}, {side**2}]> y = reshape(shape = tensor<int32, [3]>([1, {outputs}, {side**2}]), x = c);
    """
    text = function(f"tensor<fp16, [1, 1, 5, 5]> x, tensor<fp16, [{outputs}, 1, 2, 2]> w", body)
    assert bool(messages("ANE230", text)) == found


JOIN = "tensor<fp16, [5, 2]> c = concat(axis = int32(0), interleave = bool(false), values = (a, b));"


@pytest.mark.parametrize(
    ("body", "results", "found"),
    [
        pytest.param(
            f"{JOIN} tensor<fp16, [2, 2]> p, tensor<fp16, [3, 2]> q = split("
            "axis = int32(0), split_sizes = tensor<int32, [2]>([2, 3]), x = c);",
            "p, q",
            ["p"],
            id="split as it was joined",
        ),
        pytest.param(
            f"{JOIN} tensor<fp16, [3, 2]> p, tensor<fp16, [2, 2]> q = split("
            "axis = int32(0), split_sizes = tensor<int32, [2]>([3, 2]), x = c);",
            "p, q",
            [],
            id="split elsewhere",
        ),
        pytest.param(
            JOIN + cut("y", "c", "[3, 2]", "begin = tensor<int32, [2]>([-3, 0]), end = tensor<int32, [2]>([5, 2])"),
            "y",
            ["y"],
            id="a part, counted from the end",
        ),
        pytest.param(
            JOIN + cut("y", "c", "[3, 2]", "begin = tensor<int32, [2]>([1, 0]), end = tensor<int32, [2]>([4, 2])"),
            "y",
            [],
            id="some of both",
        ),
        pytest.param(
            "tensor<fp16, [1, 2]> p, tensor<fp16, [1, 2]> q = split(axis = int32(0), num_splits = int32(2), x = a);"
            "tensor<fp16, [2, 2]> y = concat(axis = int32(0), interleave = bool(false), values = (q, p));",
            "y",
            [],
            id="another order",
        ),
    ],
)
def test_joins_and_parts(body: str, results: str, found: list[str]) -> None:
    arguments = "tensor<fp16, [2, 2]> a, tensor<fp16, [3, 2]> b"
    assert list(messages("ANE231", function(arguments, body, results))) == found


@pytest.mark.parametrize(("layers", "attention", "found"), [(4, True, True), (3, True, False), (4, False, False)])
def test_tokens_first(layers: int, attention: bool, found: bool) -> None:
    body = "".join(
        f"tensor<fp16, [1, 3, 2]> h{i} = linear(weight = {WEIGHTS}, x = {f'h{i - 1}' if i else 'x'});"
        for i in range(layers)
    )
    last = "softmax(axis = int32(-1)," if attention else "relu("
    text = function("tensor<fp16, [1, 3, 2]> x", f"{body} tensor<fp16, [1, 3, 2]> y = {last} x = h{layers - 1});")
    assert bool(messages("ANE233", text)) == found


@pytest.mark.parametrize(("branches", "source", "found"), [(12, "x", True), (11, "x", False), (12, "z", False)])
def test_wide_joins(branches: int, source: str, found: bool) -> None:
    body = "".join(
        f"tensor<fp16, [3, 2]> b{i} = linear(weight = tensor<fp16, [2, 2]>([[1, {i}], [3, 4]]), x = {source if i else 'x'});"
        for i in range(branches)
    )
    values = ", ".join(f"b{i}" for i in range(branches))
    body += (
        f"tensor<fp16, [3, {2 * branches}]> y = concat(axis = int32(1), interleave = bool(false), values = ({values}));"
    )
    assert bool(messages("ANE234", function("tensor<fp16, [3, 2]> x, tensor<fp16, [3, 2]> z", body))) == found
