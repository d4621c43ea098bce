"""ANE221: an adaptive pooling that became a slice and a reduction for each element of its result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import maker, sole_user

KINDS: Final = {"reduce_mean": "average", "reduce_max": "maximum"}

FEWEST = 4
"""So many windows joined are a pooling; two halves that are each averaged may well be meant as such."""


class SplitAdaptivePooling(OperationRule):
    """An adaptive pooling is spelled out window by window.

    ## Why it costs
    Where the size wanted does not divide the size given, the windows of PyTorch's adaptive pooling differ in size and
    overlap, and no pooling of MIL does that. coremltools writes each window out: a slice, a reduction, and at the end a
    concat of them all. `AdaptiveAvgPool2d(7)` of 32 × 32 becomes 49 slices and 49 means, 100 operations for what costs next
    to nothing. Each has its price, wherever it runs, and they are compiled one by one.

        x ─┬─ slice_by_index ─ reduce_mean ─┬─ concat ─ reshape        x ─ avg_pool
           ├─ slice_by_index ─ reduce_mean ─┤                     or
           └─ … one pair for each window ───┘                          x ─ matmul(columns) ─ matmul(rows)

    ## Instead
    - Have the sizes divide: let 32 come down to 8 or 4 and not to 7, or give the model images that end in a multiple of 7
      (224 does, at a stride of 32: there `AdaptiveAvgPool2d(7)` changes nothing and may go). Then it is one `avg_pool`.
    - Keep the windows as they are: an average is linear, so that one matrix takes the mean along each axis. A row of the
      matrix holds 1/n for the n elements of a window. Two products give what the 49 pairs gave, up to rounding.
    - A maximum has no such matrix; there only a size that divides helps.
    """

    code = "ANE221"
    name = "split-adaptive-pooling"
    operations = frozenset({"concat"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "pool to a size that divides the given one, or average by a constant matrix along each axis"
    evidence = (cite("coremltools-9", Confidence.DOCUMENTED),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 3]> x) {
                    tensor<fp16, [1, 2, 2, 2]> a = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 0, 0]), end = tensor<int32, [4]>([1, 2, 2, 2]), x = x);
                    tensor<fp16, [1, 2, 1, 1]> p = reduce_mean(
                        axes = tensor<int32, [2]>([-2, -1]), keep_dims = bool(true), x = a);
                    tensor<fp16, [1, 2, 2, 2]> b = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 0, 1]), end = tensor<int32, [4]>([1, 2, 2, 3]), x = x);
                    tensor<fp16, [1, 2, 1, 1]> q = reduce_mean(
                        axes = tensor<int32, [2]>([-2, -1]), keep_dims = bool(true), x = b);
                    tensor<fp16, [1, 2, 2, 2]> c = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 1, 0]), end = tensor<int32, [4]>([1, 2, 3, 2]), x = x);
                    tensor<fp16, [1, 2, 1, 1]> r = reduce_mean(
                        axes = tensor<int32, [2]>([-2, -1]), keep_dims = bool(true), x = c);
                    tensor<fp16, [1, 2, 2, 2]> d = slice_by_index(
                        begin = tensor<int32, [4]>([0, 0, 1, 1]), end = tensor<int32, [4]>([1, 2, 3, 3]), x = x);
                    tensor<fp16, [1, 2, 1, 1]> s = reduce_mean(
                        axes = tensor<int32, [2]>([-2, -1]), keep_dims = bool(true), x = d);
                    tensor<fp16, [1, 2, 1, 4]> all = concat(axis = int32(-1), interleave = bool(false), values = (p, q, r, s));
                    tensor<fp16, [1, 2, 2, 2]> y = reshape(shape = tensor<int32, [4]>([1, 2, 2, 2]), x = all);
                } -> (y);
            """),
            flags=("all",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 3]> x) {
                    tensor<fp16, [3, 2]> columns = const()[val = tensor<fp16, [3, 2]>([[0.5, 0], [0.5, 0.5], [0, 0.5]])];
                    tensor<fp16, [2, 3]> rows = const()[val = tensor<fp16, [2, 3]>([[0.5, 0.5, 0], [0, 0.5, 0.5]])];
                    tensor<fp16, [1, 2, 3, 2]> h = matmul(x = x, y = columns);
                    tensor<fp16, [1, 2, 2, 2]> y = matmul(x = rows, y = h);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                self.pool = torch.nn.AdaptiveAvgPool2d(2)  # of 3 × 3
            """),
            pytorch_after=pytorch("""
                rows = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]])  # one row a window
                y = rows @ (x @ rows.T)
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 6]> x) {
                    tensor<fp16, [1, 2, 2]> a = slice_by_index(
                        begin = tensor<int32, [3]>([0, 0, 0]), end = tensor<int32, [3]>([1, 2, 2]), x = x);
                    tensor<fp16, [1, 2, 1]> p = reduce_mean(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true), x = a);
                    tensor<fp16, [1, 2, 2]> b = slice_by_index(
                        begin = tensor<int32, [3]>([0, 0, 1]), end = tensor<int32, [3]>([1, 2, 3]), x = x);
                    tensor<fp16, [1, 2, 1]> q = reduce_mean(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true), x = b);
                    tensor<fp16, [1, 2, 2]> c = slice_by_index(
                        begin = tensor<int32, [3]>([0, 0, 3]), end = tensor<int32, [3]>([1, 2, 5]), x = x);
                    tensor<fp16, [1, 2, 1]> r = reduce_mean(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true), x = c);
                    tensor<fp16, [1, 2, 2]> d = slice_by_index(
                        begin = tensor<int32, [3]>([0, 0, 4]), end = tensor<int32, [3]>([1, 2, 6]), x = x);
                    tensor<fp16, [1, 2, 1]> s = reduce_mean(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true), x = d);
                    tensor<fp16, [1, 2, 4]> y = concat(axis = int32(-1), interleave = bool(false), values = (p, q, r, s));
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 6]> x) {
                    tensor<fp16, [6, 4]> windows = const()[val = tensor<fp16, [6, 4]>([
                        [0.5, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 0.5, 0, 0], [0, 0, 0.5, 0], [0, 0, 0.5, 0.5], [0, 0, 0, 0.5]])];
                    tensor<fp16, [1, 2, 4]> y = matmul(x = x, y = windows);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                self.pool = torch.nn.AdaptiveAvgPool1d(4)  # of 6
            """),
            pytorch_after=pytorch("""
                windows = torch.nn.functional.adaptive_avg_pool1d(torch.eye(6), 4)  # its own matrix
                y = x @ windows
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a concat of nothing but reductions, each of another slice of one value."""
        reductions = [value.producer for value in operation.inputs.get("values", ())]
        kind = reductions[0].type if reductions and reductions[0] is not None else ""
        if len(reductions) < FEWEST or kind not in KINDS:
            return
        involved = []
        for reduction in reductions:
            if reduction is None or reduction.type != kind or sole_user(reduction, graph) is not operation:
                return
            window = maker(reduction.operand("x"), "slice_by_index", "slice_by_size")
            if window is None:
                return
            involved += [window, reduction]
        source = involved[0].operand("x")
        if source is None or any(window.operand("x") is not source for window in involved[::2]):
            return
        yield self.finding(
            operation,
            f"an adaptive {KINDS[kind]} pooling of {source.type} in {len(reductions)} slices and {len(reductions)} reductions",
            related=tuple(involved),
            windows=len(reductions),
        )
