"""ANE242: attention whose matrix of scores is too large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import FAMILIES, Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.types import TensorType
from anecheck_rules.forms.attention import scores_of

FIRST_SEEN = dict.fromkeys(("ios", "ipados", "macos", "tvos", "visionos", "watchos"), (27,))
"""The release on which it was seen; since 26 all systems have the same number."""


class AttentionScoreMatrix(OperationRule):
    """The scores of one attention head are a million elements or more.

    ## Why it goes wrong
    On an M2 with macOS 27.0.1 the engine gave wrong results, and no error, for attention whose matrix of scores has 2^20
    elements or more in a head: 1024 queries by 1024 keys are enough. The same program is right on the CPU and the GPU. The
    package that found it (eeane 2.1.0) cuts the queries into blocks below that bound.

        q [1, h, 1024, d] ─ matmul ─ softmax ─ matmul             1024 × 1024 scores a head

        q ─┬─ rows 0 … 511 ──── matmul ─ softmax ─ matmul ─┐
           └─ rows 512 … 1023 ─ matmul ─ softmax ─ matmul ─┴ concat     2 × (512 × 1024) scores a head

    ## Instead
    Cut the queries into blocks of rows, attend each block to all keys and join the results. A row's softmax looks at no
    other row, so the numbers stay the same. Two blocks do for 1024 × 1024; for the 1500 × 1500 of a Whisper
    encoder take three. Compare one prediction with the CPU's (`compute_units=ct.ComputeUnit.CPU_ONLY`) before and after.

    ## Known exceptions
    One person's finding on one machine. For older releases than macOS 27, and for the fused operation, which was not what
    failed, this is a note. Nobody tried other families, on which nothing is said.
    """

    code = "ANE242"
    name = "attention-score-matrix"
    operations = frozenset({"softmax", "scaled_dot_product_attention"})
    blocks = frozenset()
    rewrite = "attend in blocks of query rows, so that rows × keys stay below the limit"
    releases = "seen on macOS 27"
    limits = ("attention-score-elements",)
    covers = ("AT04",)
    evidence = (cite("eeane", Confidence.COMMUNITY, "H14"),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 1024, 2]> q, tensor<fp16, [1, 1024, 2]> k, tensor<fp16, [1, 1024, 2]> v) {
                    tensor<fp16, [1, 1024, 1024]> s = matmul(transpose_x = bool(false), transpose_y = bool(true), x = q, y = k);
                    tensor<fp16, [1, 1024, 1024]> p = softmax(axis = int32(-1), x = s);
                    tensor<fp16, [1, 1024, 2]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = p, y = v);
                } -> (y);
            """),
            flags=("p",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 1024, 2]> q, tensor<fp16, [1, 1024, 2]> k, tensor<fp16, [1, 1024, 2]> v) {
                    tensor<fp16, [1, 512, 2]> qa, tensor<fp16, [1, 512, 2]> qb = split(
                        axis = int32(1), num_splits = int32(2), x = q);
                    tensor<fp16, [1, 512, 1024]> sa = matmul(transpose_x = bool(false), transpose_y = bool(true), x = qa, y = k);
                    tensor<fp16, [1, 512, 1024]> pa = softmax(axis = int32(-1), x = sa);
                    tensor<fp16, [1, 512, 2]> ya = matmul(transpose_x = bool(false), transpose_y = bool(false), x = pa, y = v);
                    tensor<fp16, [1, 512, 1024]> sb = matmul(transpose_x = bool(false), transpose_y = bool(true), x = qb, y = k);
                    tensor<fp16, [1, 512, 1024]> pb = softmax(axis = int32(-1), x = sb);
                    tensor<fp16, [1, 512, 2]> yb = matmul(transpose_x = bool(false), transpose_y = bool(false), x = pb, y = v);
                    tensor<fp16, [1, 1024, 2]> y = concat(axis = int32(1), interleave = bool(false), values = (ya, yb));
                } -> (y);
            """),
            target="m2",
            pytorch_before=pytorch("""
                def forward(self, q, k, v):
                    return (q @ k.transpose(-2, -1)).softmax(-1) @ v
            """),
            pytorch_after=pytorch("""
                def forward(self, q, k, v):
                    blocks = q.chunk(2, dim=-2)
                    return torch.cat([(rows @ k.transpose(-2, -1)).softmax(-1) @ v for rows in blocks], dim=-2)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag scores at the family's limit or beyond it."""
        fused = operation.type != "softmax"
        rows, keys = _fused_scores(operation) if fused else _scores(operation)
        limit = context.limit("attention-score-elements")
        if limit is None or rows is None or keys is None or rows * keys < limit.value:
            return
        evidence = limit.citations
        if fused:
            evidence = tuple(citation._replace(confidence=Confidence.EXTRAPOLATED) for citation in evidence)
        yield self.finding(
            operation,
            f"{rows:,} queries × {keys:,} keys make {rows * keys:,} scores a head, where {int(limit.value):,} gave wrong results",
            families=tuple(family for family in FAMILIES if self._reaches(rows * keys, family, context)),
            severity=Severity.INFO if fused or context.target.is_since(FIRST_SEEN) is False else None,
            evidence=evidence,
            blocks=False,
            rows=rows,
            keys=keys,
            limit=int(limit.value),
        )

    @staticmethod
    def _reaches(elements: int, family: str, context: Context) -> bool:
        limit = context.knowledge.limit("attention-score-elements", family)
        return limit is not None and elements >= limit.value


def _scores(softmax: Node) -> tuple[int | None, int | None]:
    return _last_two(softmax.tensor("x")) if scores_of(softmax) is not None else (None, None)


def _fused_scores(operation: Node) -> tuple[int | None, int | None]:
    return _last_two(operation.tensor("query"))[0], _last_two(operation.tensor("key"))[0]


def _last_two(tensor: TensorType | None) -> tuple[int | None, int | None]:
    return (tensor.shape[-2], tensor.shape[-1]) if tensor is not None and tensor.rank >= 2 else (None, None)
