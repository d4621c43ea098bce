"""States: how many, how wide, and what is written into them."""

from __future__ import annotations

import pytest

from tests.rules.test_examples import judged


def said(text: str, target: str = "m4") -> dict[str, str]:
    """The messages of this family, by code."""
    judgement = judged(text, target)
    assert judgement.crashes == []
    return {match.rule.code: match.message for _, match in judgement.matches if match.rule.code.startswith("ANE7")}


def with_states(*widths: int) -> str:
    """A function with a state of each width, all read and written."""
    names = "abcdef"[: len(widths)]
    inputs = ", ".join(
        f"state<tensor<fp16, [1, 8, {width}]>> {name}" for name, width in zip(names, widths, strict=True)
    )
    body = "".join(
        f"tensor<fp16, [1, 8, {width}]> {name}_old = read_state(input = {name});\n"
        f"tensor<fp16, [1, 8, {width}]> {name}_new = relu(x = {name}_old);\n"
        f"write_state(data = {name}_new, input = {name});\n"
        for name, width in zip(names, widths, strict=True)
    )
    return f"func main<ios18>({inputs}) {{\n{body}}} -> ({', '.join(f'{name}_new' for name in names)});\n"


@pytest.mark.parametrize(("count", "flagged"), [(1, False), (2, False), (3, True), (4, True)])
def test_two_states_are_the_most(count: int, flagged: bool) -> None:
    assert ("ANE709" in said(with_states(*[64] * count))) is flagged


@pytest.mark.parametrize("width", [32, 64, 96, 256, 288])
def test_even_widths_are_left_alone(width: int) -> None:
    assert said(with_states(width)) == {}


def test_uneven_widths_are_told_one_by_one() -> None:
    assert said(with_states(270)) == {"ANE710": "state 'a' is 270 wide, no multiple of 32"}
    assert said(with_states(80, 80)) == {"ANE710": "2 states are 80 wide, no multiple of 32"}


def test_nothing_is_known_of_states_on_engines_that_had_none() -> None:
    assert said(with_states(270, 270, 270), target="h12") == {}


def update(length: int, *, squeeze: bool = False, source: str = "read_state(input = cache)") -> str:
    """A cache of 256 positions, of which `length` are written; with `squeeze` the first axis is taken by an index."""
    shape = f"2, {length}, 32" if squeeze else f"4, 2, {length}, 32"
    mask = "true" if squeeze else "false"
    end = f"{1 if squeeze else 4}, 2, {length}, 32"
    return f"""
    func main<ios18>(state<tensor<fp16, [4, 2, 256, 32]>> cache, tensor<fp16, [{shape}]> k,
            tensor<fp16, [4, 2, 256, 32]> x) {{
        tensor<fp16, [4, 2, 256, 32]> old = {source};
        tensor<fp16, [4, 2, 256, 32]> new = slice_update(begin = tensor<int32, [4]>([0, 0, 0, 0]),
            end = tensor<int32, [4]>([{end}]), squeeze_mask = tensor<bool, [4]>([{mask}, false, false, false]),
            update = k, x = old);
        write_state(data = new, input = cache);
    }} -> (new);
    """


@pytest.mark.parametrize("squeeze", [False, True])
@pytest.mark.parametrize(("length", "flagged"), [(1, False), (32, False), (33, True), (64, True), (256, False)])
def test_updates_are_long_beyond_32_positions_unless_they_are_whole(length: int, squeeze: bool, flagged: bool) -> None:
    found = said(update(length, squeeze=squeeze))
    assert ("ANE711" in found) is flagged
    if flagged:
        assert found["ANE711"] == f"{length} positions of a state written at once; more than 32 were reported to fail"


def test_updates_of_what_is_no_state_may_be_long() -> None:
    assert "ANE711" not in said(update(64, source="relu(x = x)"))


def window(write: str, *, data: str = "shifted", other: str = "") -> str:
    return f"""
    func main<ios18>(state<tensor<fp16, [1, 16, 32]>> cache, state<tensor<fp16, [1, 16, 32]>> second,
            tensor<fp16, [1, 1, 32]> new) {{
        tensor<fp16, [1, 16, 32]> old = read_state(input = {other or "cache"});
        {write}
        write_state(data = {data}, input = cache);
    }} -> ({data});
    """


CUT = (
    "tensor<fp16, [1, 15, 32]> rest = slice_by_size(begin = tensor<int32, [3]>([0, 1, 0]), "
    "size = tensor<int32, [3]>([1, 15, 32]), x = old);\n"
)
JOIN = "tensor<fp16, [1, 16, 32]> shifted = concat(axis = int32(1), interleave = bool(false), values = (rest, new));"


def test_a_shifted_state_is_told_with_its_size() -> None:
    message = "state 'cache' is written back shifted, all of fp16[1, 16, 32] at each step"
    assert said(window(CUT + JOIN))["ANE712"] == message


def test_a_part_of_another_state_is_no_shift() -> None:
    assert "ANE712" not in said(window(CUT + JOIN, other="second"))


def test_a_state_put_together_from_new_things_is_no_shift() -> None:
    text = "tensor<fp16, [1, 16, 32]> shifted = tile(reps = tensor<int32, [3]>([1, 16, 1]), x = new);"
    assert "ANE712" not in said(window(text))


def test_a_layer_of_a_state_is_shifted_through_an_update() -> None:
    text = """
    func main<ios18>(state<tensor<fp16, [4, 16, 32]>> cache, tensor<fp16, [1, 32]> new) {
        tensor<fp16, [4, 16, 32]> old = read_state(input = cache);
        tensor<fp16, [15, 32]> rest = slice_by_index(begin = tensor<int32, [3]>([2, 1, 0]),
            end = tensor<int32, [3]>([3, 16, 32]), squeeze_mask = tensor<bool, [3]>([true, false, false]), x = old);
        tensor<fp16, [16, 32]> shifted = concat(axis = int32(0), interleave = bool(false), values = (rest, new));
        tensor<fp16, [4, 16, 32]> all = slice_update(begin = tensor<int32, [3]>([2, 0, 0]),
            end = tensor<int32, [3]>([3, 16, 32]), squeeze_mask = tensor<bool, [3]>([true, false, false]),
            update = shifted, x = old);
        write_state(data = all, input = cache);
    } -> (all);
    """
    assert set(said(text)) == {"ANE712"}


def transposed(between: str = "") -> str:
    return f"""
    func main<ios18>(tensor<fp16, [1, 16, 64]> k, state<tensor<fp16, [1, 2, 16, 32]>> cache) {{
        tensor<fp16, [1, 16, 2, 32]> heads = reshape(shape = tensor<int32, [4]>([1, 16, 2, 32]), x = k);
        tensor<fp16, [1, 2, 16, 32]> row = transpose(perm = tensor<int32, [4]>([0, 2, 1, 3]), x = heads);
        {between}
        write_state(data = {"turned" if between else "row"}, input = cache);
    }} -> (row);
    """


def test_a_transpose_written_whole_counts_as_one_written_in_part() -> None:
    assert said(transposed()) == {"ANE713": "reshaped and transposed right before it is written into a state"}


def test_anything_between_transpose_and_state_breaks_the_pattern() -> None:
    assert said(transposed("tensor<fp16, [1, 2, 16, 32]> turned = relu(x = row);")) == {}
