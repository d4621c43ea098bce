"""One operation on its own: as the reference computes it, and as coremltools folds it into a constant."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import numpy as np

import tests.reference.operations  # noqa: F401  # fills the table
from anecheck.mil.program import Operation
from tests.reference.table import TABLE, Call
from tests.reference.tensors import Array

NEWEST: Final = "CoreML8"


def computed(kind: str, **parameters: object) -> list[Array]:
    """The results of an operation, before any rounding.

    Tuples are several operands of a variadic parameter; `opset` is the operation set, by default the newest.
    """
    opset = str(parameters.pop("opset", NEWEST))
    bound = {
        name: tuple(_array(value) for value in (given if isinstance(given, tuple) else (given,)))
        for name, given in parameters.items()
    }

    def no_block(number: int, arguments: Sequence[Array]) -> tuple[Array, ...]:
        raise AssertionError(f"{kind} has no block {number} to take {len(arguments)}")

    with np.errstate(all="ignore"):
        results = TABLE[kind](Call(Operation(kind, {}, ()), opset, bound, no_block))
    return [np.asarray(result) for result in (results if isinstance(results, tuple) else (results,))]


def _array(value: object) -> Array:
    return np.array(value, dtype=object) if isinstance(value, str) else np.asarray(value)


@cache
def _coremltools() -> Any:  # noqa: ANN401  # coremltools has no types
    """The package, imported once and told to keep quiet."""
    logging.getLogger("coremltools").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import coremltools  # noqa: PLC0415
    return coremltools


def folded(kind: str, **parameters: object) -> list[Array]:
    """The results that coremltools infers for an operation whose operands are all constant; `opset` as in `computed`."""
    opset = str(parameters.pop("opset", NEWEST))
    coremltools = _coremltools()
    builder = coremltools.converters.mil.Builder
    release = {"CoreML5": "iOS15", "CoreML6": "iOS16", "CoreML7": "iOS17", "CoreML8": "iOS18"}[opset]
    results: list[Array] = []
    copies = {name: given.copy() if isinstance(given, np.ndarray) else given for name, given in parameters.items()}

    def body(x: object) -> object:
        made = getattr(builder, kind)(**copies)  # some write into their operand
        for variable in made if isinstance(made, list | tuple) else (made,):
            assert variable.val is not None, f"coremltools infers no value of {kind}"
            results.append(np.asarray(variable.val))
        return builder.identity(x=x)

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        spec = builder.TensorSpec(shape=(1,))
        builder.program(input_specs=[spec], opset_version=getattr(coremltools.target, release))(body)
    return results
