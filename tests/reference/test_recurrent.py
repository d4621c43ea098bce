"""Recurrent layers against the textbook, gate by gate and number by number."""

from __future__ import annotations

from math import exp, tanh
from typing import Final

import numpy as np
import pytest

from tests.reference.single import computed
from tests.reference.tensors import Array

RECURRENT: Final = {"rnn", "lstm"}
RANDOM: Final = np.random.default_rng(2)
STEPS, BATCH, INPUTS, HIDDEN = 4, 2, 3, 2


def normal(*shape: int) -> Array:
    return RANDOM.standard_normal(shape)


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def ordered(direction: str) -> list[int]:
    return list(range(STEPS)) if direction == "forward" else list(range(STEPS))[::-1]


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_a_simple_layer(direction: str) -> None:
    x, start, bias = normal(STEPS, BATCH, INPUTS), normal(BATCH, HIDDEN), normal(HIDDEN)
    into, back = normal(HIDDEN, INPUTS), normal(HIDDEN, HIDDEN)
    expected, hidden = np.zeros((STEPS, BATCH, HIDDEN)), start
    for step in ordered(direction):
        total = [[bias[h] + into[h] @ x[step, b] + back[h] @ hidden[b] for h in range(HIDDEN)] for b in range(BATCH)]
        hidden = expected[step] = np.tanh(total)
    parameters: dict[str, object] = {"initial_h": start, "weight_ih": into, "weight_hh": back, "bias": bias}
    sequence, last = computed("rnn", x=x, direction=direction, output_sequence=True, **parameters)
    np.testing.assert_allclose(sequence, expected)
    np.testing.assert_allclose(last, hidden)
    final, _ = computed("rnn", x=x, direction=direction, **parameters)
    np.testing.assert_allclose(final, hidden[None])


def one_direction(
    x: Array, weights: dict[str, Array], suffix: str, start: tuple[Array, Array], steps: list[int]
) -> Array:
    into, back = weights[f"weight_ih{suffix}"], weights[f"weight_hh{suffix}"]
    bias, peephole = weights[f"bias{suffix}"], weights[f"peephole{suffix}"]
    hidden, cell = start[0].copy(), start[1].copy()
    expected = np.zeros((STEPS, BATCH, HIDDEN))
    for step in steps:
        previous = hidden.copy()
        for b, h in np.ndindex(BATCH, HIDDEN):
            # Rows of the weights: input, forget, output and cell gate, each for every hidden unit.
            total = [
                bias[gate * HIDDEN + h] + into[gate * HIDDEN + h] @ x[step, b] + back[gate * HIDDEN + h] @ previous[b]
                for gate in range(4)
            ]
            old = cell[b, h]
            taken, kept = sigmoid(total[0] + peephole[h] * old), sigmoid(total[1] + peephole[HIDDEN + h] * old)
            cell[b, h] = kept * old + taken * tanh(total[3])
            hidden[b, h] = sigmoid(total[2] + peephole[2 * HIDDEN + h] * cell[b, h]) * tanh(cell[b, h])
        expected[step] = hidden
    return expected


def test_a_layer_with_gates_in_both_directions() -> None:
    x = normal(STEPS, BATCH, INPUTS)
    weights: dict[str, Array] = {}
    for suffix in ("", "_back"):
        weights[f"weight_ih{suffix}"] = normal(4 * HIDDEN, INPUTS)
        weights[f"weight_hh{suffix}"] = normal(4 * HIDDEN, HIDDEN)
        weights[f"bias{suffix}"], weights[f"peephole{suffix}"] = normal(4 * HIDDEN), normal(3 * HIDDEN)
    hidden, cell = normal(BATCH, 2 * HIDDEN), normal(BATCH, 2 * HIDDEN)
    forward = one_direction(x, weights, "", (hidden[:, :HIDDEN], cell[:, :HIDDEN]), ordered("forward"))
    back = one_direction(x, weights, "_back", (hidden[:, HIDDEN:], cell[:, HIDDEN:]), ordered("reverse"))
    both: dict[str, object] = {"initial_h": hidden, "initial_c": cell, "direction": "bidirectional", **weights}
    sequence, last, _ = computed("lstm", x=x, output_sequence=True, **both)
    np.testing.assert_allclose(sequence, np.concatenate([forward, back], -1))
    np.testing.assert_allclose(last, np.concatenate([forward[-1], back[0]], -1))
