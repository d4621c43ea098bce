"""What an app does around a redesigned model: which inputs it hands over, and how it gets the old results from the new.

Where an example of a rule moves work out of the model (`equal=False` with the reason "redesign"), before and after take or
give different things. An entry here says how they correspond, so that redesigns are executed like the other rewrites.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from anecheck.mil.program import Program
from tests.reference.tensors import Array, constant

Arrays: TypeAlias = "dict[str, Array]"


def _same(inputs: Arrays) -> Arrays:
    return inputs


def _results(outputs: list[Array]) -> list[Array]:
    return outputs


@dataclass(frozen=True, slots=True)
class App:
    """How a redesign is used.

    `given` makes random inputs of the old model ones that it accepts; `inputs` turns them into those of the new model, and
    `outputs` its results into those of the old one. `before` is passed where the app needs constants of the old model.
    """

    inputs: Callable[[Arrays], Arrays] = _same
    outputs: Callable[[list[Array]], list[Array]] = _results
    given: Callable[[Arrays], Arrays] = _same
    weights: Callable[[Program, Arrays], Arrays] | None = None

    def hand_over(self, before: Program, inputs: Arrays) -> Arrays:
        """The new model's inputs for those of the old one."""
        return self.weights(before, inputs) if self.weights else self.inputs(inputs)


def _halves(*names: str) -> Callable[[Arrays], Arrays]:
    """Hand integers over as fp16."""
    return lambda inputs: {name: array.astype(np.float16) if name in names else array for name, array in inputs.items()}


def _rows(before: Program, inputs: Arrays) -> Arrays:
    """The rows of the table that the old model held."""
    table = next(
        constant(operation.attributes["val"])
        for operation in before.functions["main"].block.operations
        if operation.type == "const" and operation.outputs[0].name == "table"
    )
    return {"rows": table[inputs["ids"]]}


def _mask_of_row(inputs: Arrays) -> Arrays:
    mask = np.zeros_like(inputs["x"])
    mask[inputs["position"][0, 0]] = 1
    return {"x": inputs["x"], "u": inputs["u"], "mask": mask}


def _with_end(inputs: Arrays) -> Arrays:
    begin = np.array([0, inputs["begin"][1] % 8, 0], dtype=np.int32)
    return {**inputs, "begin": begin, "end": begin + np.array(inputs["u"].shape, dtype=np.int32)}


def _mask_of_slice(inputs: Arrays) -> Arrays:
    mask = np.zeros_like(inputs["x"])
    mask[:, inputs["begin"][1] : inputs["end"][1]] = 1
    return {"x": inputs["x"], "u": inputs["u"], "mask": mask}


def _rows_from(inputs: Arrays) -> Arrays:
    return {**inputs, "begin": np.array([0, inputs["begin"][1] % 7, 0], dtype=np.int32)}


def _pick(inputs: Arrays) -> Arrays:
    pick = np.zeros((1, 2, 8), dtype=np.float16)
    pick[0, [0, 1], inputs["begin"][1] + np.arange(2)] = 1
    return {"x": inputs["x"], "pick": pick}


def _descending(scores: Array) -> Array:
    return np.argsort(-scores.astype(np.float64), axis=1, kind="stable")


def _best_ten(outputs: list[Array]) -> list[Array]:
    (scores,) = outputs
    positions = _descending(scores)[:, :10]
    return [np.take_along_axis(scores, positions, 1), positions.astype(np.int32)]


def _moderate(inputs: Arrays) -> Arrays:
    """Queries and keys whose scores stay near 1, and a mask that leaves every row a key.

    A softmax turns the absolute error of a score into the relative error of a probability, and fp16 rounds scores above 4
    by more than a thousandth: with those two spellings of attention differ by what each rounds.
    """
    found = {
        name: np.clip(array, -1, 1) if array.dtype.kind == "f" else array
        for name, array in inputs.items()
        if name != "m"
    }
    if "m" in inputs:
        kept = (inputs["m"] > 0) | (np.eye(*inputs["m"].shape[-2:]) > 0)
        found["m"] = np.where(kept, 0, -10_000).astype(inputs["m"].dtype)
    return found


def _whole_positions(inputs: Arrays) -> Arrays:
    return {**inputs, "positions": np.abs(inputs["positions"]).round() % 8}


