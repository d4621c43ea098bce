"""ANE243: fused attention over shapes that the engine does not take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class FusedAttentionShape(OperationRule):
    """A fused attention has five dimensions, or values of another width than its keys.

    ## Why it leaves the engine
    The engine's part of `scaled_dot_product_attention` is made for up to four dimensions (batch, heads, positions, width) and
    for keys and values of the same shape; so say the strings of its compiler on an M2. coremltools and the CPU take more
    dimensions, and values as wide as one likes. ExecuTorch met wrong numbers besides, on iOS 26, for five dimensions (pull
    request 16144).

        q, k, v [b, g, h, n, d] ── scaled_dot_product_attention ─ y

        q, k, v ─ reshape [b·g, h, n, d] ── scaled_dot_product_attention ─ reshape ─ y

    ## Instead
    - Five dimensions: fold the leading ones into one before, and unfold after; the numbers stay the same. A mask with five
      dimensions is folded alike.
    - Values of another width (latent attention has 128 beside keys of 192): write matmul, softmax and matmul, which take any.

    ## Known exceptions
    No placement report of either shape was published. Five dimensions rest on two sources that agree; other widths on the
    strings alone, and are a note.
    """

    code = "ANE243"
    name = "fused-attention-shape"
    operations = frozenset({"scaled_dot_product_attention"})
    rewrite = "fold the leading dimensions into one; write attention out where values and keys differ in width"
    releases = "iOS 18 and macOS 15 on"
    limits = ("fused-attention-rank",)
    covers = ("AT06",)
    evidence = (
        cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),
        cite("et", Confidence.COMMUNITY),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 2, 3, 4]> q, tensor<fp16, [1, 2, 2, 5, 4]> k,
                        tensor<fp16, [1, 2, 2, 5, 4]> v) {
                    tensor<fp16, [1, 2, 2, 3, 4]> y = scaled_dot_product_attention(key = k, query = q, value = v);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 2, 3, 4]> q, tensor<fp16, [1, 2, 2, 5, 4]> k,
                        tensor<fp16, [1, 2, 2, 5, 4]> v) {
                    tensor<fp16, [1, 4, 3, 4]> qf = reshape(shape = tensor<int32, [4]>([1, 4, 3, 4]), x = q);
                    tensor<fp16, [1, 4, 5, 4]> kf = reshape(shape = tensor<int32, [4]>([1, 4, 5, 4]), x = k);
                    tensor<fp16, [1, 4, 5, 4]> vf = reshape(shape = tensor<int32, [4]>([1, 4, 5, 4]), x = v);
                    tensor<fp16, [1, 4, 3, 4]> a = scaled_dot_product_attention(key = kf, query = qf, value = vf);
                    tensor<fp16, [1, 2, 2, 3, 4]> y = reshape(shape = tensor<int32, [5]>([1, 2, 2, 3, 4]), x = a);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, q, k, v):  # (batch, groups, heads, positions, width)
                    return torch.nn.functional.scaled_dot_product_attention(q, k, v)
            """),
            pytorch_after=pytorch("""
                def forward(self, q, k, v):
                    folded = torch.nn.functional.scaled_dot_product_attention(*(x.flatten(1, 2) for x in (q, k, v)))
                    return folded.unflatten(1, q.shape[1:3])
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 4]> q, tensor<fp16, [1, 2, 5, 4]> k, tensor<fp16, [1, 2, 5, 3]> v) {
                    tensor<fp16, [1, 2, 3, 3]> y = scaled_dot_product_attention(key = k, query = q, value = v);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 4]> q, tensor<fp16, [1, 2, 5, 4]> k, tensor<fp16, [1, 2, 5, 3]> v) {
                    tensor<fp16, [1, 2, 3, 4]> h = mul(x = q, y = fp16(0.5));
                    tensor<fp16, [1, 2, 3, 5]> s = matmul(transpose_x = bool(false), transpose_y = bool(true), x = h, y = k);
                    tensor<fp16, [1, 2, 3, 5]> p = softmax(axis = int32(-1), x = s);
                    tensor<fp16, [1, 2, 3, 3]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = p, y = v);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, q, k, v):  # keys 192 wide, values 128
                    return torch.nn.functional.scaled_dot_product_attention(q, k, v)
            """),
            pytorch_after=pytorch("""
                def forward(self, q, k, v):
                    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
                    return scores.softmax(-1) @ v
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a rank beyond the family's limit, or else values that are not as wide as the keys."""
        key, value = operation.tensor("key"), operation.tensor("value")
        limit = context.limit("fused-attention-rank")
        if key is None or value is None or limit is None or not key.rank or not value.rank:
            return
        if key.rank > limit.value:
            yield self.finding(
                operation,
                f"fused attention over {key.rank} dimensions, at most {int(limit.value)} fit",
                families=context.families_below("fused-attention-rank", key.rank),
                rank=key.rank,
            )
        elif None not in {key.shape[-1], value.shape[-1]} and key.shape[-1] != value.shape[-1]:
            yield self.finding(
                operation,
                f"fused attention with values {value.shape[-1]} wide beside keys {key.shape[-1]} wide",
                severity=Severity.INFO,
                evidence=(cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),),
                blocks=False,
                key_width=key.shape[-1],
                value_width=value.shape[-1],
            )
