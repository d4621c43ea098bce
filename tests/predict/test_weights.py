"""Weights by hand: bytes in the file, expanded, and read by families and releases."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from anecheck.artifact.load import load
from anecheck.knowledge.target import parse_target
from anecheck.lint.engine import functions_of
from anecheck.mil.graph import Graph
from anecheck.mil.parser import parse
from anecheck.predict.weights import BLOCKWISE, INT8, PALETTE, SPARSE, Weight, Weights, stored_and_resident, streams
from tests.conftest import FIXTURES
from tests.predict.programs import KNOWLEDGE, blob, conv, program

X = "tensor<fp16, [1, 16, 8, 8]>"
DENSE = 8 * 16 * 2
"""The weights of the packages: fp16[8, 16, 1, 1]."""


def weights_of(text: str, function: str = "main") -> Weights:
    return Weights(Graph(parse(text).functions[function]))


def package(name: str) -> list[Weights]:
    """The weights of a fixture, by function."""
    return [Weights(each.graph) for each in functions_of(load(FIXTURES / "ok" / f"{name}.mlpackage"))]


def only(weights: Weights) -> Weight:
    (weight,) = weights.all.values()
    return weight


def forms(target: str) -> frozenset[str]:
    return streams(parse_target(target, KNOWLEDGE), KNOWLEDGE)


def every(functions: Iterable[Weights]) -> list[Weight]:
    return [weight for weights in functions for weight in weights.all.values()]


def compressed(definition: str) -> Weight:
    """The weight `w`, fp16[8, 64], as a linear layer uses it."""
    text = f"""
        func main<ios18>(tensor<fp16, [1, 64]> x) {{
            {definition}
            tensor<fp16, [1, 8]> y = linear(weight = w, x = x);
        }} -> (y);
    """
    return only(weights_of(text))


def test_plain_weights_are_as_large_as_they_are() -> None:
    text = program([conv("y", "x", X, weight="[16, 16, 3, 3]")], ["y"], X)
    weights = weights_of(text)
    assert only(weights)[:3] == (16 * 16 * 9 * 2, 16 * 16 * 9 * 2, frozenset())
    assert not only(weights).is_compressed
    assert [[weight] for weight in weights.all.values()] == [list(each) for each in weights.of_node.values()]
    for target in ("h13", "h16", "a17pro/ios16"):
        assert only(weights).read(forms(target)) == 16 * 16 * 9 * 2


def test_a_weight_used_twice_counts_once_and_two_weights_count_as_two() -> None:
    shared = [conv("a", "x", X, weight="[16, 16, 3, 3]"), conv("y", "a", X, weight="[16, 16, 3, 3]")]
    weights = weights_of(program(shared, ["y"], X))
    assert stored_and_resident(weights.all.values(), frozenset()) == (4608, 4608)
    assert [len(each) for each in weights.of_node.values()] == [1, 1]
    apart = [shared[0], shared[1].replace("uint64(64)", "uint64(8192)")]
    assert stored_and_resident(weights_of(program(apart, ["y"], X)).all.values(), frozenset()) == (9216, 9216)


def test_functions_share_what_lies_at_the_same_place() -> None:
    classify, embed = package("multifunction")  # conv fp16[8, 3, 3, 3] in both; heads of 4 and 16 channels over 8
    assert set(classify.all) & set(embed.all) == {("@model_path/weights/weight.bin", 64)}
    assert sum(weight.stored for weight in classify.all.values()) == (8 * 27 + 4 * 8) * 2
    assert stored_and_resident(every([classify, embed]), frozenset())[0] == (8 * 27 + 4 * 8 + 16 * 8) * 2


def test_functions_share_compressed_weights() -> None:
    body = f"""
        tensor<fp16, [8, 64]> w = constexpr_blockwise_shift_scale(data = {blob("[8, 64]", dtype="int8")},
            scale = {blob("[8, 1]", offset=1024)});
        tensor<fp16, [1, 8]> y = linear(weight = w, x = x);
    """
    text = "\n".join(f"func {name}<ios18>(tensor<fp16, [1, 64]> x) {{ {body} }} -> (y);" for name in "ab")
    both = [weights_of(text, name) for name in "ab"]
    assert only(both[0]).key == only(both[1]).key
    assert stored_and_resident(every(both), forms("h16")) == (512 + 16, 512 + 16)
    assert stored_and_resident(every(both), forms("h13")) == (512 + 16, 1024)


def test_a_weight_in_a_branch_is_found() -> None:
    linear = "tensor<fp16, [1, 8]> {0} = linear(weight = {1}, x = x);"
    text = f"""
        func main<ios18>(tensor<fp16, [1, 64]> x, tensor<bool, []> p) {{
            tensor<fp16, [1, 8]> y = cond(pred = p) {{
                block() {{ {linear.format("a", blob("[8, 64]"))} }} -> (a);
                block() {{ {linear.format("b", blob("[8, 64]", offset=2048))} }} -> (b);
            }};
        }} -> (y);
    """
    assert [weight.stored for weight in weights_of(text).all.values()] == [1024, 1024]


@pytest.mark.parametrize(
    ("name", "stored", "needs"),
    [
        # Codes of so many bits for 128 weights, and a table of 2**bits fp16 values.
        ("constexpr_lut_1bit", 16 + 2 * 2, {PALETTE}),
        ("constexpr_lut_2bit", 32 + 4 * 2, {PALETTE}),
        ("constexpr_lut_3bit", 48 + 8 * 2, {PALETTE}),
        ("constexpr_lut_4bit", 64 + 16 * 2, {PALETTE}),
        ("constexpr_lut_6bit", 96 + 64 * 2, {PALETTE}),
        ("constexpr_lut_8bit", 128 + 256 * 2, {PALETTE}),
        ("constexpr_lut_grouped", 64 + 2 * 16 * 2, {PALETTE}),  # two tables
        ("constexpr_lut_to_dense_ios16", 64 + 16 * 2, {PALETTE}),
        # A bit for each weight, and the 32 that are not 0.
        ("constexpr_sparse", 16 + 32 * 2, {SPARSE}),
        ("constexpr_sparse_to_dense_ios16", 16 + 32 * 2, {SPARSE}),
        ("constexpr_sparse_lut", 16 + 32 * 4 // 8 + 16 * 2, {SPARSE, PALETTE}),
        ("constexpr_sparse_blockwise", 16 + 32 + 8 * 2, {SPARSE, INT8}),
        # A scale of fp16 for each of 8 channels; the older form has a zero point of a byte too.
        ("constexpr_affine_dequantize_ios16", 128 + 8 * 2 + 1, {INT8}),
        ("constexpr_blockwise_int8", 128 + 8 * 2, {INT8}),
        ("constexpr_blockwise_int4", 64 + 8 * 2, {INT8}),
    ],
)
def test_compressed_weights_take_their_codes_tables_and_scales(name: str, stored: int, needs: set[str]) -> None:
    (weights,) = package(name)
    weight = only(weights)
    assert weight.stored == stored
    assert weight.dense == DENSE
    assert weight.needs == needs
    assert weight.is_compressed


def test_codes_written_out_count_too() -> None:
    (weights,) = package("constexpr_sub_byte_inline")
    assert only(weights)[:2] == (8 * 4 // 8 + 16 * 2, 8 * 2)


def test_two_layers_share_a_palette() -> None:
    (weights,) = package("constexpr_shared")  # fp16[16, 16, 1, 1] in 4 bits
    assert only(weights)[:2] == (128 + 32, 512)
    assert [each for each in weights.of_node.values() if each] == [(only(weights),)] * 2


@pytest.mark.parametrize(
    ("shape", "count", "needs"),
    [
        ("[8, 1]", 8, INT8),
        ("[1, 1]", 1, INT8),
        ("[8, 2]", 16, BLOCKWISE),  # a scale for every 32 of 64
        ("[1, 2]", 2, BLOCKWISE),  # the same without one for each channel
        ("[8, 64]", 512, BLOCKWISE),  # one for every weight
        ("[2, 1]", 2, BLOCKWISE),  # one for every four channels
    ],
)
@pytest.mark.parametrize(("dtype", "bytes_of_data"), [("int4", 8 * 64 // 2), ("int8", 8 * 64)])
def test_blocks_are_told_from_channels(shape: str, count: int, needs: str, dtype: str, bytes_of_data: int) -> None:
    scale = blob(shape, offset=4096)
    data = blob("[8, 64]", dtype=dtype)
    weight = compressed(f"tensor<fp16, [8, 64]> w = constexpr_blockwise_shift_scale(data = {data}, scale = {scale});")
    assert weight[:3] == (bytes_of_data + count * 2, 8 * 64 * 2, frozenset({needs}))


def test_a_quantized_table_needs_both_forms() -> None:
    weight = compressed(f"""
        tensor<fp16, [1, 1, 16, 1]> t = constexpr_blockwise_shift_scale(
            data = {blob("[1, 1, 16, 1]", dtype="int8", offset=2048)}, scale = {blob("[1, 1, 1, 1]", offset=4096)});
        tensor<fp16, [8, 64]> w = constexpr_lut_to_dense(indices = {blob("[8, 64]", dtype="uint4")}, lut = t);
    """)
    assert weight[:3] == (256 + 16 + 2, 1024, frozenset({PALETTE, INT8}))


def test_what_each_family_reads_as_it_is_stored() -> None:
    assert forms("h13") == {PALETTE, SPARSE}
    assert forms("h14") == {PALETTE, SPARSE, INT8}
    for family in ("h15", "h16", "h17", "h18"):
        assert forms(family) == {PALETTE, SPARSE, INT8, BLOCKWISE}


@pytest.mark.parametrize(
    ("old", "new"), [("a17pro/ios16", "a17pro/ios17"), ("m2/macos13", "m2/macos14"), ("a15/ios16", "a15/ios18")]
)
def test_older_systems_expand_all(old: str, new: str) -> None:
    assert forms(old) == frozenset()
    assert forms(new) == forms(new.partition("/")[0]) != frozenset()


@pytest.mark.parametrize(
    ("name", "stored", "expanded_by"),
    [
        ("constexpr_lut_4bit", 96, set()),
        ("constexpr_sparse", 80, set()),
        ("constexpr_sparse_lut", 64, set()),
        ("constexpr_blockwise_int8", 144, {"h13"}),
        ("constexpr_affine_dequantize_ios16", 145, {"h13"}),
        ("constexpr_sparse_blockwise", 64, {"h13"}),
    ],
)
def test_resident_bytes_by_family_and_release(name: str, stored: int, expanded_by: set[str]) -> None:
    (weights,) = package(name)
    for family in ("h13", "h14", "h15", "h16", "h17", "h18"):
        resident = DENSE if family in expanded_by else stored
        assert stored_and_resident(weights.all.values(), forms(family)) == (stored, resident), family
    assert stored_and_resident(weights.all.values(), forms("a15/ios16")) == (stored, DENSE)


def test_blocks_are_expanded_by_the_two_oldest_families() -> None:
    data, scale = blob("[8, 64]", dtype="int4"), blob("[8, 2]", offset=4096)
    weight = compressed(f"tensor<fp16, [8, 64]> w = constexpr_blockwise_shift_scale(data = {data}, scale = {scale});")
    assert [weight.read(forms(family)) for family in ("h13", "h14", "h15", "h16")] == [1024, 1024, 288, 288]
