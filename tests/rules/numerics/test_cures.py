"""Where an example's `before` breaks in fp16, its `after` still gives the right numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pytest

from anecheck.mil.parser import parse
from anecheck.mil.types import TensorType, Type
from tests.reference.interpreter import run
from tests.reference.tensors import Array, numpy_type, static_shape
from tests.rules.test_rewrites import EXAMPLES, Key, named, relative_to_largest

CLOSE: Final = 2.0**-8
"""How far the rewrite may be from the true result, relative to its largest magnitude."""

Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]

BREAKING: Final[dict[Key, dict[str, Draw]]] = {
    ("ANE501", 1): {"x": lambda random, shape: random.normal(0, 2000, shape)},
    ("ANE501", 2): {"x": lambda random, shape: random.normal(0, 2000, shape)},
    ("ANE502", 1): {"x": lambda random, shape: random.normal(0, 20, shape)},
    ("ANE502", 2): {
        "x": lambda random, shape: random.normal(0, 20, shape),
        "v": lambda random, shape: random.normal(0, 1, shape),
    },
    ("ANE504", 1): {"x": lambda random, shape: random.normal(0, 20, shape)},
    ("ANE504", 2): {"x": lambda random, shape: random.normal(0, 20, shape)},
    ("ANE505", 2): {
        "x": lambda random, shape: random.normal(0, 1, shape),
        "m": lambda _, shape: np.zeros(shape),  # every row is masked altogether
    },
    ("ANE507", 1): {"x": lambda random, shape: random.normal(0, 2e-7, shape)},
    ("ANE509", 1): {"x": lambda random, shape: random.normal(40, 1, shape), "m": lambda _, shape: np.ones(shape)},
}
"""Inputs on which the program before goes wrong, by the rule's code and the number of the example."""


@pytest.mark.parametrize("key", BREAKING, ids=named)
def test_the_rewrite_is_right_where_the_program_before_is_wrong(key: Key) -> None:
    before, after = parse(EXAMPLES[key].before), parse(EXAMPLES[key].after or "")
    random = np.random.default_rng(0)
    inputs = {
        variable.name: _drawn(variable.type, BREAKING[key][variable.name], random)
        for variable in before.functions["main"].inputs
    }
    (true,) = run(after, inputs, exact=True).values()
    (wrong,) = run(before, inputs).values()
    (right,) = run(after, inputs).values()
    assert relative_to_largest(true, wrong.astype(np.float64)) > 4 * CLOSE, "nothing breaks on these inputs"
    assert relative_to_largest(true, right.astype(np.float64)) <= CLOSE


def _drawn(kind: Type, draw: Draw, random: np.random.Generator) -> Array:
    assert isinstance(kind, TensorType)
    return draw(random, static_shape(kind)).astype(numpy_type(kind.dtype))
