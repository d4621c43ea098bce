"""What is said of texts that are no MIL: where it goes wrong, what was expected, and what was found."""

from __future__ import annotations

import pytest

from anecheck.mil.parser import parse
from anecheck.mil.scanner import MAXIMUM_DEPTH, MilSyntaxError

HEADER = "program(1.0)\n{\n    func main<ios17>(fp16 x) {\n        "
END = "\n    } -> (x);\n}\n"


def error(text: str) -> MilSyntaxError:
    with pytest.raises(MilSyntaxError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: expected 'program', found the end of the text"),
        ("// nothing\n\n", "line 3, column 1: expected 'program', found the end of the text"),
        ("model(1.0)", "line 1, column 1: expected 'program', found 'model'"),
        ("program(x) { }", "line 1, column 9: expected a version such as 1.0, found 'x'"),
        ("program(1.0)\n#", "line 2, column 1: expected a token of MIL text, found '#'"),
        ("// program(1.0) { }\n  ~~~ and more", "line 2, column 3: expected a token of MIL text, found '~~~ and more'"),
        ("program(1.0) { } program", "line 1, column 18: expected the end of the text, found 'program'"),
        ("program(1.0) {", "line 1, column 15: expected 'func', found the end of the text"),
        ("program(1.0)\n{\n\tfunk main", "line 3, column 2: expected 'func', found 'funk'"),
        ("func main<ios17>() { } -> (); end it", "line 1, column 31: expected the end of the text, found 'end'"),
        ("func main<ios17>() { } -> ()", "line 1, column 29: expected ';', found the end of the text"),
        ("func main() { } -> ();", "line 1, column 10: expected '<', found '('"),
        ('func "main"', "line 1, column 6: expected the name of a function, found '\"main\"'"),
        ("func main<17>", "line 1, column 11: expected an opset such as ios17, found '17'"),
        ("func main<ios17>(fp16 x,)", "line 1, column 25: expected a type, found ')'"),
        ("func main<ios17>(fp16 x y)", "line 1, column 25: expected ')', found 'y'"),
        ("func main<ios17>() { } -> (1);", "line 1, column 28: expected the name of an output, found '1'"),
    ],
)
def test_programs_and_functions(text: str, message: str) -> None:
    assert str(error(text)) == message


@pytest.mark.parametrize(
    ("statement", "column", "message"),
    [
        ("fp16 y = relu(x = x)", 5, "expected ';', found '}'"),
        ("fp16 y relu(x = x);", 16, "expected '=', found 'relu'"),
        ("fp16 y = = relu();", 18, "expected the type of an operation, found '='"),
        ("fp16 y = relu(x = );", 27, "expected a name or a value, found ')'"),
        ("fp16 y = relu(x = (x, ));", 31, "expected a name or a value, found ')'"),
        ("fp16 y = relu(x);", 24, "expected '=', found ')'"),
        ("fp16 y = relu(1 = x);", 23, "expected the name of a parameter, found '1'"),
        ("fp16 = relu();", 14, "expected the name of a value, found '='"),
        ("relu(x = x)[name];", 25, "expected '=', found ']'"),
        ("relu(x = x)[= 1];", 21, "expected the name of an attribute, found '='"),
        ("relu(x = x)[name = x];", 29, "expected '(', found ']'"),
        ("cond(pred = x) { -> };", 26, "expected 'block', found '->'"),
        ("cond(pred = x) { block() { } };", 38, "expected '->', found '}'"),
        ("tensor<fp16, [1, -1]> y = relu();", 26, "expected a dimension: a number, ? or ..., found '-1'"),
        ("tensor<fp16, [1.5]> y = relu();", 23, "expected a dimension: a number, ? or ..., found '1.5'"),
        ("tensor<fp16, 1> y = relu();", 22, "expected '[', found '1'"),
        ("tensor<fp16> y = relu();", 20, "expected ',', found '>'"),
    ],
)
def test_statements_and_types(statement: str, column: int, message: str) -> None:
    line = 5 if message.endswith("'}'") and ";" not in statement else 4
    failure = error(HEADER + statement + END)
    assert (failure.line, failure.column) == (line, column)
    assert str(failure) == f"line {line}, column {column}: {message}"