def _rotations(inputs: Arrays) -> Arrays:
    angles = inputs["positions"].astype(np.float64) * 4.0 ** -np.arange(4)
    return {"q": inputs["q"], "c": np.cos(angles).astype(np.float16), "s": np.sin(angles).astype(np.float16)}


def _of_size(*shape: int) -> Callable[[Arrays], Arrays]:
    """Fix the open sizes of every input."""
    return lambda inputs: {name: np.resize(array, shape) for name, array in inputs.items()}


def _one_state(inputs: Arrays) -> Arrays:
    return {"x": inputs["x"], "memory": np.concatenate([inputs[name] for name in ("a", "b", "c")], axis=1)}


def _wide_state(inputs: Arrays) -> Arrays:
    return {**inputs, "cache": np.pad(inputs["cache"], [(0, 0), (0, 0), (0, 0), (0, 16)])}


def _oldest_first(inputs: Arrays) -> Arrays:
    slot = np.zeros((1, 16, 1), dtype=np.float16)
    slot[0, 0] = 1
    return {**inputs, "slot": slot}


def _within(largest: float) -> Callable[[Arrays], Arrays]:
    """Keep to numbers that the old model does not overflow on: there it is wrong, and nothing should equal it."""
    return lambda inputs: {
        name: np.clip(array, -largest, largest) if array.dtype.kind == "f" else array for name, array in inputs.items()
    }


def _normal(inputs: Arrays) -> Arrays:
    """Zero in place of numbers that are, or become in either model, too small for all of their bits."""
    return {name: np.where(np.abs(array) < 2.0**-10, 0, array).astype(array.dtype) for name, array in inputs.items()}


def _one_visible(inputs: Arrays) -> Arrays:
    """A mask that leaves something of every row: the old model gives NaN for the others."""
    mask = inputs["m"].copy()
    mask[..., 0] = 1
    return {**inputs, "m": mask}


APPS: Final[Mapping[tuple[str, int], App]] = {
    ("ANE102", 1): App(_halves("a", "b"), lambda outputs: [outputs[0].astype(np.int32)]),
    ("ANE103", 1): App(_halves("a")),
    ("ANE107", 1): App(weights=_rows),
    ("ANE108", 1): App(_halves("positions")),
    ("ANE109", 2): App(_mask_of_row),
    ("ANE112", 2): App(outputs=_best_ten),
    ("ANE113", 1): App(outputs=lambda outputs: [np.argmax(outputs[0], axis=1).astype(np.int32)]),
    ("ANE114", 1): App(outputs=lambda outputs: [_descending(outputs[0]).astype(np.int32)]),
    ("ANE116", 1): App(
        lambda inputs: {"x": inputs["x"].reshape(1, 1, 240, 1000)},
        lambda outputs: [outputs[0].reshape(1, 1, 1, -1)],
    ),
    ("ANE124", 1): App(_pick, given=_rows_from),
    ("ANE124", 2): App(_mask_of_slice, given=_with_end),
    ("ANE241", 1): App(given=_moderate),
    ("ANE241", 2): App(given=_moderate),
    ("ANE241", 3): App(given=_moderate),
    ("ANE243", 2): App(given=_moderate),
    ("ANE251", 1): App(lambda inputs: {"x": inputs["x"]}),
    ("ANE253", 1): App(_rotations, given=_whole_positions),
    ("ANE701", 1): App(given=_of_size(1, 3, 32, 32)),
    ("ANE702", 1): App(given=_of_size(1, 64, 136)),
    ("ANE703", 1): App(given=_of_size(1, 64, 128)),
    ("ANE704", 1): App(given=_of_size(4, 64)),
    ("ANE705", 1): App(given=_of_size(1, 3, 32, 32)),
    ("ANE706", 1): App(given=_of_size(1, 3, 32, 32)),
    ("ANE709", 1): App(_one_state),
    ("ANE710", 1): App(_wide_state),
    ("ANE712", 1): App(_oldest_first),
    ("ANE502", 1): App(given=_within(5)),
    ("ANE502", 2): App(given=_within(5)),
    ("ANE504", 1): App(given=_within(3)),
    ("ANE504", 2): App(given=_within(8)),
    ("ANE505", 2): App(given=_one_visible),
    ("ANE507", 1): App(given=_normal),
    ("ANE510", 1): App(given=_normal),
}
"""The apps of redesigned examples, and of those that are wrong for some inputs, by the rule's code and the example's number."""
