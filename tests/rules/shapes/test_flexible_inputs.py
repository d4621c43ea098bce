"""Inputs that accept several shapes: what is counted, what is compared, and what stays silent."""

from __future__ import annotations

import pytest

from anecheck.mil.model import Feature, Flexibility, Interface
from tests.rules.test_examples import judged

RELU = """
func main<ios18>(tensor<fp16, [?, 64, ?]> x) {
    tensor<fp16, [?, 64, ?]> y = relu(x = x);
} -> (y);
"""
TWO = """
func main<{opset}>(tensor<fp16, [1, 64, ?]> a, tensor<fp16, [1, 64, ?]> b) {{
    tensor<fp16, [1, 64, ?]> y = add(x = a, y = b);
}} -> (y);
"""


def enumerated(count: int, name: str = "x", *, batches: int = 1) -> Feature:
    shapes = tuple((batch, 64, 8 + number) for number in range(count) for batch in range(1, batches + 1))
    return Feature(
        name, "multiarray", "float16", shapes[0], flexibility=Flexibility("enumerated", shapes[0], (), shapes)
    )


def ranged(*bounds: tuple[int, int | None], name: str = "x", kind: str = "multiarray") -> Feature:
    default = tuple(lower for lower, _ in bounds)
    return Feature(name, kind, "float16", default, flexibility=Flexibility("range", default, bounds))


def said(text: str, *features: Feature, target: str = "m4") -> dict[str, str]:
    """The messages of this family, by code."""
    judgement = judged(text, target, Interface(features))
    assert judgement.crashes == []
    return {
        match.rule.code: match.message
        for _, match in judgement.matches
        if match.rule.code.startswith(("ANE305", "ANE7"))
    }


def test_a_range_is_spelt_with_its_bounds_and_said_once() -> None:
    found = said(RELU, ranged((1, 1), (64, 64), (1, None)))
    assert found == {"ANE701": "input 'x' accepts (1, 64, 1 or more): Core ML does not use the engine for such a model"}


def test_several_ranges_are_one_finding() -> None:
    found = said(TWO.format(opset="ios18"), ranged((1, 4), name="a"), ranged((2, 2), (3, 9), name="b"))
    assert found["ANE701"].startswith("input 'a' accepts (1…4) and input 'b' accepts (2, 3…9): ")


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("m4", False),
        ("m4/macos14.3", False),
        ("m4/macos14.4", True),
        ("m4/macos26", True),
        ("a17pro/ios17", False),
        ("a17pro/ios17.3.1", False),
        ("a17pro/ios17.4", True),
        ("a17pro/ios18", True),
    ],
)
def test_releases_that_take_a_hint_are_told_of_it(target: str, hint: bool) -> None:
    found = said(RELU, ranged((1, 1), (64, 64), (1, 512)), target=target)
    assert ("reshapeFrequency = .infrequent" in found["ANE701"]) is hint
    (placement,) = judged(RELU, target, Interface((ranged((1, 1), (64, 64), (1, 512)),))).placements
    assert ("unless the app asks for" in placement.whole[0].text) is hint


def test_an_input_of_fixed_shape_is_no_range() -> None:
    assert said(RELU, Feature("x", "multiarray", "float16", (1, 64, 8))) == {}


@pytest.mark.parametrize(("count", "codes"), [(2, {"ANE705"}), (128, {"ANE705"}), (129, {"ANE702"})])
def test_128_shapes_are_the_most(count: int, codes: set[str]) -> None:
    assert set(said(RELU, enumerated(count))) == codes
    (placement,) = judged(RELU, "m4", Interface((enumerated(count),))).placements
    assert bool(placement.whole) is ("ANE702" in codes)


@pytest.mark.parametrize(
    ("opset", "counts", "problem"),
    [
        ("ios17", (3, 3), "inputs 'a' and 'b' all list shapes; before iOS 18 one input may"),
        ("ios18", (3, 3), ""),
        ("ios18", (3, 4), "inputs 'a' and 'b' list 3 and 4 shapes; the lists must be equally long"),
        ("ios17", (3,), ""),
    ],
)
def test_enumerated_inputs_must_go_together(opset: str, counts: tuple[int, ...], problem: str) -> None:
    features = [enumerated(count, name) for name, count in zip("ab", counts, strict=False)]
    assert said(TWO.format(opset=opset), *features).get("ANE703", "") == problem


