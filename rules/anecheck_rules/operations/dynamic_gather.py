"""ANE107: gathering with indices that are only known while the model runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.forms.integer_paths import index_preparation


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

    ## Contradictions
    The engine guide lists a gather in hardware, in the texture engine from A15 and M2 on. Another chapter of it finds no
    engine cost in Core ML for the operation, and M4's plan has the engine for constant indices alone. Hardware that Core ML
    does not use helps nobody, so run-time indices are flagged on every chip.
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
    covers = ("OP01",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<int32, [1, 16]> ids) {
                    tensor<fp16, [100, 32]> table = const()[val = tensor<fp16, [100, 32]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<int16, [1, 16]> narrow = cast(dtype = string("int16"), x = ids);
                    tensor<int32, [1, 16]> wide = cast(dtype = string("int32"), x = narrow);
                    tensor<bool, [1, 16]> positive = greater_equal(x = wide, y = int32(0));
                    tensor<int32, [1, 16]> wrapped = add(x = wide, y = int32(100));
                    tensor<int32, [1, 16]> index = select(a = wide, b = wrapped, cond = positive);
                    tensor<int16, [1, 16]> short = cast(dtype = string("int16"), x = index);
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
            pytorch_before=pytorch("""
                def forward(self, ids):
                    return self.embedding(ids)  # nn.Embedding(100, 32)
            """),
            pytorch_after=pytorch("""
                def forward(self, rows):  # [1, 16, 32], which the app copies from the table
                    return rows
            """),
            pattern="embedding_ios18",
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
