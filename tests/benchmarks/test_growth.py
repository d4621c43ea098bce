"""Work grows with the size of a model and no faster, whatever its shape. Calls are counted, nothing is timed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from anecheck.api import lint
from anecheck.mil.model import Kind, Model
from anecheck.mil.parser import parse

SMALLER, LARGER = 200, 800
AT_MOST = 1.15
"""How much faster than the model the number of calls may seem to grow."""

Lines = Iterator[str]


def fp32_chain(size: int) -> Lines:
    yield from (f"tensor<fp32, [1, 64]> v{i + 1} = sigmoid(x = v{i});" for i in range(size))


def fp32_diamonds(size: int) -> Lines:
    yield from (f"tensor<fp32, [1, 64]> v{i + 1} = add(x = v{i}, y = v{i});" for i in range(size))


def fp32_island(size: int) -> Lines:
    yield 'tensor<fp16, [1, 64]> a = cast(dtype = string("fp16"), x = v0);'
    yield "tensor<fp16, [1, 64]> b = relu(x = a);"
    yield 'tensor<fp32, [1, 64]> w0 = cast(dtype = string("fp32"), x = b);'
    yield from (f"tensor<fp32, [1, 64]> w{i + 1} = mul(x = w{i}, y = fp32(0x1p-3));" for i in range(size))
    yield f'tensor<fp16, [1, 64]> c = cast(dtype = string("fp16"), x = w{size});'
    yield f"tensor<fp16, [1, 64]> v{size} = relu(x = c);"


def integer_chain_with_gathers(size: int) -> Lines:
    yield 'tensor<int32, [1, 64]> w0 = cast(dtype = string("int32"), x = v0);'
    for i in range(size):
        yield f"tensor<int32, [1, 64]> w{i + 1} = add(x = w{i}, y = w{i});"
        yield f"tensor<fp32, [1, 1, 64]> v{i + 1} = gather(axis = int32(1), indices = w{i + 1}, x = v0);"


def one_value_used_by_all(size: int) -> Lines:
    yield f"tensor<fp32, [1, 64]> w = {cumulative_sum('v0')};"
    yield from (f"tensor<fp32, [1, 64]> v{i + 1} = {cumulative_sum('w')};" for i in range(size))


def one_use_of_all_values(size: int) -> Lines:
    yield from (f"tensor<fp32, [1, 64]> w{i} = {cumulative_sum('v0')};" for i in range(size))
    values = ", ".join(f"w{i}" for i in range(size))
    yield f"tensor<fp32, [{size}, 64]> v{size} = concat(axis = int32(0), interleave = bool(false), values = ({values}));"


def cumulative_sum(value: str) -> str:
    return f"cumsum(axis = int32(1), exclusive = bool(false), reverse = bool(false), x = {value})"


SHAPES = (
    fp32_chain,
    fp32_diamonds,
    fp32_island,
    integer_chain_with_gathers,
    one_value_used_by_all,
    one_use_of_all_values,
)


@pytest.mark.parametrize("shape", SHAPES)
def test_calls_grow_with_the_model(shape: Callable[[int], Lines]) -> None:
    calls_of_lint(shape, 1)  # tables are read once
    smaller, larger = calls_of_lint(shape, SMALLER), calls_of_lint(shape, LARGER)
    assert larger / smaller <= LARGER / SMALLER * AT_MOST


def calls_of_lint(shape: Callable[[int], Lines], size: int) -> int:
    body = "\n".join(shape(size))
    text = f"program(1.3)\n{{\nfunc main<ios18>(tensor<fp32, [1, 64]> v0) {{\n{body}\n}} -> (v{size});\n}}\n"
    model = Model("model.mlpackage", Kind.ML_PROGRAM, "mlProgram", 9, program=parse(text))
    count = 0

    def tally(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(tally)
    try:
        report = lint(model).models[0]
    finally:
        sys.setprofile(before)
    assert report.findings
    return count
