"""Whole programs in the reference: rounding, blocks, states, constants, and what it refuses."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from anecheck.lint.rule import mil
from anecheck.mil.parser import parse
from tests.reference.interpreter import run
from tests.reference.tensors import Array, InterpreterError

IN_PROGRAMS: Final = {
    "cast",
    "cond",
    "constexpr_cast",
    "coreml_update_state",
    "read_state",
    "while_loop",
    "write_state",
}

HALF = np.float16


def outcome(body: str, inputs: str = "", **arrays: Array) -> Array:
    """The only output, `y`, of a function with the given inputs and body."""
    return run(parse(mil(f"func main<ios18>({inputs}) {{ {body} }} -> (y);")), arrays)["y"]


def test_every_result_is_rounded_to_its_type() -> None:
    body = "tensor<fp16, [1]> s = add(x = x, y = fp16(1)); tensor<fp16, [1]> y = sub(x = s, y = x);"
    x = np.array([2048], HALF)
    assert outcome(body, "tensor<fp16, [1]> x", x=x) == 0  # 2049 is no fp16 number
    program = parse(mil(f"func main<ios18>(tensor<fp16, [1]> x) {{ {body} }} -> (y);"))
    assert run(program, {"x": x}, exact=True)["y"] == 1
    large = outcome("tensor<fp16, [1]> y = mul(x = x, y = x);", "tensor<fp16, [1]> x", x=x)
    assert np.isinf(large)


def test_casts_truncate_and_test() -> None:
    x = np.array([-1.7, 0, 2.5], HALF)
    found = outcome('tensor<int32, [3]> y = cast(dtype = string("int32"), x = x);', "tensor<fp16, [3]> x", x=x)
    assert found.tolist() == [-1, 0, 2]
    found = outcome('tensor<bool, [3]> y = cast(dtype = string("bool"), x = x);', "tensor<fp16, [3]> x", x=x)
    assert found.tolist() == [True, False, True]


@pytest.mark.parametrize(("pred", "expected"), [(True, 6), (False, -3)])
def test_a_branch_sees_the_values_around_it(pred: bool, expected: float) -> None:
    body = """
        tensor<fp16, [1]> y = cond(pred = p) {
            block() { tensor<fp16, [1]> a = mul(x = x, y = fp16(2)); } -> (a);
            block() { tensor<fp16, [1]> b = sub(x = fp16(0), y = x); } -> (b);
        };
    """
    found = outcome(body, "tensor<bool, []> p, tensor<fp16, [1]> x", p=np.array(pred), x=np.array([3], HALF))
    assert found == expected


def test_a_loop_runs_while_its_condition_holds() -> None:
    body = """
        tensor<int32, []> i, tensor<fp16, [1]> y = while_loop(loop_vars = (int32(0), x)) {
            block(tensor<int32, []> n, tensor<fp16, [1]> v) { tensor<bool, []> c = less(x = n, y = int32(5)); } -> (c);
            block(tensor<int32, []> n, tensor<fp16, [1]> v) {
                tensor<int32, []> m = add(x = n, y = int32(1));
                tensor<fp16, [1]> w = mul(x = v, y = fp16(2));
            } -> (m, w);
        };
    """
    assert outcome(body, "tensor<fp16, [1]> x", x=np.array([3], HALF)) == 96


def test_states_outlive_a_run() -> None:
    body = """
        tensor<fp16, [2]> old = read_state(input = s);
        tensor<fp16, [2]> y = add(x = old, y = x);
        write_state(data = y, input = s);
    """
    inputs = "state<tensor<fp16, [2]>> s, tensor<fp16, [2]> x"
    buffer, x = np.zeros(2, HALF), np.array([1, 2], HALF)
    outcome(body, inputs, s=buffer, x=x)
    assert outcome(body, inputs, s=buffer, x=x).tolist() == [2, 4]
    assert buffer.tolist() == [2, 4]
    body = "tensor<fp16, [2]> y = coreml_update_state(state = s, value = x);"
    assert outcome(body, inputs, s=buffer, x=x).tolist() == buffer.tolist() == [1, 2]


def test_blobs_are_random_but_always_the_same() -> None:
    blob = 'const()[val = tensor<fp16, [3]>(BLOBFILE(path = string("@model_path/w.bin"), offset = uint64({})))];'
    first = outcome(f"tensor<fp16, [3]> y = {blob.format(64)}")
    assert first.tolist() == outcome(f"tensor<fp16, [3]> y = {blob.format(64)}").tolist()
    assert first.tolist() != outcome(f"tensor<fp16, [3]> y = {blob.format(128)}").tolist()


def test_weights_may_be_attributes() -> None:
    body = """
        tensor<fp16, [2]> y = constexpr_cast()[output_dtype = string("fp16"),
            source_val = tensor<fp32, [2]>([1, 2])];
    """
    assert outcome(body).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("tensor<fp16, [2]> y = custom_layer(x = x);", "does not know the operation custom_layer"),
        ("tensor<fp16, [3]> y = relu(x = x);", r"'y' is \[2\], declared as fp16\[3\]"),
        ("tensor<int32, [2]> y = relu(x = x);", "'y' is float64, declared as int32"),
        ("tensor<fp16, [2]> y = add(x = x, y = fp32(1));", "x is float16 and y is float32"),
        ("tensor<fp16, [1]> y = gather(axis = int32(0), indices = tensor<int32, [1]>([2]), x = x);", "reach outside 0 … 1"),
        ("tensor<fp16, [1]> y = gather(axis = int32(0), indices = tensor<int32, [1]>([-1]), x = x);", "reach outside"),
        ("tensor<fp16, [2]> y = softmax(axis = int32(1), x = x);", "axis = 1 is no axis of 1"),
        ('tensor<fp16, [2]> y = cast(dtype = string("fp32"), x = x);', "to fp32, declared as fp16"),
        ("tensor<fp16, [2]> y = relu(x = z);", "nothing is named z"),
        ("tensor<fp16, [2]> y = relu();", "x is missing"),
        ("tensor<fp16, [3]> y = const()[val = tensor<fp16, [2]>([1, 2])];", r"is fp16\[2\], declared as fp16\[3\]"),
        ("tensor<fp16, [4]> y = slice_by_size(begin = tensor<int32, [1]>([0]), size = tensor<int32, [1]>([4]), x = x);",
         "reaches outside"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(body: str, reason: str) -> None:
    with pytest.raises(InterpreterError, match=reason):
        outcome(body, "tensor<fp16, [2]> x", x=np.zeros(2, HALF))


def test_inputs_have_to_be_those_declared() -> None:
    program = parse(mil("func main<ios18>(tensor<fp16, [2]> x) { tensor<fp16, [2]> y = relu(x = x); } -> (y);"))
    with pytest.raises(InterpreterError, match="takes"):
        run(program, {})
    with pytest.raises(InterpreterError, match="declared as"):
        run(program, {"x": np.zeros(2, np.float32)})
    with pytest.raises(InterpreterError, match="declared as"):
        run(program, {"x": np.zeros(3, HALF)})
