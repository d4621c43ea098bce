"""ANE403: last axes so short that padding makes most of the memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.graph import Graph
from anecheck.predict.assess import Assessment
from anecheck.predict.footprint import ALIASES, Buffer
from anecheck_rules.memory.values import SHOWN, Held, amount, assessed, held, makers

LIMIT = "operand-resident-bytes"
ALIGNMENT = "last-axis-alignment-bytes"
WORTH_A_WARNING = 8
"""How many times its size a value has to take for a warning: no limit of the engine, but where this rule is sure that the
layout is a mistake."""


ARRANGING = frozenset({*ALIASES, "transpose"})


class PaddedLastAxis(ModelRule):
    """A short last axis is padded to 64 bytes, and that makes memory large that is not.

    ## Why it costs
    The engine pads the last axis of every tensor to a multiple of 64 bytes. A last axis of 1 takes 32 times its size in fp16
    and 64 times in int8, in memory and in every transfer. Padding alone is no fault, every odd size has some. It is flagged
    where it decides something:

    - a value would fit into the engine's own memory (2 MiB an operand, ANE401) packed, and does not as it is laid out; or
    - at the busiest operation more than half of what is live is padding, and that more than those 2 MiB.

    It is a warning where values that take eight times their size or more, and are not only carried from one transpose to the
    next reshape, make most of that peak.

    ## Instead
    Put a long axis last: pictures as (batch, channels, height, width), sequences as (batch, channels, 1, sequence) and not as
    (batch, sequence, channels, 1). Axes of 1 belong further in front.

    ## Known exceptions
    The compiler may arrange a value otherwise inside of a chain of operations that it fuses; nobody described when. What is
    only reshaped on its way from one operation to the next is not counted.
    """

    code = "ANE403"
    name = "padded-last-axis"
    severity = Severity.INFO
    rewrite = "put a long axis last: (batch, channels, 1, sequence), not (batch, sequence, channels, 1)"
    evidence = (
        cite("ml-ane-tf", Confidence.DOCUMENTED),
        cite("apple-coreai", Confidence.DOCUMENTED),
    )
    covers = ("SH10",)
    limits = (ALIGNMENT, LIMIT)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 64, 1, 2048]> x) {
                    tensor<fp16, [64, 64, 1, 7]> w = const()[val = tensor<fp16, [64, 64, 1, 7]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 64, 1, 2048]> a = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("same"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                    tensor<fp16, [1, 2048, 64, 1]> b = transpose(perm = tensor<int32, [4]>([0, 3, 1, 2]), x = a);
                    tensor<fp16, [1, 2048, 64, 1]> c = softmax(axis = int32(2), x = b);
                    tensor<fp16, [1, 64, 1, 2048]> d = transpose(perm = tensor<int32, [4]>([0, 2, 3, 1]), x = c);
                    tensor<fp16, [1, 64, 1, 2048]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("same"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = d);
                } -> (y);
            """),
            flags=("",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 64, 1, 2048]> x) {
                    tensor<fp16, [64, 64, 1, 7]> w = const()[val = tensor<fp16, [64, 64, 1, 7]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 64, 1, 2048]> a = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("same"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                    tensor<fp16, [1, 64, 1, 2048]> d = softmax(axis = int32(1), x = a);
                    tensor<fp16, [1, 64, 1, 2048]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("same"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = d);
                } -> (y);
            """),
            also=("ANE401",),
            pytorch_before=pytorch("""
                y = conv(conv(x).permute(0, 3, 1, 2).softmax(2).permute(0, 2, 3, 1))
            """),
            pytorch_after=pytorch("""
                y = conv(conv(x).softmax(1))
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function in which padding decides something, once, at the value with the most of it."""
        limit = context.limit(LIMIT)
        for function, assessment in assessed(context) if limit is not None else ():
            if limit is None:
                continue
            most = int(limit.value)
            footprint, position = assessment.footprint, assessment.footprint.peak_position
            peak = footprint.peak
            added = 0 if position is None else peak - footprint.packed[position]
            dominates = 2 * added > peak and added > most
            found = (
                _worst_at(assessment, position) if dominates and position is not None else _pushed_out(assessment, most)
            )
            if not found:
                continue
            first = found[0]
            factor = first.laid_out / max(first.packed, 1)
            mistaken = [value for value in found if value.laid_out >= WORTH_A_WARNING * value.packed]
            of_mistakes = sum(value.laid_out for value in mistaken if _is_computed_with(value, function.graph))
            sure = dominates and 2 * of_mistakes > peak
            yield self.finding(
                f"{first.operand.name} ({first.shape}) takes {amount(first.laid_out)} for {amount(first.packed)}: its last "
                f"axis of {first.tensor.shape[-1]} is padded to {_row(first)} bytes, {factor:.3g} times its size"
                + (f"; {added / peak:.0%} of the peak of {amount(peak)} is padding" if dominates else "")
                + (f"; {len(found) - 1} more like it" if len(found) > 1 else ""),
                function=function,
                related=makers(found),
                severity=Severity.WARNING if sure else None,
                factor=factor,
                padding_bytes=added,
                largest=[value.facts() for value in found[:SHOWN]],
            )


def _pushed_out(assessment: Assessment, most: int) -> list[Held]:
    """The values that would fit packed, and as laid out do not."""

    def wanted(buffer: Buffer) -> bool:
        return buffer.packed <= most

    return _most_padded([value for value in held(assessment, most, wanted) if value.laid_out > most])


def _worst_at(assessment: Assessment, position: int) -> list[Held]:
    """The values that are live at an operation and more padding than content."""

    def wanted(buffer: Buffer) -> bool:
        return buffer.first <= position <= buffer.last and buffer.padding > buffer.packed

    return _most_padded([value for value in held(assessment, 0, wanted) if value.laid_out > 2 * value.packed])


def _most_padded(values: list[Held]) -> list[Held]:
    return sorted((value for value in values if value.tensor.rank), key=lambda value: value.packed - value.laid_out)


def _is_computed_with(value: Held, graph: Graph) -> bool:
    """Whether anything makes or uses a value but to arrange it anew."""
    nodes = (value.operand.producer, *(user for user, _ in graph.consumers(value.operand)))
    return any(node is not None and node.type not in ARRANGING for node in nodes)


def _row(value: Held) -> int:
    """The bytes of the last axis as laid out."""
    rows = 1
    for size in value.tensor.shape[:-1]:
        rows *= size if size is not None and size > 0 else 1
    return value.laid_out // rows
