"""Programs for the tests of this folder: a small one of each spelling, and strategies that build any."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from anecheck.mil.program import Argument, Block, Function, Operation, Program, Variable
from anecheck.mil.types import BITS, VARIADIC, DictType, ListType, StateType, TensorType, TupleType, Type
from anecheck.mil.values import BlobValue, DictValue, ListValue, TensorValue, TupleValue, Value, pack

STRING = TensorType("string", ())
FLOAT_WIDTHS: dict[str, Any] = {"fp16": 16, "fp32": 32, "fp64": 64}
STRANGE_NAMES = (
    *("tensor", "list", "state", "fp16", "string", "bool", "block", "func", "program", "const", "BLOBFILE"),
    *(
        "inf",
        "nan",
        "true",
        "_",
        "a.b/c@d$e",
        "ios17",
        "end",
        "",
        " ",
        "`",
        '"',
        "\\",
        "\\u0041",
        "//",
        "}",
        "a b",
        "\n",
    ),
    *("\x00", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u202e", "naïve", "日本語", "🦊", "1st", "-1", "?", "..."),
)


def text(value: str) -> TensorValue:
    """A string, as it stands in an attribute."""
    return TensorValue(STRING, (value,))


def number(dtype: str, value: float) -> TensorValue:
    """A scalar of a type."""
    return TensorValue(TensorType(dtype, ()), pack(dtype, (value,)))


def operation(kind: str, output: Variable, **inputs: Argument) -> Operation:
    """An operation with one output, after which it is called."""
    return Operation(kind, {key: (value,) for key, value in inputs.items()}, (output,), (), {"name": text(output.name)})


def constant(output: Variable, value: Value) -> Operation:
    """A `const` operation."""
    return Operation("const", {}, (output,), (), {"name": text(output.name), "val": value})


# Strategies

names = st.one_of(
    st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True),
    st.sampled_from(STRANGE_NAMES),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
opsets = st.one_of(
    st.integers(0, 999).map(lambda number: f"CoreML{number}"), st.sampled_from(("", "CoreML", "Core ML>"))
)
dimensions = st.one_of(st.integers(0, 4), st.integers(0, 2**64 - 1), st.none(), st.just(VARIADIC))
tensor_types = st.builds(
    TensorType,
    st.sampled_from((*BITS, "string", "unknown", "unused_type", "unknown-5")),
    st.lists(dimensions, max_size=4).map(tuple),
)
types: st.SearchStrategy[Type] = st.recursive(
    tensor_types,
    lambda inner: st.one_of(
        st.builds(ListType, inner, dimensions),
        st.builds(TupleType, st.lists(inner, max_size=3).map(tuple)),
        st.builds(DictType, inner, inner),
        st.builds(StateType, inner),
    ),
    max_leaves=3,
)
variables = st.builds(Variable, names, types)


def elements(dtype: str) -> st.SearchStrategy[Any]:
    """One element of a type; a text keeps only the sign of NaN."""
    if dtype == "string":
        return st.text(st.characters(codec="utf-8"), max_size=6)
    if dtype == "bool":
        return st.booleans()
    if dtype in FLOAT_WIDTHS:
        return st.floats(width=FLOAT_WIDTHS[dtype], allow_nan=False) | st.sampled_from((float("nan"), -float("nan")))
    low = -(1 << (BITS[dtype] - 1)) if dtype.startswith("int") else 0
    return st.integers(low, low + (1 << BITS[dtype]) - 1)


@st.composite
def tensor_values(draw: st.DrawFn, dtype: str | None = None) -> TensorValue:
    """A tensor with as many elements as its shape says, or with any number where the shape does not say."""
    dtype = dtype or draw(st.sampled_from((*BITS, "string")))
    shape = tuple(draw(st.lists(st.integers(0, 3) | st.none(), max_size=3)))
    count = TensorType(dtype, shape).element_count
    content = draw(st.lists(elements(dtype), min_size=count or 0, max_size=3 if count is None else count))
    return TensorValue(TensorType(dtype, shape), tuple(content) if dtype == "string" else pack(dtype, content))


blob_values = st.builds(
    BlobValue,
    st.builds(TensorType, st.sampled_from(tuple(BITS)), st.lists(dimensions, max_size=3).map(tuple)),
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.integers(0, 2**64 - 1),
)


def _containers(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    """Lists, dictionaries and tuples, of elements that mostly have the type that the container's type says."""
    items = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(
        st.builds(ListValue, st.builds(ListType, _likely(inner), dimensions), items),
        st.builds(_list, inner, dimensions, st.integers(1, 3)),
        items.map(lambda elements: TupleValue(TupleType(tuple([element.type for element in elements])), elements)),
        st.builds(TupleValue, st.builds(TupleType, st.lists(_likely(inner), max_size=2).map(tuple)), items),
        st.builds(
            DictValue,
            st.builds(DictType, _likely(inner), _likely(inner)),
            st.lists(st.tuples(inner, inner), max_size=2).map(tuple),
        ),
        st.builds(_dict, inner, inner, st.integers(1, 3)),
    )


def _likely(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Type]:
    return inner.map(lambda value: value.type)


def _list(item: Value, length: int | None, count: int) -> Value:
    return ListValue(ListType(item.type, length), (item,) * count)


def _dict(key: Value, value: Value, count: int) -> Value:
    return DictValue(DictType(key.type, value.type), ((key, value),) * count)


values: st.SearchStrategy[Value] = st.recursive(st.one_of(tensor_values(), blob_values), _containers, max_leaves=4)
attributes = st.dictionaries(names, values, max_size=2)
arguments: st.SearchStrategy[Argument] = st.one_of(names, values)


def operations(blocks: st.SearchStrategy[tuple[Block, ...]]) -> st.SearchStrategy[Operation]:
    """An operation with nested blocks of a kind."""
    return st.builds(
        Operation,
        names,
        st.dictionaries(names, st.lists(arguments, max_size=2).map(tuple), max_size=2),
        st.lists(variables, max_size=2).map(tuple),
        blocks,
        attributes,
    )


def blocks(inner: st.SearchStrategy[Operation], inputs: st.SearchStrategy[list[Variable]]) -> st.SearchStrategy[Block]:
    """A block of a kind of operations."""
    return st.builds(
        Block, inputs.map(tuple), st.lists(inner, max_size=3).map(tuple), st.lists(names, max_size=2).map(tuple)
    )


flat = operations(st.just(()))
nested = st.recursive(
    flat,
    lambda inner: operations(st.lists(blocks(inner, st.lists(variables, max_size=2)), max_size=2).map(tuple)),
    max_leaves=3,
)
functions = st.builds(
    Function,
    names,
    opsets,
    st.lists(variables, max_size=2).map(tuple),
    blocks(nested, st.just([])),
    attributes,
)
programs = st.builds(
    Program,
    st.lists(functions, max_size=2).map(lambda found: {function.name: function for function in found}),
    attributes,
)
