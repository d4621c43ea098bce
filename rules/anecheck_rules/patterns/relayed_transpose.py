"""ANE228: a transpose of many axes, relayed in a chain of reshapes and transposes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import follow, maker, sole_user

FEWEST: Final = 3
"""How many transposes in a row are a chain: two are what a window partition at rank 5 may take."""
LONGEST: Final = 16


class RelayedTranspose(OperationRule):
    """A view of six or more axes became a chain of reshapes and transposes.

    ## Why it costs
    Nothing of rank 6 converts, so coremltools replaces a reshape, transpose and reshape at that rank by one small transpose
    for each axis, with reshapes between. A window partition, (B, C, H, W) into 8 × 8 windows, becomes six transposes and
    seven reshapes, each of which reads and writes the whole activation; the first of them often moves nothing at all.

        x ─ reshape ─ transpose ─ reshape ─ transpose ─ … six times … ─ reshape ─ windows

        x ─ reshape (C, H/8, 8, W/8, 8) ─ transpose(1, 3, 2, 4, 0) ─ reshape ─ windows

    ## Instead
    - With a batch of one, leave that axis out of the view: the same numbers at rank 5 with one transpose, which the engine
      takes.
    - With larger batches split in two steps, rows first and columns after, as Apple's vision transformers for the engine
      do: each is a reshape and a transpose at rank 5. Going back goes the same way.
    """

    code = "ANE228"
    name = "relayed-transpose"
    operations = frozenset({"transpose"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "leave the batch of one out of the view, or split rows and columns in two steps, at rank 5"
    covers = ("AT18",)
    evidence = (cite("apple-vit", Confidence.DOCUMENTED), cite("coremltools-9", Confidence.DOCUMENTED))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4, 4]> x) {
                    tensor<int32, [4]> swap = const()[val = tensor<int32, [4]>([0, 2, 1, 3])];
                    tensor<fp16, [1, 1, 1, 32]> a = reshape(shape = tensor<int32, [4]>([1, 1, 1, 32]), x = x);
                    tensor<fp16, [1, 1, 1, 32]> b = transpose(perm = swap, x = a);
                    tensor<fp16, [1, 2, 2, 8]> c = reshape(shape = tensor<int32, [4]>([1, 2, 2, 8]), x = b);
                    tensor<fp16, [1, 2, 2, 8]> d = transpose(perm = swap, x = c);
                    tensor<fp16, [2, 4, 2, 2]> e = reshape(shape = tensor<int32, [4]>([2, 4, 2, 2]), x = d);
                    tensor<fp16, [2, 2, 4, 2]> f = transpose(perm = swap, x = e);
                    tensor<fp16, [4, 2, 2, 2]> g = reshape(shape = tensor<int32, [4]>([4, 2, 2, 2]), x = f);
                    tensor<fp16, [4, 2, 2, 2]> h = transpose(perm = swap, x = g);
                    tensor<fp16, [8, 2, 2, 1]> i = reshape(shape = tensor<int32, [4]>([8, 2, 2, 1]), x = h);
                    tensor<fp16, [8, 2, 2, 1]> j = transpose(perm = swap, x = i);
                    tensor<fp16, [16, 1, 2, 1]> k = reshape(shape = tensor<int32, [4]>([16, 1, 2, 1]), x = j);
                    tensor<fp16, [16, 2, 1, 1]> l = transpose(perm = swap, x = k);
                    tensor<fp16, [4, 4, 2]> windows = reshape(shape = tensor<int32, [3]>([4, 4, 2]), x = l);
                } -> (windows);
            """),
            flags=("l",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4, 4]> x) {
                    tensor<fp16, [2, 2, 2, 2, 2]> a = reshape(shape = tensor<int32, [5]>([2, 2, 2, 2, 2]), x = x);
                    tensor<fp16, [2, 2, 2, 2, 2]> b = transpose(perm = tensor<int32, [5]>([1, 3, 2, 4, 0]), x = a);
                    tensor<fp16, [4, 4, 2]> windows = reshape(shape = tensor<int32, [3]>([4, 4, 2]), x = b);
                } -> (windows);
            """),
            pattern="reshape_5d_window_ios18",
            pytorch_before=pytorch("""
                n, c, h, w = x.shape
                y = x.view(n, c, h // s, s, w // s, s).permute(0, 2, 4, 3, 5, 1).reshape(-1, s * s, c)
            """),
            pytorch_after=pytorch("""
                _, c, h, w = x.shape  # a batch of one
                y = x.view(c, h // s, s, w // s, s).permute(1, 3, 2, 4, 0).reshape(-1, s * s, c)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag the last transpose of a chain in which reshapes and transposes take turns, and nobody looks in between."""
        if maker(operation.operand("x"), "reshape") is None or follow(operation, graph, "reshape", "transpose"):
            return
        chain, transposes, node = [], 1, operation
        while transposes < LONGEST:
            view = maker(node.operand("x"), "reshape")
            before = maker(view.operand("x"), "transpose") if view is not None else None
            if (
                view is None
                or before is None
                or sole_user(view, graph) is not node
                or sole_user(before, graph) is not view
            ):
                break
            chain += [view, before]
            transposes, node = transposes + 1, before
        if transposes >= FEWEST:
            start = maker(node.operand("x"), "reshape") or node
            yield self.finding(
                operation,
                f"{transposes} transposes in a row, with reshapes between, rearrange {start.tensor('x')} axis by axis",
                related=tuple(reversed(chain)),
                transposes=transposes,
            )
