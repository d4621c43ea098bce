"""ANE604: palettes of vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.compression.stored_weights import KERNELS, PALETTES, PROJECTIONS, stored_type, uses


class VectorPalette(OperationRule):
    """Each code of a palettized weight stands for several values.

    ## Why it leaves the engine
    With `cluster_dim` above 1 the table holds vectors: one code fills two or four neighbouring output channels. A model
    with such weights did not load on an iPhone with A19 (error -14), and messages in a compiler read on M2 refuse them for
    dilated and transposed convolutions. Palettes of single values are what Apple times on the engine and recommends for it.

    ## Instead
    Palettize single values (`cluster_dim=1`). For the same size take half the bits: 2-bit codes of single values are as
    small as 4-bit codes of pairs. Where the accuracy of pairs is needed, a table of the values that occur in them gives the
    same weight with wider codes.

    ## Contradictions
    An engine guide that compiles without Core ML has vectors of 2, 4 and 5 values running. Hence a note, no warning.

    The same messages refuse palettes of one and two bits. Those are not flagged: Apple timed ResNet-50 with two bits on an
    A16 at 1.43 ms with the engine, against 1.52 ms in fp16, and on another page with one bit at 1.14 ms against 1.63 ms.
    """

    code = "ANE604"
    name = "vector-palette"
    operations = PALETTES
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "palettize single values (cluster_dim=1), or measure on the oldest device"
    covers = ("QZ05", "QZ06")
    releases = "iOS 18 and macOS 15 on"
    evidence = (
        cite("john", Confidence.COMMUNITY, "H18"),
        cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),
        cite("guide25", Confidence.REVERSE_ENGINEERED),
        cite("ct-palettization-perf", Confidence.DOCUMENTED, "H15"),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 3]> x) {
                    tensor<fp16, [4, 3]> w = constexpr_lut_to_dense(
                        indices = tensor<uint1, [2, 3]>([[0, 1, 0], [1, 1, 0]]),
                        lut = tensor<fp16, [1, 1, 2, 2]>([[[[1, 0.5], [-2, 4]]]]), vector_axis = int32(0));
                    tensor<fp16, [1, 4]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 3]> x) {
                    tensor<fp16, [4, 3]> w = constexpr_lut_to_dense(
                        indices = tensor<uint2, [4, 3]>([[0, 2, 0], [1, 3, 1], [2, 2, 0], [3, 3, 1]]),
                        lut = tensor<fp16, [1, 1, 4, 1]>([[[[1], [0.5], [-2], [4]]]]));
                    tensor<fp16, [1, 4]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                weights = cto.OpPalettizerConfig(mode="kmeans", nbits=4, cluster_dim=2)
                model = cto.palettize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
            pytorch_after=pytorch("""
                weights = cto.OpPalettizerConfig(
                    mode="kmeans", nbits=4, granularity="per_grouped_channel", group_size=16)
                model = cto.palettize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag who computes with a weight whose table holds vectors, with what is known to be refused."""
        table = stored_type(operation, "lut")
        length = table.shape[-1] if table is not None and table.rank > 1 else None
        if length is None or length <= 1:
            return
        for user, _ in uses(operation, graph):
            if user.type not in PROJECTIONS:
                continue
            dilated = any(int(step) > 1 for step in user.constant("dilations") or ())
            refused = "transposed" if user.type == "conv_transpose" else "dilated" if dilated else ""
            extra = f", in a {refused} convolution" if user.type in KERNELS and refused else ""
            yield self.finding(
                user,
                f"each code of the palette stands for {length} values{extra}",
                weight=operation.name,
                length=length,
            )
