"""What is computed twice, for nothing, or of nothing."""

from __future__ import annotations

import pytest

from tests.rules.patterns.findings import function, messages

T = "tensor<fp16, [1, 8]>"
X = f"{T} x"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param(f"{T} a = exp(x = x); {T} b = exp(x = x);", ["b"], id="the same twice"),
        pytest.param(f"{T} a = mul(x = x, y = fp16(2)); {T} b = mul(x = x, y = fp16(2));", ["b"], id="equal constants"),
        pytest.param(f"{T} a = mul(x = x, y = fp16(2)); {T} b = mul(x = x, y = fp16(3));", [], id="other constants"),
        pytest.param(f"{T} a = mul(x = x, y = fp16(2)); {T} b = add(x = x, y = fp16(2));", [], id="other operations"),
        pytest.param(f"{T} a = identity(x = x); {T} b = identity(x = x);", [], id="nothing to save"),
        pytest.param(
            f"tensor<int32, [2]> s = shape(x = x); tensor<int32, [2]> t = shape(x = x); {T} a = exp(x = x); {T} b = abs(x = x);",
            [],
            id="numbers for shapes",
        ),
        pytest.param(
            f"{T} p = random_normal(shape = tensor<int32, [2]>([1, 8])); {T} a = add(x = x, y = p);"
            f"{T} q = random_normal(shape = tensor<int32, [2]>([1, 8])); {T} b = add(x = x, y = q);",
            [],
            id="random numbers",
        ),
    ],
)
def test_repetitions(body: str, found: list[str]) -> None:
    assert list(messages("ANE248", function(X, body, "a, b"))) == found


def test_a_repeated_chain_is_one_finding_with_its_length_and_count() -> None:
    copies = "".join(
        f"{T} e{i} = exp(x = x); {T} f{i} = tanh(x = e{i}); {T} y{i} = mul(x = f{i}, y = fp16({i}));" for i in (2, 3, 4)
    )
    assert messages("ANE248", function(X, copies, "y2, y3, y4")) == {
        "f3": "info: 2 operations that give fp16[1, 8] from the same values, done 3 times; 'f2' has it"
    }


def test_a_state_is_read_anew_after_each_write() -> None:
    body = f"""
        {T} a = read_state(input = s);
        {T} b = add(x = a, y = x);
        write_state(data = b, input = s);
        {T} c = read_state(input = s);
        {T} y = add(x = c, y = x);
    """
    program = function(f"{X}, state<{T}> s", body)
    for code in ("ANE248", "ANE250", "ANE251"):
        assert messages(code, program) == {}


CONST = "tensor<fp16, [2, 2]> c = const()[val = tensor<fp16, [2, 2]>([[1, 2], [3, 4]])];"
SQUARE = "tensor<fp16, [2, 2]> x"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(
            "tensor<fp16, [2, 2]> d = exp(x = c); tensor<fp16, [2, 2]> y = add(x = x, y = d);",
            "info: 1 operation on constants alone makes fp16[2, 2], the same at every prediction",
            id="one operation",
        ),
        pytest.param(
            "tensor<fp16, [2, 2]> d = exp(x = c); tensor<fp16, [2, 2]> e = tanh(x = d);"
            "tensor<fp16, [2, 2]> f = add(x = x, y = d); tensor<fp16, [2, 2]> y = add(x = f, y = e);",
            "info: 2 operations on constants alone make fp16[2, 2] and another result, the same at every prediction",
            id="two results",
        ),
        pytest.param("tensor<fp16, [2, 2]> y = add(x = x, y = c);", "", id="a constant operand"),
        pytest.param(
            "tensor<int32, [2]> d = add(x = tensor<int32, [2]>([1, 1]), y = int32(1));"
            "tensor<fp16, [2, 2]> y = reshape(shape = d, x = x);",
            "",
            id="numbers for a shape",
        ),
        pytest.param(
            "tensor<fp16, [2, 2]> r = random_normal(shape = tensor<int32, [2]>([2, 2]));"
            "tensor<fp16, [2, 2]> y = add(x = x, y = r);",
            "",
            id="random numbers",
        ),
    ],
)
def test_constants_alone(body: str, said: str) -> None:
    assert list(messages("ANE249", function(SQUARE, CONST + body)).values()) == ([said] if said else [])


def test_compressed_weights_that_are_only_expanded_are_no_computation() -> None:
    body = """
        tensor<fp16, [2, 2]> w = constexpr_blockwise_shift_scale(data = tensor<int8, [2, 2]>([[1, 2], [3, 4]]),
            scale = tensor<fp16, [2, 1]>([[1], [2]]));
        tensor<fp16, [2, 2]> y = matmul(x = x, y = w);
    """
    assert messages("ANE249", function(SQUARE, body)) == {}


def test_operations_that_nobody_reads_are_counted_once() -> None:
    program = function(X, f"{T} y = exp(x = x); {T} a = tanh(x = y); {T} b = abs(x = a); {T} c = relu(x = x);")
    assert messages("ANE250", program) == {"b": "info: 3 operations compute what no output depends on: 'b', 'c'"}


def test_one_unread_result_of_several_is_not_dead() -> None:
    half = "tensor<fp16, [1, 4]>"
    program = function(X, f"{half} y, {half} other = split(axis = int32(1), num_splits = int32(2), x = x);")
    assert messages("ANE250", program) == {}


def test_what_a_nested_block_uses_is_alive() -> None:
    body = f"""
        {T} a = exp(x = x);
        {T} y = cond(pred = p) {{
            block() {{
                {T} t = tanh(x = a);
            }} -> (t);
            block() {{ }} -> (u);
        }};
    """
    program = function(f"{X}, {T} u, tensor<bool, []> p", body)
    for code in ("ANE250", "ANE251"):
        assert messages(code, program) == {}


@pytest.mark.parametrize(
    ("body", "speaks"),
    [
        pytest.param(f"{T} y = exp(x = x);", True, id="nobody takes it"),
        pytest.param(f"{T} y = exp(x = x); {T} u_tmp = identity(x = u);", True, id="only the identity of a converter"),
        pytest.param(f"{T} y = exp(x = x); {T} z = tanh(x = u);", True, id="only what is dead"),
        pytest.param(f"{T} y = add(x = x, y = u);", False, id="used"),
    ],
)
def test_inputs_that_change_nothing(body: str, speaks: bool) -> None:
    said = {"": "info: no output depends on input 'u'"} if speaks else {}
    assert messages("ANE251", function(f"{X}, {T} u", body)) == said


def test_an_output_that_is_an_input_speaks_for_the_unused_ones() -> None:
    program = function(f"{X}, {T} u", f"{T} y = exp(x = x); {T} u_tmp = identity(x = u);", "y, x")
    assert messages("ANE251", program) == {}
    assert messages("ANE252", program) == {
        "": "warning: output 'x' is the input 'x', unchanged; no output depends on 'u'"
    }


def test_an_identity_says_that_an_input_is_returned_on_purpose() -> None:
    assert messages("ANE252", function(X, f"{T} y = identity(x = x);")) == {}
