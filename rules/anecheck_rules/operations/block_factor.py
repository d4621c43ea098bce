"""ANE137: blocks of a size that the engine does not rearrange."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil
from anecheck.mil.graph import Graph, Node

FACTORS = frozenset({1, 2, 3, 4, 8})
"""Blocks that the engine's own instructions make (1 moves nothing)."""


class BlockFactor(OperationRule):
    """A rearrangement between space and batch uses blocks other than 2, 3, 4 and 8.

    ## Why it leaves the engine
    The engine moves blocks of 2, 3, 4 or 8 samples between the picture and the batch, the same factors as its strides. With
    others its compiler failed on M5, on a way around Core ML. M4's compute plan has been read for blocks of 2 only, which
    stay on the engine, so this is a note.

    ## Instead
    A block that is a product of these is two rearrangements in a row, and undone in the opposite order around what happens in
    between. The same numbers:

        space_to_batch (6) → conv → batch_to_space (6)

        space_to_batch (2) → space_to_batch (3) → conv → batch_to_space (3) → batch_to_space (2)

    Blocks of 5, 7 and other primes are a `reshape` and a `transpose` for each axis.
    """

    code = "ANE137"
    name = "block-factor"
    severity = Severity.INFO
    operations = frozenset({"space_to_batch", "batch_to_space"})
    blocks = frozenset()
    rewrite = "rearrange twice by factors of 2, 3, 4 or 8, or reshape and transpose"
    evidence = (cite("aneforge", Confidence.REVERSE_ENGINEERED, "H17"),)
    covers = ("OP38",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 12, 12]> x) {
                    tensor<fp16, [1, 1, 2, 2]> w = const()[val = tensor<fp16, [1, 1, 2, 2]>([1, -2, 3, 5])];
                    tensor<fp16, [36, 1, 2, 2]> phases = space_to_batch(block_shape = tensor<int32, [2]>([6, 6]),
                        paddings = tensor<int32, [2, 2]>([0, 0, 0, 0]), x = x);
                    tensor<fp16, [36, 1, 1, 1]> h = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = phases);
                    tensor<fp16, [1, 1, 6, 6]> y = batch_to_space(block_shape = tensor<int32, [2]>([6, 6]),
                        crops = tensor<int32, [2, 2]>([0, 0, 0, 0]), x = h);
                } -> (y);
            """),
            flags=("phases", "y"),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 12, 12]> x) {
                    tensor<fp16, [1, 1, 2, 2]> w = const()[val = tensor<fp16, [1, 1, 2, 2]>([1, -2, 3, 5])];
                    tensor<fp16, [4, 1, 6, 6]> halves = space_to_batch(block_shape = tensor<int32, [2]>([2, 2]),
                        paddings = tensor<int32, [2, 2]>([0, 0, 0, 0]), x = x);
                    tensor<fp16, [36, 1, 2, 2]> phases = space_to_batch(block_shape = tensor<int32, [2]>([3, 3]),
                        paddings = tensor<int32, [2, 2]>([0, 0, 0, 0]), x = halves);
                    tensor<fp16, [36, 1, 1, 1]> h = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = phases);
                    tensor<fp16, [4, 1, 3, 3]> thirds = batch_to_space(block_shape = tensor<int32, [2]>([3, 3]),
                        crops = tensor<int32, [2, 2]>([0, 0, 0, 0]), x = h);
                    tensor<fp16, [1, 1, 6, 6]> y = batch_to_space(block_shape = tensor<int32, [2]>([2, 2]),
                        crops = tensor<int32, [2, 2]>([0, 0, 0, 0]), x = thirds);
                } -> (y);
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag blocks that are none of the engine's factors."""
        blocks = [int(size) for size in operation.constant("block_shape") or ()]
        odd = [size for size in blocks if size not in FACTORS]
        if odd:
            yield self.finding(
                operation, f"{operation.type} with blocks of {odd[0]}, where 2, 3, 4 and 8 are what moves", block=blocks
            )
