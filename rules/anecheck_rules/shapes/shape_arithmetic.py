"""ANE707: sizes that are read while the model runs, and decide other sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, Device, cite
from anecheck.lint.rule import Context, Example, GraphContext, Match, ModelRule, mil, pytorch
from anecheck_rules.shapes.flexible_inputs import joined
from anecheck_rules.shapes.size_flow import SizeFlow, is_open, size_flow

SLICES = frozenset({"slice_by_index", "slice_by_size", "slice_update"})
"""Operations with a rule of their own for run-time bounds; it says for each what is known of it."""


class ShapeArithmetic(ModelRule):
    """The model computes sizes while it runs, from sizes that it reads with `shape`.

    ## Why it leaves the engine
    With flexible inputs, whatever the source took from `x.shape` becomes part of the program: an operation `shape`, integer
    arithmetic, and in the end an operation that makes something of that size:

        x ──> shape ──> gather ──> concat ──┐                       x ─────> reshape([1, -1, 4, 16]) ──> y
        └──────────────────────────────> reshape ──> y

    The engine has no `shape` and takes no 32-bit integers, so all of this runs on the CPU; and what it decides is a
    dynamic layer, which Apple names as the thing that keeps models with enumerated shapes from the engine: dynamic
    reshapes, slices, fills and tiles.

    This rule speaks once for each function, of the `shape` operations and of all that only works with their results.

    ## Instead
    - Convert with a fixed shape: all of it becomes constants and vanishes.
    - Let one axis be inferred: `x.reshape(1, -1, heads, width)` in place of `x.reshape(1, x.shape[1], heads, width)`.
      Write the sizes that do not change as numbers. One -1 is enough where one size is open.
    - Let broadcasting do what `expand` and `tile` to a size did.
    - Pass what depends on the size in as inputs: masks, positions, rows of cosines and sines, the mask of a cache's free slots.
    """

    code = "ANE707"
    name = "shape-arithmetic"
    rewrite = "fix the shape, or write sizes as numbers with one -1"
    evidence = (
        cite("ct-flex", Confidence.DOCUMENTED),
        cite("smp-notes", Confidence.COMMUNITY, "H13"),
        cite("aneforge-sweep", Confidence.REVERSE_ENGINEERED, "H17"),
    )
    covers = ("DY04", "DY09")
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, ?, 64]> x) {
                    tensor<int32, [3]> sizes = shape(x = x);
                    tensor<int32, [1]> length = gather(axis = int32(0), batch_dims = int32(0),
                        indices = tensor<int32, [1]>([1]), validate_indices = bool(false), x = sizes);
                    tensor<int32, [4]> heads = concat(axis = int32(0), interleave = bool(false),
                        values = (tensor<int32, [1]>([1]), length, tensor<int32, [1]>([4]), tensor<int32, [1]>([16])));
                    tensor<fp16, [1, ?, 4, 16]> y = reshape(shape = heads, x = x);
                } -> (y);
            """),
            flags=("sizes",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, ?, 64]> x) {
                    tensor<fp16, [1, ?, 4, 16]> y = reshape(shape = tensor<int32, [4]>([1, -1, 4, 16]), x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def heads(x):
                    return x.reshape(x.shape[0], x.shape[1], 4, 16)
            """),
            pytorch_after=pytorch("""
                def heads(x):
                    return x.reshape(1, -1, 4, 16)
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 8, ?]> x, tensor<fp16, [1, 8, 1]> bias) {
                    tensor<int32, [3]> sizes = shape(x = x);
                    tensor<int32, [1]> length = gather(axis = int32(0), batch_dims = int32(0),
                        indices = tensor<int32, [1]>([2]), validate_indices = bool(false), x = sizes);
                    tensor<int32, [3]> reps = concat(axis = int32(0), interleave = bool(false),
                        values = (tensor<int32, [1]>([1]), tensor<int32, [1]>([1]), length));
                    tensor<fp16, [1, 8, ?]> wide = tile(reps = reps, x = bias);
                    tensor<fp16, [1, 8, ?]> y = add(x = x, y = wide);
                } -> (y);
            """),
            flags=("sizes",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 8, ?]> x, tensor<fp16, [1, 8, 1]> bias) {
                    tensor<fp16, [1, 8, ?]> y = add(x = x, y = bias);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def shift(x, bias):
                    return x + bias.repeat(1, 1, x.shape[2])
            """),
            pytorch_after=pytorch("""
                def shift(x, bias):
                    return x + bias
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function once, at its first `shape`."""
        for function, placement in zip(context.functions, context.placements, strict=True):
            flow = size_flow(function.graph)
            if not flow.decided:
                continue
            able = {row.node for row in placement.operations if Device.ANE in row.support.devices}
            first, *others = (*flow.sources, *flow.carriers, *flow.decided)
            yield self.finding(
                _message(function, flow),
                node=first,
                function=function,
                related=tuple(node for node in others if node not in able and node.type not in SLICES),
                explains=True,
                shapes=len(flow.sources),
            )


def _message(function: GraphContext, flow: SizeFlow) -> str:
    kinds = Counter(node.type for node in flow.decided)
    decided = joined(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    sources = len(flow.sources)
    read = (
        "the size that 1 shape operation reads decides"
        if sources == 1
        else f"sizes from {sources} shape operations decide"
    )
    inputs = [f"'{operand.name}'" for operand in function.graph.inputs if is_open(operand)]
    where = f" (open: {joined(inputs)})" if inputs else ""
    return f"{read} {decided}{where}"
