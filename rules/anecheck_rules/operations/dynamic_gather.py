"""ANE107: gathering with indices that are only known while the model runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil
from anecheck.mil.graph import Graph, Node
from anecheck_rules.integer_paths import index_preparation


class DynamicGather(OperationRule):
    """A `gather` whose indices are only known at run time (an embedding look-up, most often).

    ## Why it leaves the engine
    Core ML's compiler turns a gather with constant indices into slices and keeps it on the engine. With run-time indices
    it refuses the operation ("Unsupported gather index type"), and the integer operations that coremltools puts before it
    (a cast, `greater_equal`, `add`, `select` and a cast again, to wrap negative indices) compute on 32-bit integers, which
    the engine does not. All of them run on the CPU.

    ## Instead
    - Do the look-up outside the model and make the embeddings its input: the table is a memory-mapped file, the look-up a
      copy of a few kilobytes.
    - Or leave it as it is when it stands at the very beginning: then it costs one switch to the engine.
    - For small tables multiply a one-hot matrix by the table; compare fp16 indices with a constant range to make it.
    - If the indices never change, make them constants.

    ## Known contradictions
    Engines from H14 on have hardware for gathers. Core ML does not use it for `gather` on M4.
    """

    code = "ANE107"
    name = "dynamic-gather"
    operations = frozenset({"gather"})
    rewrite = "look the rows up outside the model and pass them in, or make the indices constants"
    reject = "Unsupported gather index type"
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("apple-coreai", Confidence.DOCUMENTED),
        cite("smp-notes", Confidence.COMMUNITY, "H13"),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<int32, [1, 16]> ids) {
                    tensor<fp16, [100, 32]> table = const()[val = tensor<fp16, [100, 32]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<int16, [1, 16]> short = cast(dtype = string("int16"), x = ids);
                    tensor<fp16, [1, 16, 32]> y = gather(axis = int32(0), batch_dims = int32(0), indices = short,
                        validate_indices = bool(false), x = table);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 16, 32]> rows) {
                    tensor<fp16, [1, 16, 32]> y = identity(x = rows);
                } -> (y);
            """),
            equal=False,
            reason="redesign: the look-up moves out of the model, whose input becomes the rows",
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag run-time indices, together with the operations that only prepare them."""
        indices = operation.operand("indices")
        if indices is None or indices.is_constant:
            return
        preparation = index_preparation(indices)
        extra = f", prepared by {len(preparation)} of the operations before it" if preparation else ""
        yield self.finding(
            operation, f"gather with run-time indices{extra}", related=preparation, prepared_by=len(preparation)
        )
