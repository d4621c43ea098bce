"""Programs whose time can be worked out by hand, and their numbers as anecheck sees them."""

from __future__ import annotations

from typing import Final

from anecheck.knowledge.target import ComputeUnits
from anecheck.predict.assess import Assessment
from tests.predict.programs import blob, conv, judged, model_of, program

FITTED: Final = ("a14", "a16", "a17pro")

WIDE: Final = "tensor<fp16, [1, 64, 128, 160]>"
"""64 × 128 rows of 160 values: 320 bytes each, a multiple of 64, so 2,621,440 bytes, more than 2 MiB."""
WIDE_BYTES: Final = 64 * 128 * 320
KERNEL: Final = "[64, 64, 3, 3]"
KERNEL_VALUES: Final = 64 * 64 * 3 * 3
WIDE_OPERATIONS: Final = 2 * (64 * 128 * 160) * (64 * 3 * 3)
"""Of a convolution of `WIDE` with `KERNEL`: two for each product, one product for each weight of a result's channel."""

FULL: Final = "tensor<fp16, [1, 64, 128, 128]>"
"""Exactly 2 MiB."""

ONE_CONV: Final = program([conv("y", "x", WIDE, weight=KERNEL)], ("y",), WIDE)

CODES: Final = "tensor<int8, [1, 64, 128, 160]>"


def quantized(result: str, x: str) -> str:
    """A pair that rounds a value to 8 bits and back."""
    return f"""{CODES} {result}_codes = quantize(input = {x}, output_dtype = string("int8"), scale = fp16(0x1p-5));
        {WIDE} {result} = dequantize(input = {result}_codes, scale = fp16(0x1p-5));"""


INT8_WEIGHT: Final = f"""tensor<fp16, {KERNEL}> w = constexpr_blockwise_shift_scale(data = {blob(KERNEL, dtype="int8")},
    scale = {blob("[64, 1, 1, 1]", offset=99904)});"""
INT8_WEIGHT_BYTES: Final = KERNEL_VALUES + 64 * 2
"""A byte for each value, and a scale in fp16 for each channel."""


def conv_with(weight: str, result: str, x: str) -> str:
    """The convolution of `ONE_CONV` with a weight that was made before."""
    written = conv(result, x, WIDE, weight=KERNEL)
    return f"{written[: written.index('weight =')]}weight = {weight}, x = {x});"


ONE_INT8_CONV: Final = program(
    [quantized("a", "x"), INT8_WEIGHT, conv_with("w", "c", "a"), quantized("y", "c")], ("y",), WIDE
)

SUM: Final = "cumsum(axis = int32(1), exclusive = bool(false), reverse = bool(false), x = a)"
SUM_BETWEEN: Final = program(
    [conv("a", "x", WIDE, weight=KERNEL), f"{WIDE} b = {SUM};", conv("y", "b", WIDE, weight=KERNEL)], ("y",), WIDE
)
"""Two convolutions on the engine, and between them a sum that it does not run."""


def assessed(text: str, target: str = "a17pro", units: ComputeUnits = ComputeUnits.CPU_AND_NE) -> Assessment:
    """The numbers of a program of one function."""
    (assessment,) = judged(model_of(text), target, units).assessments
    return assessment
