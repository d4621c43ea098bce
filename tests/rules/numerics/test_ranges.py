"""What the operations before a value tell of its size."""

from __future__ import annotations

import math

import pytest
from anecheck_rules.numerics.ranges import Range, reach

from anecheck.mil.graph import Graph
from anecheck.mil.parser import parse

INPUTS = "tensor<fp16, [1, 4]> x, tensor<fp16, [1, 4]> z, tensor<bool, [1, 4]> b"
ANYTHING = Range(-math.inf, math.inf)

CASES = {
    "sigmoid(x = x)": Range(0, 1),
    "tanh(x = x)": Range(-1, 1),
    "relu(x = x)": Range(0, math.inf),
    "relu6(x = x)": Range(0, 6),
    "abs(x = x)": Range(0, math.inf),
    "square(x = x)": Range(0, math.inf),
    "mul(x = x, y = x)": Range(0, math.inf),
    "mul(x = x, y = z)": ANYTHING,
    "pow(x = x, y = fp16(2))": Range(0, math.inf),
    "pow(x = x, y = fp16(-2))": Range(0, math.inf),
    "pow(x = x, y = fp16(3))": ANYTHING,
    "clip(alpha = fp16(-2), beta = fp16(3), x = x)": Range(-2, 3),
    "minimum(x = x, y = fp16(8))": Range(-math.inf, 8),
    "maximum(x = fp16(1), y = x)": Range(1, math.inf),
    'cast(dtype = string("fp16"), x = b)': Range(0, 1),
    "real_div(x = x, y = z)": ANYTHING,
    "exp(x = x)": Range(0, math.inf),
    "add(x = x, y = z)": ANYTHING,
    "sub(x = x, y = z)": ANYTHING,
    "relu(x = identity)": Range(0, 1),
    "add(x = identity, y = fp16(3))": Range(2, 4),
    "sub(x = fp16(3), y = identity)": Range(2, 4),
    "mul(x = identity, y = fp16(-4))": Range(-4, 4),
    "mul(x = identity, y = identity)": Range(0, 1),
    "real_div(x = identity, y = fp16(-0.5))": Range(-2, 2),
    "exp(x = identity)": Range(0, math.e),
    "square(x = identity)": Range(0, 1),
    "abs(x = identity)": Range(0, 1),
}


@pytest.mark.parametrize("expression", CASES)
def test_range_of(expression: str) -> None:
    text = f"""func main<ios18>({INPUTS}) {{
        tensor<fp16, [1, 4]> t = sin(x = x);
        tensor<fp16, [1, 4]> identity = identity(x = t);
        tensor<fp16, [1, 4]> y = {expression};
    }} -> (y);"""
    graph = Graph(parse(text).functions["main"])
    assert reach(graph.outputs[0]) == CASES[expression]


def test_far_operations_are_not_asked() -> None:
    body = "\n".join(f"tensor<fp16, [4]> v{n + 1} = identity(x = v{n});" for n in range(9))
    text = f"func main<ios18>(tensor<fp16, [4]> x) {{ tensor<fp16, [4]> v0 = sin(x = x);\n{body} }} -> (v4, v9);"
    near, far = Graph(parse(text).functions["main"]).outputs
    assert reach(near) == Range(-1, 1)
    assert reach(far) == ANYTHING


def test_differences_to_the_maximum_are_never_positive() -> None:
    text = """func main<ios18>(tensor<fp16, [2, 4]> x) {
        tensor<fp16, [2]> m = reduce_max(axes = tensor<int32, [1]>([1]), keep_dims = bool(false), x = x);
        tensor<fp16, [2, 1]> wide = expand_dims(axes = tensor<int32, [1]>([1]), x = m);
        tensor<fp16, [2, 4]> y = sub(x = x, y = wide);
    } -> (y);"""
    assert reach(Graph(parse(text).functions["main"]).outputs[0]) == Range(-math.inf, 0)
