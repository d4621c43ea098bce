"""ANE108: reading at run-time positions with `gather_along_axis` and `gather_nd`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import FAMILIES, Citation, Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.forms.integer_paths import index_preparation, is_wide


class IndexedRead(OperationRule):
    """A `gather_along_axis` or `gather_nd` whose indices are only known at run time.

    ## Why it leaves the engine
    With 16-bit indices both operations may stay on the engine from H14 on; older ones lack the hardware. What makes the
    indices may not: a model takes positions as int32, so coremltools narrows them with a cast, and `gather_nd` also has
    `greater_equal`, `add` and `select` before it, which wrap negative indices. That is 32-bit arithmetic on the CPU,
    and the read behind it has to wait for the switch. Where the indices are not narrowed at all, the read itself
    leaves.

    ## Instead
    - Pass the rows that are read, or the cosines and sines of the positions, into the model.
    - Read a short axis by a matrix product: compare fp16 indices with a constant range and multiply by the result.
    - If the positions never change, use a `gather` with constant indices or slices.

    ## Known exceptions
    Indices that the engine itself gives in 16 bits (those of a `topk`, for example) need no preparation; nothing is
    said of a read that follows them.

    ## Contradictions
    M4's plan lists the engine for both operations (751k), but M3 Pro's plan of a detector put `gather_along_axis` on the
    CPU (rfdetr), and a direct engine compile on M5 has neither (aneforge). With 16-bit indices the read itself is
    therefore not counted as lost; what prepares the indices is. On iPhones a `gather_nd` at data-dependent positions was
    seen to answer zeros (john), and Apple's notes on Core AI refuse the form with three axes: compare the results on a
    device.
    """

    code = "ANE108"
    name = "indexed-read"
    operations = frozenset({"gather_along_axis", "gather_nd"})
    rewrite = "pass the rows in, or multiply by a one-hot matrix made from fp16 indices"
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("apple-coreai", Confidence.DOCUMENTED),
    )
    covers = ("OP03",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 8]> x, tensor<int32, [1, 2]> positions) {
                    tensor<int16, [1, 2]> short = cast(dtype = string("int16"), x = positions);
                    tensor<fp16, [1, 2]> y = gather_along_axis(axis = int32(1), indices = short,
                        validate_indices = bool(false), x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 8]> x, tensor<fp16, [1, 2]> positions) {
                    tensor<fp16, [8, 1]> range = const()[val = tensor<fp16, [8, 1]>(
                        [[0], [1], [2], [3], [4], [5], [6], [7]])];
                    tensor<bool, [8, 2]> here = equal(x = range, y = positions);
                    tensor<fp16, [8, 2]> pick = cast(dtype = string("fp16"), x = here);
                    tensor<fp16, [1, 2]> y = matmul(transpose_x = bool(false), transpose_y = bool(false),
                        x = x, y = pick);
                } -> (y);
            """),
            equal=False,
            reason="redesign: the positions become an fp16 input, exact for integers up to 2048",
            pytorch_before=pytorch("""
                def forward(self, x, positions):
                    return torch.gather(x, 1, positions)
            """),
            pytorch_after=pytorch("""
                def forward(self, x, positions):  # positions in fp16
                    pick = torch.arange(8, dtype=x.dtype)[:, None] == positions
                    return x @ pick.to(x.dtype)
            """),
            pattern="gather_ios18",
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag run-time indices that are wide or prepared from wide ones; all of them where the engine lacks the read."""
        indices = operation.operand("indices")
        if indices is None or indices.is_constant:
            return
        source = operation.tensor("x")
        preparation = index_preparation(indices)
        verdict = context.verdict(operation.type)
        without = context.families_without(operation.type)
        count = len(preparation)
        if is_wide(indices):
            dtype = indices.tensor.dtype if indices.tensor else ""
            message = f"reads {source} at run-time positions in {dtype}"
            yield self.finding(operation, message, related=preparation, prepared_by=count)
        elif verdict is not None and verdict.status == "never":
            yield self.finding(
                operation,
                f"reads {source} at run-time positions",
                families=without,
                related=preparation,
                evidence=tuple(Citation(key, verdict.confidence, verdict.families) for key in verdict.sources),
                prepared_by=count,
            )
        elif preparation:
            yield self.finding(
                operation,
                f"{'1 operation prepares' if count == 1 else f'{count} operations prepare'} the positions in {source}",
                families=tuple(family for family in FAMILIES if family not in without),
                related=preparation,
                blocks=False,
                prepared_by=count,
            )
