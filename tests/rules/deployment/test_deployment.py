"""Rules about formats, releases and load, at their borders."""

from __future__ import annotations

import pytest

from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits, parse_target
from anecheck.lint.engine import functions_of, judge
from anecheck.lint.registry import load_registry
from anecheck.mil.model import Kind, Model
from anecheck.mil.parser import parse

KNOWLEDGE = Knowledge()
RULES = load_registry().rules
CONV = """conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1), pad = tensor<int32, [4]>([0, 0, 0, 0]),
    pad_type = string("valid"), strides = tensor<int32, [2]>([{stride}, {stride}]), weight = w, x = x)"""


def messages(text: str, code: str, target: str = "m4", specification: int = 9) -> list[str]:
    """What a rule says of a program for a target."""
    model = Model("example", Kind.ML_PROGRAM, "mlProgram", specification, {}, parse(text))
    found = judge(
        model, functions_of(model), RULES, parse_target(target, KNOWLEDGE), ComputeUnits.CPU_AND_NE, KNOWLEDGE
    )
    assert found.crashes == []
    return [match.message for _, match in found.matches if match.rule.code == code]


def heads(batch: int, parts: int, operation: str) -> str:
    """A projection reshaped to rank 5, and something done with that."""
    shape = f"[{batch}, 4, {parts}, 2, 4]"
    return f"""func main<ios18>(tensor<fp16, [{batch}, 4, {8 * parts}]> x) {{
        tensor<fp16, {shape}> r = reshape(shape = tensor<int32, [5]>({shape}), x = x);
        {operation} }} -> (y);"""


SLICE = """slice_by_index(begin = tensor<int32, [5]>([0, 0, 0, 0, 0]), end = tensor<int32, [5]>([2, 4, 1, 2, 4]),
    x = r)"""


@pytest.mark.parametrize(
    ("batch", "parts", "operation", "count"),
    [
        (2, 3, f"tensor<fp16, [2, 4, 1, 2, 4]> y = {SLICE};", 1),
        (1, 3, "tensor<fp16, [1, 4, 3, 2, 4]> y = relu(x = r);", 0),
        (2, 2, f"tensor<fp16, [2, 4, 1, 2, 4]> y = {SLICE};", 0),
        (2, 3, "tensor<fp16, [2, 4, 3, 2, 4]> y = relu(x = r);", 0),
    ],
)
def test_batched_heads(batch: int, parts: int, operation: str, count: int) -> None:
    assert len(messages(heads(batch, parts, operation), "ANE804")) == count


def layer_norm(tokens: int, gamma: str = "", axis: int = 2) -> str:
    return f"""func main<ios18>(tensor<fp16, [1, {tokens}, 4]> x) {{
        tensor<fp16, [1, {tokens}, 4]> y = layer_norm(axes = tensor<int32, [1]>([{axis}]), epsilon = fp16(0x1p-10), {gamma}
            x = x); }} -> (y);"""


ONES, TWOS = (f"gamma = tensor<fp16, [4]>([{n}, {n}, {n}, {n}])," for n in (1, 2))


@pytest.mark.parametrize(
    ("text", "target", "count"),
    [
        (layer_norm(64), "m3", 1),
        (layer_norm(64, ONES), "m3", 1),
        (layer_norm(64, TWOS), "m3", 0),
        (layer_norm(63), "m3", 0),
        (layer_norm(32, axis=1), "m3", 0),
        (layer_norm(64), "m1", 1),
        (layer_norm(64), "m4", 0),
    ],
)
def test_plain_layer_norm(text: str, target: str, count: int) -> None:
    assert len(messages(text, "ANE805", target)) == count


def convolution(size: int, stride: int) -> str:
    return f"""func main<ios18>(tensor<fp16, [1, 1, 64, 64]> x) {{
        tensor<fp16, [1, 1, {size}, {size}]> w = const()[val = tensor<fp16, [1, 1, {size}, {size}]>(BLOBFILE(
            path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
        tensor<fp16, [1, 1, {(64 - size) // stride + 1}, {(64 - size) // stride + 1}]> y = {CONV.format(stride=stride)};
        }} -> (y);"""


def test_a_kernel_of_sixteen_and_no_other_compiles_for_minutes() -> None:
    assert [len(messages(convolution(size, 1), "ANE806")) for size in (15, 16)] == [0, 1]
    assert "measured with stride 1, not with 16" in messages(convolution(16, 16), "ANE806")[0]


@pytest.mark.parametrize(("length", "target", "count"), [(255, "a19", 0), (256, "a19", 1), (300, "m4", 0)])
def test_a_chain_of_elementwise_operations(length: int, target: str, count: int) -> None:
    chain = "".join(f"tensor<fp16, [1, 8]> v{n} = relu(x = v{n - 1});" for n in range(1, length + 1))
    text = f"func main<ios18>(tensor<fp16, [1, 8]> v0) {{ {chain} }} -> (v{length});"
    assert len(messages(text, "ANE806", target)) == count


@pytest.mark.parametrize(("keys", "count"), [(32767, 0), (32768, 1)])
def test_attention_over_a_long_history(keys: int, count: int) -> None:
    text = f"""func main<ios18>(tensor<fp16, [1, 1, 4, {keys}]> x) {{
        tensor<fp16, [1, 1, 4, {keys}]> y = softmax(axis = int32(-1), x = x); }} -> (y);"""
    assert len(messages(text, "ANE807")) == count


def casts(size: int, opset: str = "ios18") -> str:
    return f"""func main<{opset}>(tensor<fp32, [1, 64, {size}]> x) {{
        tensor<fp16, [1, 64, {size}]> h = cast(dtype = string("fp16"), x = x);
        tensor<fp16, [1, 64, {size}]> y = relu(x = h); }} -> (y);"""


def test_only_casts_that_take_long_are_worth_a_word() -> None:
    assert messages(casts(64), "ANE803") == []
    (message,) = messages(casts(4096), "ANE803")
    assert message.startswith("input 'x' (fp32[1, 64, 4096]) cast at the border, 0.0")
    assert messages(casts(4096, "ios15"), "ANE803") == [], "iOS 15 has no fp16 inputs"
    assert "1 input could be fp16" in messages(casts(4096, "ios15"), "ANE802")[0]


@pytest.mark.parametrize(
    ("target", "specification", "found"),
    [
        ("a17pro/ios17", 9, ["specification 9 needs iOS 18, and the target is ios17"]),
        ("a17pro/ios17.4", 8, []),
        ("a17pro/ios18", 9, []),
        ("m4/macos15", 10, ["specification 10 needs macOS 26, and the target is macos15"]),
        ("m4", 10, []),
        ("m4/visionos2", 9, []),
    ],
)
def test_a_model_newer_than_its_target(target: str, specification: int, found: list[str]) -> None:
    text = "func main<ios17>(tensor<fp16, [1, 8]> x) { tensor<fp16, [1, 8]> y = relu(x = x); } -> (y);"
    assert messages(text, "ANE808", target, specification) == found
