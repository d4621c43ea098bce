"""ANE106: a float32 constant that turns part of an fp16 network into fp32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.types import TensorType
from anecheck_rules.forms.float32_paths import computes_in_float32, float32_island, is_float32

PROMOTED = frozenset(
    {
        *("add", "sub", "mul", "real_div", "floor_div", "mod", "pow", "maximum", "minimum", "select"),
        *("equal", "not_equal", "greater", "greater_equal", "less", "less_equal", "concat", "stack"),
        *("batch_norm", "instance_norm", "layer_norm", "conv", "conv_transpose", "linear", "matmul"),
    }
)
"""Operations whose operands share a type, so that a constant alone decides in which they compute."""


class Float32Constant(OperationRule):
    """One fp32 constant makes fp32 of a stretch of an fp16 network.

    ## Why it leaves the engine
    Mixing an fp32 constant with fp16 values promotes the result, so the converter casts the fp16 operand up, computes in
    fp32, and casts the result down again:

        fp16 ──> cast(fp32) ──> mul ──> cast(fp16) ──> fp16
                        fp32 ────┘

    The casts could stay on the engine; what stands between them cannot, and cuts the network in two.

    ## Instead
    Store the constant as fp16: in PyTorch give it the tensor's own type (`x * torch.tensor(0.1, dtype=x.dtype)`), in a
    hand-written program write an fp16 constant. The casts and the island disappear.

    ## Known exceptions
    Where a constant does not fit fp16 (beyond 65504), converters keep fp32 on purpose: a batch norm with a huge variance,
    for instance. Fold it into the layer before, or scale both.
    """

    code = "ANE106"
    name = "float32-constant"
    rewrite = "store the constant as fp16, and the casts around it disappear"
    evidence = (
        cite("apple-coreai", Confidence.DOCUMENTED),
        cite("ct-typed", Confidence.DOCUMENTED),
        cite("cadam", Confidence.COMMUNITY),
    )
    covers = ("DT05", "DT07")
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 64]> x) {
                    tensor<fp16, [1, 64]> a = sigmoid(x = x);
                    tensor<fp32, [1, 64]> b = cast(dtype = string("fp32"), x = a);
                    tensor<fp32, [1, 64]> c = mul(x = b, y = fp32(0x1p-3));
                    tensor<fp16, [1, 64]> d = cast(dtype = string("fp16"), x = c);
                    tensor<fp16, [1, 64]> y = sigmoid(x = d);
                } -> (y);
            """),
            flags=("c",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 64]> x) {
                    tensor<fp16, [1, 64]> a = sigmoid(x = x);
                    tensor<fp16, [1, 64]> c = mul(x = a, y = fp16(0x1p-3));
                    tensor<fp16, [1, 64]> y = sigmoid(x = c);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x):  # fp16, converted as written, with compute_precision=ct.precision.FLOAT32
                    y = torch.sigmoid(x) * torch.full((1,), 0.125)
                    return torch.sigmoid(y.half())
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return torch.sigmoid(torch.sigmoid(x) * torch.full((1,), 0.125, dtype=x.dtype))
            """),
        ),
    )

    def concerns_tensor(self, tensor: TensorType, context: Context) -> bool:
        """Only fp32."""
        return tensor.dtype == "fp32"

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag an operation with an fp32 constant in an fp32 island that only casts connect to the rest."""
        if operation.type not in PROMOTED or not computes_in_float32(operation):
            return
        constants = [name for name, operand in operation.operands() if is_float32(operand) and operand.value]
        if not constants:
            return
        island = float32_island(operation, graph)
        if island is None:
            return
        others = tuple(node for node in island if node is not operation)
        extra = f", and {len(others)} operations with it" if len(others) > 1 else ""
        yield self.finding(
            operation,
            f"fp32 constants ({', '.join(sorted(constants))}) make {operation.type} compute in fp32{extra}",
            related=others,
            constants=sorted(constants),
        )
