"""Inputs to run programs on: random, plain and extreme."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from anecheck.mil.program import Function, Program, walk
from anecheck.mil.types import StateType, TensorType
from tests.reference.app import Arrays
from tests.reference.interpreter import run
from tests.reference.operations.activations import PLAIN as ACTIVATIONS
from tests.reference.operations.elementwise import BINARY, UNARY
from tests.reference.tensors import Array, InterpreterError, numpy_type

SEEDS: Final = 3
"""How many random inputs of each kind there are."""

UNKNOWN_SIZE: Final = 3
"""What a dimension has that the program leaves open."""

AMPLITUDES: Final = (60_000.0, 6_000.0, 600.0, 60.0)
"""The largest magnitudes tried; fp16 ends at 65,504."""

MOST_INTEGER: Final = 1000
"""The bound of integers that index nothing; sums of two are exact in fp16."""

ELEMENTWISE: Final = frozenset({*UNARY, *BINARY, *ACTIVATIONS, "real_div", "cast"})
"""Operations whose every result depends on one element of each operand."""

_HALVES: Final = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
_EVERY_NUMBER: Final = _HALVES[np.isfinite(_HALVES)].astype(np.float64)

Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]

RANDOM: Final[dict[str, Draw]] = {
    "normal": lambda random, shape: random.standard_normal(shape),
    "small integers": lambda random, shape: random.integers(-8, 9, shape).astype(np.float64),
    "all magnitudes": lambda random, shape: random.choice([-1, 1], shape) * 10.0 ** random.uniform(-5, 1.5, shape),
}

PLAIN: Final[dict[str, Draw]] = {
    "zeros": lambda _, shape: np.zeros(shape),
    "ones": lambda _, shape: np.ones(shape),
    "negative ones": lambda _, shape: -np.ones(shape),
    "subnormal": lambda _, shape: (np.arange(np.prod(shape)).reshape(shape) % 7 - 3) * 2.0**-24,
    "ramp": lambda _, shape: np.linspace(-6, 6, int(np.prod(shape))).reshape(shape),
}


def feeds(program: Program, given: Callable[[Arrays], Arrays] = lambda inputs: inputs) -> Iterator[tuple[str, Arrays]]:
    """Every input to try, with what kind it is; `given` adapts random integers to what the program accepts."""
    function = program.functions["main"]
    bound = _integer_bound(program, given)
    for kind, draw in RANDOM.items():
        for seed in range(SEEDS):
            yield f"{kind}, seed {seed}", given(_drawn(function, draw, seed, bound))
    for kind, draw in PLAIN.items():
        yield kind, given(_drawn(function, draw, SEEDS, bound))
    kinds = {operation.type for operation in walk(function.block)} - {"const"}
    if kinds <= ELEMENTWISE:
        inputs = given(_drawn(function, _every_number, SEEDS, bound))
        if max(array.size for array in inputs.values()) >= _EVERY_NUMBER.size:
            yield "every number of fp16", inputs
    for amplitude in AMPLITUDES:
        inputs = given(_drawn(function, _uniform(amplitude), SEEDS + 1, bound))
        if not _overflows(program, inputs):
            yield f"up to {amplitude:,.0f}", inputs
            return


def _every_number(_: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.resize(_EVERY_NUMBER, shape)


def _uniform(amplitude: float) -> Draw:
    return lambda random, shape: random.uniform(-amplitude, amplitude, shape)


def _drawn(function: Function, draw: Draw, seed: int, bound: int) -> Arrays:
    random = np.random.default_rng(seed)
    inputs: Arrays = {}
    for variable in function.inputs:
        kind = variable.type.wrapped if isinstance(variable.type, StateType) else variable.type
        if not isinstance(kind, TensorType):
            raise InterpreterError(f"the input {variable.name} is no tensor but {kind}")
        shape = tuple(UNKNOWN_SIZE if size is None else size for size in kind.shape)
        target = numpy_type(kind.dtype)
        values = draw(random, shape) if target.kind == "f" else random.integers(0, bound, shape)
        inputs[variable.name] = np.asarray(values > 0 if target.kind == "b" else values).astype(target)
    return inputs


def _integer_bound(program: Program, given: Callable[[Arrays], Arrays]) -> int:
    """The most that integer inputs may stay below so that none points outside of what it indexes."""
    function = program.functions["main"]
    kinds = [variable.type for operation in walk(function.block) for variable in operation.outputs]
    kinds += [variable.type for variable in function.inputs]
    sizes = {size for kind in kinds if isinstance(kind, TensorType) for size in kind.shape if size is not None}
    for bound in [MOST_INTEGER, *sorted((size for size in sizes if 1 < size < MOST_INTEGER), reverse=True)]:
        inputs = _drawn(function, RANDOM["normal"], 0, 1)
        full = {name: array + (bound - 1 if array.dtype.kind in "iu" else 0) for name, array in inputs.items()}
        try:
            run(program, given({name: array.astype(inputs[name].dtype) for name, array in full.items()}))
        except InterpreterError:
            continue
        return bound
    return 1


def _overflows(program: Program, inputs: Arrays) -> bool:
    """Whether anything that the function's own block computes is infinite or no number."""
    function = program.functions["main"]
    names = tuple(variable.name for operation in function.block.operations for variable in operation.outputs)
    watched = replace(function, block=replace(function.block, outputs=names))
    results = run(Program({"main": watched}), inputs).values()
    return any(not np.all(np.isfinite(array)) for array in results if array.dtype.kind == "f")
