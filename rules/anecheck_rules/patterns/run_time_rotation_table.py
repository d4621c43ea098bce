"""ANE253: sines and cosines of positions, computed in the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.pattern import with_constant

MOVES = frozenset({"concat", "stack", "reshape", "transpose", "expand_dims", "squeeze", "cast", "tile"})
"""What lies between the products of positions and frequencies and their sines: the doubling of angles, and axes."""

FARTHEST = 6
"""How many of these operations are followed up; doubling the angles and giving them an axis of heads are three."""


class RunTimeRotationTable(OperationRule):
    """Sines and cosines of positions are computed while the model runs (rotary embeddings, steps of a diffusion).

    ## Why it goes wrong
    The angle is a position times a frequency, and the fastest frequency is 1, so at position 1000 the angle is 1000. In
    fp16 the numbers from 512 to 1024 lie 0.5 apart, and those from 2048 on 2: the angle is off by up to a quarter of a
    radian, or by a whole one, before its sine is taken. PyTorch models compute the angles in fp32 on purpose; converting to
    fp16 takes that away without a word.

        positions ─ mul(frequencies) ─┬─ sin ─┐
                                      └─ cos ─┴─ mul, add with queries and keys

        sin, cos (inputs) ────────────────────── mul, add with queries and keys

    Kept in fp32 instead, they leave the engine. On A14, A15, M1 and M2 sine and cosine leave it in any type. And the
    positions arrive as integers, whose cast is a piece of work for the CPU in the middle of the model.

    ## Instead
    Make the sines and cosines inputs, as Apple's models for Core AI do: the app computes a table in fp32 once and hands over
    the rows of the positions at hand, 256 bytes each for a width of 64. Where the length is fixed and positions count from
    zero, make the table a constant (`register_buffer`). Do not gather its rows by position in the model: gathers with
    run-time indices run on the CPU.

    ## Known exceptions
    Positions below a hundred or so, and angles that the model wraps to ±π before, are exact enough in fp16.
    """

    code = "ANE253"
    name = "run-time-rotation-table"
    operations = frozenset({"sin"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "make the sines and cosines inputs, computed in fp32 by the app"
    covers = ("AT15",)
    evidence = (cite("apple-coreai", Confidence.DOCUMENTED), cite("arith", Confidence.DOCUMENTED))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 8, 8]> q, tensor<fp16, [1, 1, 8, 1]> positions) {
                    tensor<fp16, [1, 1, 1, 4]> frequencies = const()[val = tensor<fp16, [1, 1, 1, 4]>(
                        [[[[1, 0.25, 0.0625, 0.015625]]]])];
                    tensor<fp16, [1, 1, 8, 4]> angles = mul(x = positions, y = frequencies);
                    tensor<fp16, [1, 1, 8, 4]> c = cos(x = angles);
                    tensor<fp16, [1, 1, 8, 4]> s = sin(x = angles);
                    tensor<fp16, [1, 2, 8, 4]> a, tensor<fp16, [1, 2, 8, 4]> b = split(
                        axis = int32(3), num_splits = int32(2), x = q);
                    tensor<fp16, [1, 2, 8, 4]> ac = mul(x = a, y = c);
                    tensor<fp16, [1, 2, 8, 4]> bs = mul(x = b, y = s);
                    tensor<fp16, [1, 2, 8, 4]> bc = mul(x = b, y = c);
                    tensor<fp16, [1, 2, 8, 4]> as = mul(x = a, y = s);
                    tensor<fp16, [1, 2, 8, 4]> first = sub(x = ac, y = bs);
                    tensor<fp16, [1, 2, 8, 4]> second = add(x = bc, y = as);
                    tensor<fp16, [1, 2, 8, 8]> y = concat(axis = int32(3), interleave = bool(false), values = (first, second));
                } -> (y);
            """),
            flags=("s",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 8, 8]> q, tensor<fp16, [1, 1, 8, 4]> c, tensor<fp16, [1, 1, 8, 4]> s) {
                    tensor<fp16, [1, 2, 8, 4]> a, tensor<fp16, [1, 2, 8, 4]> b = split(
                        axis = int32(3), num_splits = int32(2), x = q);
                    tensor<fp16, [1, 2, 8, 4]> ac = mul(x = a, y = c);
                    tensor<fp16, [1, 2, 8, 4]> bs = mul(x = b, y = s);
                    tensor<fp16, [1, 2, 8, 4]> bc = mul(x = b, y = c);
                    tensor<fp16, [1, 2, 8, 4]> as = mul(x = a, y = s);
                    tensor<fp16, [1, 2, 8, 4]> first = sub(x = ac, y = bs);
                    tensor<fp16, [1, 2, 8, 4]> second = add(x = bc, y = as);
                    tensor<fp16, [1, 2, 8, 8]> y = concat(axis = int32(3), interleave = bool(false), values = (first, second));
                } -> (y);
            """),
            equal=False,
            reason="redesign: the app computes the sines and cosines in fp32 and hands them over in place of positions",
            pytorch_before=pytorch("""
                def forward(self, q, positions):
                    angles = positions * self.frequencies
                    cos, sin = angles.cos(), angles.sin()
                    a, b = q.chunk(2, dim=-1)
                    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)
            """),
            pytorch_after=pytorch("""
                def forward(self, q, cos, sin):
                    a, b = q.chunk(2, dim=-1)
                    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a sine beside a cosine of the same angles, which are run-time positions times constant frequencies."""
        angles = operation.operand("x")
        if angles is None or angles.tensor is None:
            return
        beside = any(user.type == "cos" for user, _ in graph.consumers(angles))
        if beside and _are_positions_times_frequencies(angles):
            yield self.finding(
                operation,
                f"sines and cosines of {angles.type}, positions times frequencies, at every prediction",
                angles=angles.name,
            )


def _are_positions_times_frequencies(angles: Operand) -> bool:
    """Whether angles are made by one product of something that runs with several constants."""
    operand = angles
    for _ in range(FARTHEST):
        node = operand.producer
        if node is None:
            return False
        if node.type in {"mul", "real_div", "matmul"}:
            found = with_constant(node)
            tensor = found[1].tensor if found else None
            return tensor is not None and (tensor.element_count or 0) > 1
        source = node.operand("values") or node.operand("x")
        if node.type not in MOVES or source is None:
            return False
        operand = source
    return False