@pytest.mark.parametrize(
    ("literal", "column", "message"),
    [
        ("fp16(x)", 6, "expected an element of the tensor's type, found 'x'"),
        ('fp16("1")', 6, "expected an element of the tensor's type, found '\"1\"'"),
        ("fp16(0x1p99999)", 6, "expected an element of the tensor's type, found '0x1p99999'"),
        ("fp16(1, 2)", 7, "expected ')', found ','"),
        ("int32(1.5)", 7, "expected an element of the tensor's type, found '1.5'"),
        ("int32(010)", 7, "expected an element of the tensor's type, found '010'"),
        ("uint4(16)", 9, "expected elements of uint4 (uint4 holds integers from 0 to 15), found ')'"),
        ("fp16(1e6)", 9, "expected elements of fp16 (float too large to pack with e format (fp16)), found ')'"),
        ("bool(1)", 6, "expected an element of the tensor's type, found '1'"),
        ("string(a)", 8, "expected an element of the tensor's type, found 'a'"),
        ('string("\\q")', 8, "expected an element of the tensor's type, found '\"\\\\q\"'"),
        ('string("\\ud800")', 8, "expected an element of the tensor's type, found '\"\\\\ud800\"'"),
        ("complex(1)", 10, "expected elements of complex (complex has no packed form), found ')'"),
        ("tensor<fp16, [2]>([1, 2)", 24, "expected ']', found ')'"),
        ("list<fp16, 1>(1)", 15, "expected '[', found '1'"),
        ("dict<string, fp16>({1, 2})", 21, "expected '{', found '1'"),
        (
            "dict<string>({})",
            13,
            "expected tensor<…>, list<…>, tuple<…>, dict<…> or state<…> with its elements, found '('",
        ),
        ("tuple<fp16>((1, 2))", 17, "expected '(', found '2'"),
        ("state<fp16>(1)", 13, "expected a value; states have none, found '1'"),
        ('fp16(BLOBFILE(path = string("w")))', 34, "expected BLOBFILE(path = string, offset = uint64), found ')'"),
        (
            'fp16(BLOBFILE(path = string("w"), offset = int64(-5)))',
            54,
            "expected BLOBFILE(path = string, offset = uint64), found ')'",
        ),
        ("fp16(1", 7, "expected ')', found ']'"),
    ],
)
def test_values(literal: str, column: int, message: str) -> None:
    prefix = "func f<ios18>() { relu()[val ="
    failure = error(f"{prefix}\n{literal}];")
    assert str(failure) == f"line 2, column {column}: {message}"


def test_integers_beyond_their_type_are_told_its_bounds() -> None:
    for literal in ("int8(128)", "tensor<int8, [2]>([0, -129])"):
        assert "elements of int8 (" in str(error(f"func f<ios18>() {{ relu()[val = {literal}]; }} -> ();"))
        assert "-128 <= number <= 127" in str(error(f"func f<ios18>() {{ relu()[val = {literal}]; }} -> ();"))


def test_unterminated_strings_and_names_are_shown_from_their_beginning() -> None:
    assert str(error('func f<ios18>() { relu()[val = string("never ended\n')) == (
        "line 1, column 39: expected a token of MIL text, found '\"never ended'"
    )
    assert str(error("func `never ended")) == "line 1, column 6: expected a token of MIL text, found '`never ended'"


def test_names_are_text_that_can_be_written() -> None:
    assert str(error("func `\\ud800`<ios17>")) == (
        "line 1, column 6: expected a string with JSON escapes, found '`\\\\ud800`'"
    )


def test_long_tokens_are_cut_in_messages() -> None:
    assert str(error("a" * 1000)) == f"line 1, column 1: expected 'program', found '{'a' * 40}'"


def test_dimensions_fit_64_bits() -> None:
    assert parse(f"func f<ios18>(tensor<fp16, [{2**64 - 1}]> x) {{ }} -> ();")
    assert error(f"func f<ios18>(tensor<fp16, [{'9' * 5000}]> x) {{ }} -> ();").column == 29


@pytest.mark.parametrize("space", [" " * 5000, "\n" * 5000, "//\n" * 5000, " // x\n" * 5000])
def test_long_space_before_an_error_takes_no_longer_than_other_text(space: str) -> None:
    # A scanner that tries every way to divide the space would never come to an end.
    failure = error(f"program(1.0){space}#")
    assert failure.line == space.count("\n") + 1
    assert str(failure).endswith("expected a token of MIL text, found '#'")


def test_types_values_and_blocks_nest_up_to_a_limit() -> None:
    def types(levels: int) -> str:
        return f"func f<ios18>({'list<' * (levels - 1)}fp16{', 1>' * (levels - 1)} x) {{ }} -> ();"

    def values(levels: int) -> str:
        brackets = levels - 1  # the literal itself is the first level
        return f"func f<ios18>() {{ relu()[val = fp16({'[' * brackets}1{']' * brackets})]; }} -> ();"

    def blocks(levels: int) -> str:
        return f"func f<ios18>() {{ {'cond() { block() { ' * levels}{'} -> (); }; ' * levels}}} -> ();"

    for make in (types, values, blocks):
        assert parse(make(MAXIMUM_DEPTH)).functions["f"]
        assert f"expected nesting of at most {MAXIMUM_DEPTH} levels" in str(error(make(MAXIMUM_DEPTH + 1)))
        assert "nesting" in str(error(make(100_000)))


def test_every_beginning_of_a_text_is_an_error_and_nothing_worse() -> None:
    whole = HEADER + 'fp16 y = conv(x = x, w = `a b`)[v = list<fp16, 1>([fp16(0x1p-3)]), s = string("é")];' + END
    assert parse(whole)
    for length in range(len(whole.rstrip())):
        assert error(whole[:length]).line <= whole.count("\n")
