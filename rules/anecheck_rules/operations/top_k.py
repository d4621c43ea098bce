"""ANE112: the largest or smallest few values along an axis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import FAMILIES, Citation, Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.forms.integer_paths import is_wide


class TopK(OperationRule):
    """A `topk` leaves the engine, or takes milliseconds on it.

    ## Why it leaves the engine
    Engines before H14 have no sorting. On later ones Core ML's compiler takes `topk` with 16-bit indices only ("ANE
    TopK can only generate uint16 indices"), so an axis may not be longer than those count; programs for iOS 15 and 16,
    and those that ask for int32 indices, give 32-bit integers, which the engine does not have.

    Where it may stay, Core ML's plan is far off: on M4 it expected 0.03 to 0.06 ms and the operation took 6 to 10 ms,
    longer than on the CPU. Core ML does not steer around what it takes to be cheap.

    ## Instead
    - Return the scores and choose outside the model. For a detector that is a few thousand comparisons.
    - For k = 1 take `reduce_max`, or `reduce_min` where `ascending` is true; for two or three values mask the greatest
      and repeat (equal values fall together).
    - Where the rest of the model needs the choice, leave it as close to the end as possible and convert for iOS 17 or
      later, which gives 16-bit indices.

    ## Contradictions
    M4's plan lists the engine (751k), a direct compile for the same chip failed, M3 Pro's plan of a detector put the
    operation on the CPU (rfdetr), and the engine guide has no sorting on A14 and M1. Which it is depends on the chip and
    the release, and where it may stay it was slow: so each is flagged, and counted as lost only for the reasons above.
    """

    code = "ANE112"
    name = "top-k"
    operations = frozenset({"topk"})
    rewrite = "return the scores and choose outside the model; for k = 1 take reduce_max"
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("rfdetr", Confidence.MEASURED, "H15"),
    )
    covers = ("OP07", "OP56")
    limits = ("topk-index",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 8, 32]> x) {
                    tensor<fp16, [1, 1, 32]> y, tensor<uint16, [1, 1, 32]> indices = topk(ascending = bool(false),
                        axis = int32(1), k = int32(1), output_indices_dtype = string("uint16"),
                        return_indices = bool(true), sort = bool(true), x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 8, 32]> x) {
                    tensor<fp16, [1, 1, 32]> y = reduce_max(axes = tensor<int32, [1]>([1]), keep_dims = bool(true),
                        x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x):
                    values, _ = torch.topk(x, 1, dim=1)
                    return values
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return x.amax(1, keepdim=True)
            """),
            pattern="topk_ios18",
        ),
        Example(
            before=mil("""
                func main<ios16>(tensor<fp16, [1, 300]> x) {
                    tensor<fp16, [1, 300]> scores = sigmoid(x = x);
                    tensor<fp16, [1, 10]> y, tensor<int32, [1, 10]> indices = topk(ascending = bool(false),
                        axis = int32(1), k = int32(10), return_indices = bool(true), sort = bool(true), x = scores);
                } -> (y, indices);
            """),
            flags=("y",),
            after=mil("""
                func main<ios16>(tensor<fp16, [1, 300]> x) {
                    tensor<fp16, [1, 300]> scores = sigmoid(x = x);
                } -> (scores);
            """),
            equal=False,
            reason="redesign: the model returns all scores, and the app chooses",
            pytorch_before=pytorch("""
                def forward(self, x):  # converted for iOS 16
                    return torch.topk(torch.sigmoid(x), 10)
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return torch.sigmoid(x)  # the app chooses
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag every one; it stays eligible only with 16-bit indices, on an axis that they can count, from H14 on."""
        k, axis, size = _shape_of_choice(operation)
        choice = f"{'?' if k is None else k} of {'?' if size is None else size} values along axis {axis}"
        wide = next((output for output in operation.outputs if is_wide(output)), None)
        limit, verdict = context.limit("topk-index"), context.verdict(operation.type)
        without = context.families_without(operation.type)
        if wide is not None:
            user = graph.only_user(wide)
            yield self.finding(
                operation,
                f"{choice}, with int32 indices",
                related=(user,) if user and user.type == "cast" else (),
                evidence=(
                    cite("751k-analytics", Confidence.MEASURED, "H16"),
                    cite("apple-coreai", Confidence.DOCUMENTED),
                ),
                k=k,
                axis=axis,
            )
        elif verdict is not None and verdict.status == "never":
            evidence = tuple(Citation(key, verdict.confidence, verdict.families) for key in verdict.sources)
            message = f"{choice}, and the engine cannot sort"
            yield self.finding(operation, message, families=without, evidence=evidence, k=k, axis=axis)
        elif limit is not None and size is not None and size > limit.value:
            families = context.families_below("topk-index", size)
            message = f"{choice}, too many for 16-bit indices (up to {limit.value:.0f})"
            yield self.finding(operation, message, families=families, evidence=limit.citations, k=k, axis=axis)
        else:
            families = tuple(family for family in FAMILIES if family not in without)
            message = f"{choice}: eligible, but slower than on the CPU where it was measured"
            yield self.finding(operation, message, families=families, blocks=False, k=k, axis=axis)


def _shape_of_choice(operation: Node) -> tuple[int | None, int, int | None]:
    """K (`None` if unknown, the size if all are asked for), the axis, and the axis' size (`None` if unknown)."""
    x, k, axis = operation.tensor("x"), operation.scalar("k"), operation.scalar("axis")
    along = axis if isinstance(axis, int) else -1
    size = x.shape[along] if x and -x.rank <= along < x.rank else None
    if "k" not in operation.inputs:
        return 1, along, size
    return (size if k == -1 else k if isinstance(k, int) else None), along, size
