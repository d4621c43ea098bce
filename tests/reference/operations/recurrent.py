"""Recurrent layers. `gru` is missing: its documentation leaves open where the reset gate applies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from tests.reference.operations.activations import sigmoid
from tests.reference.table import Call, operation
from tests.reference.tensors import Array

ACTIVATIONS: Final[dict[str, Callable[[Array], Array]]] = {
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "sigmoid_hard": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "scaled_tanh": lambda x: 1.7159 * np.tanh(2 / 3 * x),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
}


def _steps(x: Array, direction: str) -> range:
    return range(len(x) - 1, -1, -1) if direction == "reverse" else range(len(x))


@operation("rnn")
def rnn(call: Call) -> tuple[Array, ...]:
    x, hidden = call.pair("x", "initial_h")
    _, weight_in = call.pair("x", "weight_ih")
    weight_back, bias = call.tensor("weight_hh"), call.optional("bias")
    activation = ACTIVATIONS[call.text("activation", "tanh")]
    sequence = np.zeros((len(x), *hidden.shape))
    for step in _steps(x, call.text("direction", "forward")):
        total = x[step] @ weight_in.T + hidden @ weight_back.T
        hidden = np.asarray(activation(total if bias is None else total + bias))
        sequence[step] = hidden
    return (sequence if call.flag("output_sequence") else hidden[None]), hidden


@operation("lstm")
def lstm(call: Call) -> tuple[Array, ...]:
    if call.has("clip"):
        raise call.fail("the reference does not know what clip clips")
    x, hidden = call.pair("x", "initial_h")
    cell, direction = call.tensor("initial_c"), call.text("direction", "forward")
    if direction != "bidirectional":
        sequence, hidden, cell = _lstm(call, x, hidden, cell, direction, "")
    else:
        size = hidden.shape[1] // 2
        forward = _lstm(call, x, hidden[:, :size], cell[:, :size], "forward", "")
        backward = _lstm(call, x, hidden[:, size:], cell[:, size:], "reverse", "_back")
        sequence, hidden, cell = (np.concatenate(pair, -1) for pair in zip(forward, backward, strict=True))
    return (sequence if call.flag("output_sequence") else hidden[None]), hidden, cell


def _lstm(call: Call, x: Array, hidden: Array, cell: Array, direction: str, suffix: str) -> tuple[Array, Array, Array]:
    """One direction; the weights have their gates in the order input, forget, output, cell."""
    weight_in, weight_back = call.tensor("weight_ih" + suffix), call.tensor("weight_hh" + suffix)
    size = hidden.shape[1]
    bias, peephole = call.optional("bias" + suffix), call.optional("peephole" + suffix)
    bias = np.zeros(4 * size) if bias is None else bias
    seen_in, seen_forget, seen_out = np.split(np.zeros(3 * size) if peephole is None else peephole, 3)
    gate = ACTIVATIONS[call.text("recurrent_activation", "sigmoid")]
    of_cell = ACTIVATIONS[call.text("cell_activation", "tanh")]
    of_output = ACTIVATIONS[call.text("activation", "tanh")]
    sequence = np.zeros((len(x), *hidden.shape))
    for step in _steps(x, direction):
        total = x[step] @ weight_in.T + hidden @ weight_back.T + bias
        into, forget, out, fresh = np.split(total, 4, axis=1)
        before = cell
        cell = gate(forget + seen_forget * before) * before + gate(into + seen_in * before) * of_cell(fresh)
        hidden = np.asarray(gate(out + seen_out * cell) * of_output(cell))
        sequence[step] = hidden
    return sequence, hidden, cell
