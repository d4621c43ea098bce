"""Branches, loops and states."""

from __future__ import annotations

from typing import Final

from tests.reference.table import Call, operation
from tests.reference.tensors import Array

MOST_ROUNDS: Final = 10_000


@operation("cond")
def cond(call: Call) -> tuple[Array, ...]:
    return call.run_block(0 if call.tensor("pred") else 1, ())


@operation("while_loop")
def while_loop(call: Call) -> tuple[Array, ...]:
    variables = tuple(call.unwidened("loop_vars"))
    for _ in range(MOST_ROUNDS):
        (more,) = call.run_block(0, variables)
        if not more:
            return variables
        variables = call.run_block(1, variables)
    raise call.fail(f"did not end within {MOST_ROUNDS} rounds")


@operation("read_state")
def read_state(call: Call) -> Array:
    buffer: Array = call.state("input").buffer.copy()
    return buffer


@operation("write_state")
def write_state(call: Call) -> tuple[Array, ...]:
    call.state("input").buffer[...] = call.tensor("data")
    return ()


@operation("coreml_update_state")
def coreml_update_state(call: Call) -> Array:
    state = call.state("state")
    state.buffer[...] = call.tensor("value")
    buffer: Array = state.buffer.copy()
    return buffer