def test_only_the_first_axis_is_the_batch() -> None:
    assert said(RELU, enumerated(2, batches=3))["ANE704"] == "input 'x' lists the batch sizes 1, 2 and 3"
    assert "ANE704" not in said(RELU, enumerated(2))


def test_heights_of_pictures_and_lengths_of_vectors_are_no_batches() -> None:
    shapes = ((32, 32), (64, 64))
    picture = Feature("x", "image", "RGB", (32, 32), flexibility=Flexibility("enumerated", (32, 32), (), shapes))
    vector = Feature("x", "multiarray", "float16", (8,), flexibility=Flexibility("enumerated", (8,), (), ((8,), (16,))))
    assert set(said(RELU, picture)) == {"ANE705"}
    assert set(said(RELU, vector)) == {"ANE705"}


WINDOW = """
func main<ios18>(tensor<fp16, [1, 8, {size}, {size}]> x) {{
    tensor<fp16, [1, 8, ?, ?]> y = {operation};
}} -> (y);
"""


def conv(stride: int, padding: str) -> str:
    return (
        f"conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(8), pad = tensor<int32, [4]>([0, 0, 0, 0]), "
        f'pad_type = string("{padding}"), strides = tensor<int32, [2]>([{stride}, {stride}]), '
        f'weight = tensor<fp16, [8, 1, 2, 2]>(BLOBFILE(path = string("@model_path/weights/weight.bin"), '
        f"offset = uint64(64))), x = x)"
    )


def pool(stride: int, *, ceil: bool = False, padding: str = "valid") -> str:
    return (
        f"max_pool(ceil_mode = bool({str(ceil).lower()}), kernel_sizes = tensor<int32, [2]>([2, 2]), "
        f'pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("{padding}"), '
        f"strides = tensor<int32, [2]>([{stride}, {stride}]), x = x)"
    )


@pytest.mark.parametrize(
    ("operation", "problem"),
    [
        (conv(2, "valid"), ""),
        (conv(3, "valid"), "conv with stride 3"),
        (conv(1, "same"), ""),
        (conv(2, "same"), 'conv with stride 2 and "same" padding'),
        (conv(2, "same_lower"), 'conv with stride 2 and "same" padding'),
        (pool(3), ""),
        (pool(2, ceil=True), "max_pool with ceil_mode"),
        (pool(2, padding="same"), 'max_pool with stride 2 and "same" padding'),
        (pool(1, padding="same"), ""),
        ("space_to_depth(block_size = int32(2), x = x)", "space_to_depth"),
        (
            "reduce_max(axes = tensor<int32, [2]>([-2, -1]), keep_dims = bool(true), x = x)",
            "reduce_max over the whole picture",
        ),
        ("reduce_max(axes = tensor<int32, [1]>([1]), keep_dims = bool(true), x = x)", ""),
        ("relu(x = x)", ""),
    ],
)
def test_layers_that_want_fixed_sizes(operation: str, problem: str) -> None:
    feature = enumerated(2)
    open_size = said(WINDOW.format(size="?", operation=operation), feature).get("ANE706", "")
    assert open_size == (f"{problem} where a size is open" if problem else "")


def test_layers_of_fixed_size_and_models_without_enumerated_shapes_are_left_alone() -> None:
    fixed = WINDOW.replace("?", "16").format(size=16, operation=conv(4, "valid"))
    assert "ANE706" not in said(fixed, enumerated(2))
    assert "ANE706" not in said(WINDOW.format(size="?", operation=conv(4, "valid")))


def test_layers_of_one_kind_are_counted() -> None:
    norm = "tensor<fp16, [1, ?, 64]> {0} = layer_norm(axes = tensor<int32, [1]>([-1]), epsilon = fp16(0x1p-10), x = {1});\n"
    text = (
        "func main<ios18>(tensor<fp16, [1, ?, 64]> x) {\n"
        + norm.format("h", "x")
        + norm.format("y", "h")
        + "} -> (y);\n"
    )
    assert said(text, enumerated(2))["ANE706"] == "layer_norm where a size is open (2 of them)"
