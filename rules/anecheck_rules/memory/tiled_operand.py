"""ANE401: values too large to stay in the engine's memory."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod, sqrt
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.types import BITS, TensorType
from anecheck.predict.layout import engine_bytes
from anecheck_rules.memory.values import SHOWN, amount, assessed, counted, held, makers, sizes

LIMIT = "operand-resident-bytes"
PICTURE_RANK = 4
PICTURE_ASPECT = 2
"""Two last axes of which none is more than twice as long as the other are made smaller together."""


class TiledOperand(ModelRule):
    """Values are larger than what the engine keeps of one in its own memory.

    ## Why it costs
    The engine keeps an operand in its own memory while it computes if it has no more than 2 MiB, as it is laid out with its
    last axis padded. A larger one is cut into tiles, one more than the whole multiples of 2 MiB in it, and read from and
    written to main memory for every operation that uses it. Where the arithmetic of an operation is small for its bytes, as
    of additions, activations and convolutions over few channels, it waits for that memory.

    ## Instead
    - Where the picture may be smaller, or the sequence be worked through in parts, the finding says what would fit. The
      first layers of a network have the largest values: reduce the resolution there, before the channels grow.
    - One picture a call: a batch multiplies every value.
    - Fewer channels at a time: a layer over a half of them, twice.

    ## Known exceptions
    It costs time and nothing else, and nearly every network for pictures has such values: this is worth a look where a model
    is too slow, and no reason to change one that is not. Layers with much arithmetic for their bytes hide it.

    ## Contradictions
    Each chip has its own border: 2.28 to 2.34 MB were measured on M1 and 4.72 MB on M5 Pro, where compiler tables say 2 MiB.
    What lies between is flagged and may fit. A sum over all values that are live is another matter (ANE402).
    """

    code = "ANE401"
    name = "tiled-operand"
    severity = Severity.INFO
    rewrite = "where it is too slow: a smaller picture, shorter parts of the sequence, or fewer channels at a time"
    evidence = (
        cite("751k-defects", Confidence.MEASURED, "H16", "H18"),
        cite("guide17", Confidence.REVERSE_ENGINEERED, "H13", "H17"),
        cite("751k-hal", Confidence.REVERSE_ENGINEERED),
    )
    covers = ("MM01", "MM08")
    limits = (LIMIT,)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 512, 256]> x) {
                    tensor<fp16, [16, 16, 3, 3]> w = const()[val = tensor<fp16, [16, 16, 3, 3]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 16, 512, 256]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("same"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            flags=("",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 256, 256]> x) {
                    tensor<fp16, [16, 16, 3, 3]> w = const()[val = tensor<fp16, [16, 16, 3, 3]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 16, 256, 256]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("same"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            equal=False,
            reason="redesign: the app hands over a smaller picture, or half of it at a time with the rows beside it",
            pytorch_before=pytorch("""
                y = conv(picture)
            """),
            pytorch_after=pytorch("""
                y = conv(F.interpolate(picture, scale_factor=0.5, mode="area"))
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function with such values, once, and say what of the largest would fit."""
        limit = context.limit(LIMIT)
        for function, assessment in assessed(context) if limit is not None else ():
            if limit is None:
                continue
            most = int(limit.value)
            found = [value for value in held(assessment, most) if value.laid_out > most]
            if found:
                first = found[0]
                tiles = first.laid_out // most + 1
                if first.packed > most:
                    fits = fitting(first.tensor, most, assessment.alignment)
                    advice = f"; {fits} would fit" if fits else ""
                else:
                    advice = f"; without the padding of its last axis it would fit in {amount(first.packed)}"
                yield self.finding(
                    f"{counted(len(found), 'value', 'take')} more than {amount(most)}; the largest, {first.operand.name} "
                    f"({first.shape}, {amount(first.laid_out)} laid out), goes through memory in {tiles} tiles{advice}",
                    function=function,
                    related=makers(found),
                    families=context.knowledge.families_of(LIMIT),
                    evidence=limit.citations,
                    values=len(found),
                    tiles=tiles,
                    largest=[value.facts() for value in found[:SHOWN]],
                )


def fitting(tensor: TensorType, most: int, alignment: int) -> str:
    """The shape of what has at most so many bytes as laid out: a smaller picture, or a part of the longest axis.

    Empty where nothing has.
    """
    shape = tuple(size if size is not None and size > 0 else 1 for size in tensor.shape)
    if not shape:
        return ""
    bits, total = BITS.get(tensor.dtype, 8), engine_bytes(tensor, alignment)
    row = alignment * 8 // bits
    axis = shape.index(max(shape))
    if len(shape) == PICTURE_RANK and axis > 1 and max(shape[2:]) <= PICTURE_ASPECT * min(shape[2:]):
        height, width = shape[2:]
        narrower = int(width * sqrt(most / total))
        narrower -= narrower % row if narrower > row else 0
        line = engine_bytes(TensorType(tensor.dtype, (*shape[:2], narrower)), alignment)
        part = (*shape[:2], min(most // line, height * narrower // width) if line else 0, narrower)
    elif axis == len(shape) - 1:
        part = (*shape[:-1], most // (prod(shape[:-1]) * alignment) * row)
    else:
        part = (*shape[:axis], most * shape[axis] // total, *shape[axis + 1 :])
    return sizes(TensorType(tensor.dtype, part)) if all(part) else ""
