"""ANE708: tensors whose size depends on the data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, Device, cite
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.graph import Graph, Node, Operand
from anecheck_rules.shapes.size_flow import SIZES, is_open, size_flow

BY_DATA = frozenset({"non_zero", "non_maximum_suppression"})
"""Operations whose results are as long as the data makes them, without being told a size."""


class DataDependentShape(ModelRule):
    """The size of a tensor depends on what the model computes, and more is computed from it.

    ## Why it leaves the engine
    `x[mask]`, `torch.nonzero`, `torch.arange(n)` or a fill with a computed length make tensors of which nobody knows the
    size before the model runs, not even when the shapes of the inputs are fixed. The engine runs what was compiled for
    fixed sizes, so the operation leaves it, and everything computed from its result has an open size too:

        x ──> greater ──> non_zero ──> gather_nd ──> …        x ──> greater ──> select(x, 0) ──> …
                          [?, 2]       [?]            [?]                       [1, 256]         [1, 256]

    Unlike the open sizes of flexible inputs, no list of shapes and no hint to Core ML settles these.

    ## Instead
    - Keep the full length and mask: `select` puts in a zero (for sums) or the smallest number (for maxima and softmax).
    - Take a fixed number: the best k of `topk`, padded where fewer count, and how many count as another output.
    - End the model before it, and let the app pick; filtering some hundred rows takes microseconds there.
    """

    code = "ANE708"
    name = "data-dependent-shape"
    rewrite = "keep the full length and mask, take a fixed number, or pick outside the model"
    evidence = (
        cite("apple-coreai", Confidence.DOCUMENTED),
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios16>(tensor<fp16, [4, 64]> x) {
                    tensor<bool, [4, 64]> mask = greater(x = x, y = fp16(0));
                    tensor<int32, [?, 2]> positions = non_zero(x = mask);
                    tensor<fp16, [?]> chosen = gather_nd(batch_dims = int32(0), indices = positions, x = x);
                    tensor<fp16, [1]> y = reduce_sum(axes = tensor<int32, [1]>([0]), keep_dims = bool(true), x = chosen);
                } -> (y);
            """),
            flags=("positions",),
            also=("ANE108",),
            after=mil("""
                func main<ios16>(tensor<fp16, [4, 64]> x) {
                    tensor<bool, [4, 64]> mask = greater(x = x, y = fp16(0));
                    tensor<fp16, [4, 64]> chosen = select(a = x, b = fp16(0), cond = mask);
                    tensor<fp16, [1, 1]> total = reduce_sum(axes = tensor<int32, [2]>([0, 1]), keep_dims = bool(true),
                        x = chosen);
                    tensor<fp16, [1]> y = squeeze(axes = tensor<int32, [1]>([0]), x = total);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def total(x):
                    return x[x > 0].sum()
            """),
            pytorch_after=pytorch("""
                def total(x):
                    return torch.where(x > 0, x, 0).sum()
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function once, where operations that the engine could run work on such tensors."""
        for function, placement in zip(context.functions, context.placements, strict=True):
            if all(tensor.is_static for tensor in function.graph.tensor_types):
                continue
            births = _births(function.graph)
            reached = _reached(function.graph, births)
            able = [row for row in placement.operations if row.node in reached and Device.ANE in row.support.devices]
            if able:
                noun = "operation that the engine has" if len(able) == 1 else "operations that the engine has"
                more = f" (and of {len(births) - 1} more results)" if len(births) > 1 else ""
                yield self.finding(
                    f"the size of what {births[0].type} gives{more} depends on data, and {len(able)} {noun} must bear it",
                    node=births[0],
                    function=function,
                    explains=True,
                    operations=len(able),
                )


def _births(graph: Graph) -> list[Node]:
    """The operations that open a size that all their operands had, and not because a `shape` told them."""
    told = set(size_flow(graph).decided)
    return [node for node in graph.running if node not in told and _opens(node)]


def _opens(node: Node) -> bool:
    if not any(map(is_open, node.outputs)) or any(is_open(operand) for _, operand in node.operands()):
        return False
    return node.type in BY_DATA or any(
        parameter in SIZES and not operand.is_constant for parameter, operand in node.operands()
    )


def _reached(graph: Graph, births: list[Node]) -> set[Node]:
    """The operations that compute with tensors of an open size that come from `births`."""
    opened: set[Operand] = {output for node in births for output in node.outputs if is_open(output)}
    found = set()
    for node in graph.running if opened else ():
        if any(operand in opened for _, operand in node.operands()):
            opened.update(filter(is_open, node.outputs))
            found.add(node)
    return found
