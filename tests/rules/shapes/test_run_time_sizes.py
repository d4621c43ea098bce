"""Sizes that are read or computed while the model runs."""

from __future__ import annotations

from tests.rules.test_examples import judged

SHAPE = "tensor<int32, [3]> sizes = shape(x = x);\n"
LENGTH = (
    "tensor<int32, [1]> length = gather(axis = int32(0), batch_dims = int32(0), indices = tensor<int32, [1]>([1]), "
    "validate_indices = bool(false), x = sizes);\n"
)


def program(*body: str, result: str, inputs: str = "tensor<fp16, [1, ?, 64]> x") -> str:
    return f"func main<ios18>({inputs}) {{\n{''.join(body)}}} -> ({result});\n"


def said(text: str) -> dict[str, str]:
    judgement = judged(text, "m4")
    assert judgement.crashes == []
    return {match.rule.code: match.message for _, match in judgement.matches}


def test_sizes_that_become_data_are_no_dynamic_layer() -> None:
    text = program(
        SHAPE,
        LENGTH,
        'tensor<fp16, [1]> count = cast(dtype = string("fp16"), x = length);\n',
        "tensor<fp16, [1, ?, 64]> y = real_div(x = x, y = count);\n",
        result="y",
    )
    found = said(text)
    assert "ANE707" not in found
    assert "ANE101" in found


def test_one_finding_speaks_for_the_whole_chain() -> None:
    text = program(
        SHAPE,
        LENGTH,
        "tensor<int32, [1]> half = floor_div(x = length, y = int32(2));\n",
        "tensor<int32, [3]> to = concat(axis = int32(0), interleave = bool(false), values = "
        "(tensor<int32, [1]>([1]), half, tensor<int32, [1]>([128])));\n",
        "tensor<fp16, [1, ?, 128]> y = reshape(shape = to, x = x);\n",
        result="y",
    )
    assert said(text) == {"ANE707": "the size that 1 shape operation reads decides 1 reshape (open: 'x')"}


def test_a_shape_that_decides_nothing_is_left_to_the_rule_on_operations() -> None:
    text = program(
        SHAPE,
        LENGTH,
        "tensor<int32, [3]> other = shape(x = x);\n",
        "tensor<int32, [3]> to = concat(axis = int32(0), interleave = bool(false), values = "
        "(tensor<int32, [1]>([1]), length, tensor<int32, [1]>([64])));\n",
        "tensor<fp16, [1, ?, 64]> y = reshape(shape = to, x = x);\n",
        result="y, other",
    )
    judgement = judged(text, "m4")
    places = {(match.rule.code, match.node.name) for _, match in judgement.matches if match.node}
    assert places == {("ANE707", "sizes"), ("ANE101", "other")}


def test_the_chain_stays_blocked_though_one_rule_speaks() -> None:
    text = program(
        SHAPE,
        LENGTH,
        "tensor<int32, [3]> to = concat(axis = int32(0), interleave = bool(false), values = "
        "(tensor<int32, [1]>([1]), length, tensor<int32, [1]>([64])));\n",
        "tensor<fp16, [1, ?, 64]> y = reshape(shape = to, x = x);\n",
        result="y",
    )
    assert {node.name for node in judged(text, "m4").blockers} == {"sizes", "length", "to", "y"}


def test_open_inputs_alone_are_no_arithmetic() -> None:
    assert said(program("tensor<fp16, [1, ?, 64]> y = relu(x = x);\n", result="y")) == {}


MASK = "tensor<bool, [4, 64]> mask = greater(x = x, y = fp16(0));\n"
POSITIONS = "tensor<int32, [?, 2]> positions = non_zero(x = mask);\n"
FIXED = "tensor<fp16, [4, 64]> x"


def test_a_size_made_of_data_at_the_end_of_a_model_reaches_nothing() -> None:
    found = said(program(MASK, POSITIONS, result="positions", inputs=FIXED))
    assert "ANE708" not in found
    assert "ANE101" in found


def test_a_size_made_of_data_is_followed_to_what_the_engine_has() -> None:
    text = program(
        MASK,
        POSITIONS,
        "tensor<fp16, [?]> chosen = gather_nd(batch_dims = int32(0), indices = positions, x = x);\n",
        "tensor<fp16, [?]> a = relu(x = chosen);\n",
        "tensor<fp16, [?]> y = sqrt(x = a);\n",
        result="y",
        inputs=FIXED,
    )
    found = said(text)
    assert found["ANE708"] == (
        "the size of what non_zero gives depends on data, and 2 operations that the engine has must bear it"
    )
    assert "ANE101" not in found


def test_sizes_that_a_shape_decides_are_not_said_to_depend_on_data() -> None:
    text = program(
        SHAPE,
        "tensor<fp16, [?, ?, ?]> ones = fill(shape = sizes, value = fp16(1));\n",
        "tensor<fp16, [?, ?, ?]> y = relu(x = ones);\n",
        result="y",
    )
    assert set(said(text)) == {"ANE707"}


def test_a_length_that_is_an_input_depends_on_data() -> None:
    text = program(
        "tensor<fp16, [?, ?]> ones = fill(shape = size, value = fp16(1));\n",
        "tensor<fp16, [?, ?]> y = relu(x = ones);\n",
        result="y",
        inputs="tensor<int32, [2]> size",
    )
    assert said(text)["ANE708"].startswith("the size of what fill gives depends on data, and 1 operation")
