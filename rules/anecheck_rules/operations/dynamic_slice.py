"""ANE124: slices whose bounds are only known while the model runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.forms.integer_paths import index_preparation, is_wide

BOUNDS = ("begin", "end", "size", "stride")
ANALOGY = (cite("751k-dispatch", Confidence.EXTRAPOLATED),)
WRITING = (cite("ctorch6", Confidence.COMMUNITY), cite("john", Confidence.COMMUNITY, "H17", "H18"))


class DynamicSlice(OperationRule):
    """A slice whose bounds are only known at run time.

    ## Why it leaves the engine
    Constant bounds are compiled in. Run-time bounds arrive as a tensor of 32-bit integers, and Core ML's compiler
    refuses the engine an operation with such an input: it calls it connected to an "invalid live-in". What computes the
    bounds is 32-bit arithmetic, on the CPU as well. If the length is open too, so are the shapes of all that follows.

    This was measured for `slice_by_size`. `slice_by_index` takes its bounds the same way and is judged alike.

    ## Instead
    - Slice outside the model and pass the slice in: rows of a table of cosines and sines, a row of a mask.
    - Select with a matrix: an fp16 input with a one in each row, times the tensor, picks any rows of a short axis.
    - Write at a position by blending, `y = x · (1 − m) + u · m`, with an fp16 mask of ones and zeros as an input.

    ## Known exceptions
    `slice_update` gets a hint only and is not counted as lost by this rule. Models that keep a cache in a state write
    to it this way and run on the engine; that run-time bounds crash its compiler was reported for Core AI alone, and
    nobody published a placement report for Core ML. Bounds in 8 or 16 bits were measured nowhere either.
    """

    code = "ANE124"
    name = "dynamic-slice"
    operations = frozenset({"slice_by_size", "slice_by_index", "slice_update"})
    rewrite = "make the bounds constant, pass the slice in, or select and write with an fp16 mask"
    evidence = (cite("751k-dispatch", Confidence.MEASURED, "H16"), cite("apple-coreai", Confidence.DOCUMENTED))
    covers = ("DY10", "ST04")
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 8, 32]> x, tensor<int32, [3]> begin) {
                    tensor<fp16, [1, 2, 32]> y = slice_by_size(begin = begin,
                        size = tensor<int32, [3]>([1, 2, 32]), x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 8, 32]> x, tensor<fp16, [1, 2, 8]> pick) {
                    tensor<fp16, [1, 2, 32]> y = matmul(transpose_x = bool(false), transpose_y = bool(false),
                        x = pick, y = x);
                } -> (y);
            """),
            equal=False,
            reason="redesign: a matrix with a one in each row takes the place of the position",
            pytorch_before=pytorch("""
                def forward(self, x, position):
                    return x[:, position : position + 2]
            """),
            pytorch_after=pytorch("""
                def forward(self, x, pick):  # [1, 2, 8], a one in each row at the position to read
                    return pick @ x
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 32]> x, tensor<fp16, [1, 1, 32]> u, tensor<int32, [3]> begin,
                        tensor<int32, [3]> end) {
                    tensor<fp16, [1, 8, 32]> y = slice_update(begin = begin, end = end, update = u, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 32]> x, tensor<fp16, [1, 1, 32]> u,
                        tensor<fp16, [1, 8, 32]> mask) {
                    tensor<fp16, [1, 8, 32]> rest = sub(x = fp16(1), y = mask);
                    tensor<fp16, [1, 8, 32]> kept = mul(x = x, y = rest);
                    tensor<fp16, [1, 8, 32]> written = mul(x = u, y = mask);
                    tensor<fp16, [1, 8, 32]> y = add(x = kept, y = written);
                } -> (y);
            """),
            equal=False,
            reason="redesign: a mask of ones and zeros takes the place of the position",
            pytorch_before=pytorch("""
                def forward(self, x, u, position):
                    y = x.clone()
                    y[:, position : position + 1] = u
                    return y
            """),
            pytorch_after=pytorch("""
                def forward(self, x, u, mask):  # ones at the position to write, zeros elsewhere
                    return x * (1 - mask) + u * mask
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag run-time bounds, together with the operations that only prepare them."""
        bounds = {name: operand for name in BOUNDS if (operand := operation.operand(name)) and not operand.is_constant}
        if not bounds:
            return
        wide = any(map(is_wide, bounds.values()))
        writes = operation.type == "slice_update"
        evidence = WRITING if writes else ANALOGY if operation.type == "slice_by_index" or not wide else ()
        yield self.finding(
            operation,
            f"run-time {' and '.join(bounds)} in {operation.tensor('x')}",
            related=tuple(dict.fromkeys(node for operand in bounds.values() for node in index_preparation(operand))),
            blocks=wide and not writes,
            severity=Severity.INFO if writes or not wide else None,
            evidence=evidence,
            bounds=list(bounds),
        )
