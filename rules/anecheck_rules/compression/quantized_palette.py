"""ANE608: palettes whose table is quantized."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.compression.stored_weights import PALETTES, PROJECTIONS, stored, uses


class QuantizedPalette(OperationRule):
    """The table of a palettized weight holds 8-bit integers.

    ## Why it leaves the engine
    With `lut_dtype="int8"` a palette's values are 8-bit integers with a scale of their own, so a weight takes two steps to
    expand. A model compressed so lost its place on the engine of an A19, where the same palettes with tables of fp16 kept
    it. The saving is small: a table of 16 values shrinks from 32 bytes to 16.

        int8 table ─ constexpr_blockwise_shift_scale ─ constexpr_lut_to_dense ─ linear      (for iOS 18)
        int8 table ─ constexpr_lut_to_dense ─ constexpr_blockwise_shift_scale ─ linear      (for iOS 26)

    ## Instead
    Keep the table in fp16: leave `lut_dtype` out. The form is of use where activations are quantized to 8 bits as well,
    on A17 Pro, M4 and newer, so that the engine can multiply integers; measure it there.

    ## Known exceptions
    coremltools puts the two steps in one order for iOS 18 and in the other for iOS 26, and its source calls the first a
    way round a fault that iOS 26 no longer has. The report does not say which order it met, so both are flagged.
    """

    code = "ANE608"
    name = "quantized-palette"
    operations = PALETTES
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "keep the table in fp16 (no lut_dtype) unless activations are 8-bit too"
    covers = ("QZ09",)
    releases = "iOS 18 and macOS 15 on"
    evidence = (cite("john", Confidence.COMMUNITY, "H18"), cite("coremltools-9", Confidence.DOCUMENTED))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 3]> x) {
                    tensor<fp16, [1, 1, 4, 1]> table = constexpr_blockwise_shift_scale(
                        data = tensor<int8, [1, 1, 4, 1]>([[[[-128], [-37], [51], [127]]]]),
                        scale = tensor<fp16, [1, 1, 1, 1]>([[[[0.0078125]]]]));
                    tensor<fp16, [2, 3]> w = constexpr_lut_to_dense(
                        indices = tensor<uint2, [2, 3]>([[0, 1, 3], [2, 2, 1]]), lut = table);
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 3]> x) {
                    tensor<fp16, [2, 3]> w = constexpr_lut_to_dense(
                        indices = tensor<uint2, [2, 3]>([[0, 1, 3], [2, 2, 1]]),
                        lut = tensor<fp16, [1, 1, 4, 1]>([[[[-1], [-0.2890625], [0.3984375], [0.9921875]]]]));
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                config = ct.optimize.torch.palettization.PostTrainingPalettizerConfig.from_dict(
                    {"global_config": {"n_bits": 4, "lut_dtype": "int8"}})
            """),
            pytorch_after=pytorch("""
                config = ct.optimize.torch.palettization.PostTrainingPalettizerConfig.from_dict(
                    {"global_config": {"n_bits": 4}})
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag who computes with a weight whose table is expanded itself, or holds integers."""
        table = stored(operation, "lut")
        if table is None or table.tensor is None:
            return
        maker = table.producer
        integers = table.tensor.dtype.removeprefix("u").startswith("int")
        if not integers and (maker is None or not maker.type.startswith("constexpr_")):
            return
        for user, _ in uses(operation, graph):
            if user.type in PROJECTIONS:
                yield self.finding(user, "the palette's table is quantized itself", weight=operation.name)
