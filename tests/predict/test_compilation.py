"""What makes the compiler slow, counted in programs."""

from __future__ import annotations

import pytest

from anecheck.mil.graph import Graph
from anecheck.mil.parser import parse
from anecheck.predict.compilation import (
    branch_clusters,
    largest_stride,
    longest_chain,
    matrix_products,
    square_kernels,
)
from tests.predict.programs import LARGE, apply, chain, conv, large, program


def graph(text: str) -> Graph:
    return Graph(parse(text).functions["main"])


def joined(branches: int, length: int = 2, *, join: str = "concat", source: str = "x") -> list[str]:
    """Branches of a convolution and `length - 1` activations from one value, joined."""
    rows = []
    for number in range(branches):
        rows.append(large(f"b{number}_0", source))
        rows += [apply("relu", f"b{number}_{step}", f"b{number}_{step - 1}") for step in range(1, length)]
    values = ", ".join(f"b{number}_{length - 1}" for number in range(branches))
    shape = f"tensor<fp16, [1, {256 * branches}, 28, 28]>"
    return [*rows, f"{shape} joined = {join}(axis = int32(1), interleave = bool(false), values = ({values}));"]


@pytest.mark.parametrize(("branches", "length", "found"), [(12, 1, 1), (12, 4, 1), (30, 2, 1), (11, 2, 0)])
def test_branches_that_begin_and_end_together_are_a_cluster(branches: int, length: int, found: int) -> None:
    assert branch_clusters(graph(program(joined(branches, length), ("joined",))), 12) == found


def test_branches_of_several_values_are_none() -> None:
    rows = [apply("relu", "y", "x"), apply("tanh", "z", "x")]
    parts = [large(f"b{number}", "y" if number % 2 else "z") for number in range(12)]
    values = ", ".join(f"b{number}" for number in range(12))
    shape = "tensor<fp16, [1, 3072, 28, 28]>"
    join = f"{shape} joined = concat(axis = int32(1), interleave = bool(false), values = ({values}));"
    assert branch_clusters(graph(program([*rows, *parts, join], ("joined",))), 12) == 0
    assert branch_clusters(graph(program([*rows, *parts, join], ("joined",))), 6) == 1


def test_branches_without_layers_are_none() -> None:
    rows = [apply("relu", f"b{number}", "x") for number in range(12)]
    values = ", ".join(f"b{number}" for number in range(12))
    shape = "tensor<fp16, [1, 3072, 28, 28]>"
    join = f"{shape} joined = concat(axis = int32(1), interleave = bool(false), values = ({values}));"
    assert branch_clusters(graph(program([*rows, join], ("joined",))), 12) == 0


def test_parts_of_a_split_are_branches_of_it() -> None:
    part = "tensor<fp16, [1, 16, 28, 28]>"
    names = [f"p{number}" for number in range(16)]
    split = f"{', '.join(f'{part} {name}' for name in names)} = split(axis = int32(1), num_splits = int32(16), x = x);"
    layers = [conv(f"{name}_y", name, part, weight="[16, 16, 3, 3]") for name in names]
    values = ", ".join(f"{name}_y" for name in names)
    join = f"{LARGE} joined = concat(axis = int32(1), interleave = bool(false), values = ({values}));"
    assert branch_clusters(graph(program([split, *layers, join], ("joined",))), 12) == 1


def test_the_longest_chain_of_element_wise_operations() -> None:
    length, last = longest_chain(graph(chain(["conv", "relu", "square", "conv", "relu", "abs", "tanh", "conv"])))
    assert (length, last and last.name) == (3, "v6")
    assert longest_chain(graph(chain(["conv"]))) == (0, None)


def test_kernels_products_and_strides() -> None:
    small = "tensor<fp16, [1, 256, 28, 28]>"
    rows = [
        conv("a", "x", small, weight="[256, 256, 16, 16]"),
        conv("b", "a", small, weight="[256, 256, 16, 15]"),
        conv("c", "b", small, weight="[256, 256, 16, 16]", stride=4),
        f"{small} d = matmul(transpose_x = bool(false), transpose_y = bool(false), x = c, y = c);",
    ]
    found = graph(program(rows, ("d",)))
    assert [(node.name, largest_stride(node)) for node in square_kernels(found, 16)] == [("a", 1), ("c", 4)]
    assert matrix_products(found) == 1
