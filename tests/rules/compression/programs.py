"""Programs around a compressed weight, and what one rule says of them."""

from __future__ import annotations

from anecheck.knowledge.evidence import Device
from tests.rules.test_examples import judged

FILE = 'BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64))'


def said(code: str, program: str, target: str = "m4") -> list[tuple[str, str]]:
    """What a rule says, as pairs of an operation's name and the message."""
    judgement = judged(program, target)
    assert judgement.crashes == []
    found = [match for _, match in judgement.matches if match.rule.code == code]
    return sorted((match.node.name if match.node else "", match.message) for match in found)


def flagged(code: str, program: str, target: str = "m4") -> list[str]:
    """The names of the operations that a rule flags."""
    return [name for name, _ in said(code, program, target)]


def kept_off(program: str, target: str = "m4") -> list[str]:
    """The names of the operations that some rule keeps from the engine."""
    blockers = judged(program, target).blockers
    return sorted(node.name for node, devices in blockers.items() if Device.ANE in devices)


def function(body: str, inputs: str, result: str = "y", opset: str = "ios18") -> str:
    """A program of one function."""
    return f"func main<{opset}>({inputs}) {{\n{body}\n}} -> ({result});"


def conv(
    weight: str,
    x: str,
    y: str,
    *,
    name: str = "y",
    kind: str = "conv",
    strides: int = 1,
    dilations: int = 1,
    groups: int = 1,
) -> str:
    """A convolution of `x` with `weight`; `y` is the type of the result."""
    return f"""tensor<fp16, {y}> {name} = {kind}(dilations = tensor<int32, [2]>([{dilations}, {dilations}]),
        groups = int32({groups}), pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
        strides = tensor<int32, [2]>([{strides}, {strides}]), weight = {weight}, x = {x});"""


def palette(shape: str, bits: int = 4, tables: str = "", extra: str = "", name: str = "w", codes: str = "") -> str:
    """A palettized weight in the form of iOS 18; `tables` is the shape of the table where there are several."""
    rank = shape.count(",") + 1
    lut = tables or str([1] * rank + [2**bits, 1])
    return f"""tensor<fp16, {shape}> {name} = constexpr_lut_to_dense(
        indices = tensor<uint{bits}, {codes or shape}>({FILE}), lut = tensor<fp16, {lut}>({FILE}){extra});"""


def scaled(shape: str, scale: str, dtype: str = "int8", name: str = "w", extra: str = "") -> str:
    """A quantized weight in the form of iOS 18; `scale` is the shape of its scales."""
    return f"""tensor<fp16, {shape}> {name} = constexpr_blockwise_shift_scale(
        data = tensor<{dtype}, {shape}>({FILE}), scale = tensor<fp16, {scale}>({FILE}){extra});"""
