"""ANE116: axes that are too long for the engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.knowledge.rows import Limit
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.types import TensorType

AXES = {
    1: ("tensor-width",),
    2: ("tensor-batch", "tensor-width"),
    3: ("tensor-batch", "tensor-channels", "tensor-width"),
    4: ("tensor-batch", "tensor-channels", "tensor-height", "tensor-width"),
    5: ("tensor-batch", "tensor-channels", "tensor-depth", "tensor-height", "tensor-width"),
}
"""Which limit holds for each axis of a tensor, by rank: the engine sees batch, channels, depth, height and width."""


class TensorDimension(OperationRule):
    """A tensor has an axis that is longer than the engine can address.

    ## Why it leaves the engine
    Every axis of a tensor on the engine has a largest size, which differs by generation: from A17 Pro and M4 on 65536 for
    all of them, before that 16384 for width, height and depth and 65536 for channels and batch. Core ML's compiler refuses
    an operation with a longer one ("Tensor dimensions … are not within supported range"); on an A15 a whole model failed
    to load over it.

    ## Instead
    Fold the long axis into several (240000 samples become 240 × 1000), keep it as channels where these may be longer, or
    cut the tensor along it and join the results. For a projection onto a large vocabulary split the weights into pieces of
    at most 16384 outputs and concatenate, or take the maximum of each piece.

    ## Contradictions
    - Tables of the compiler give 16384 up to H15 and 65536 from H16 on (guide-a, 751k-hal), and the message of an A15 that
      failed to load repeats the former. M4's plan took 65536 and refused 65537. Both hold, each for its generation.
    - For vocabularies 0seba and ANEMLL split into 8 or 16 pieces, ExecuTorch into at most 8. CoreML-LLM (john) found no gain
      in 16 pieces of 262144 outputs on recent iPhones. Only what is longer than the target's engine takes is flagged.
    """

    code = "ANE116"
    name = "tensor-dimension"
    rewrite = "fold the long axis into several, or split the tensor along it"
    evidence = (
        cite("751k-analytics", Confidence.MEASURED, "H16"),
        cite("mobius", Confidence.MEASURED, "H14"),
        cite("guide-a", Confidence.REVERSE_ENGINEERED, "H11", "H12", "H13", "H14", "H15", "H17"),
    )
    covers = ("SH06", "SH07", "SH08", "SH19")
    limits = ("tensor-batch", "tensor-channels", "tensor-depth", "tensor-height", "tensor-width")
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 1, 240000]> x) {
                    tensor<fp16, [1, 1, 1, 240000]> y = sigmoid(x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 240, 1000]> x) {
                    tensor<fp16, [1, 1, 240, 1000]> y = sigmoid(x = x);
                } -> (y);
            """),
            equal=False,
            reason="redesign: the app hands the samples over as 240 rows of 1000",
            pytorch_before=pytorch("""
                def forward(self, x):  # [1, 1, 1, 240000]
                    return torch.sigmoid(x)
            """),
            pytorch_after=pytorch("""
                def forward(self, x):  # [1, 1, 240, 1000]
                    return torch.sigmoid(x)
            """),
        ),
    )

    def concerns_tensor(self, tensor: TensorType, context: Context) -> bool:
        """Only tensors with an axis that is too long, which few programs have."""
        return any(_broken(tensor, context))

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag the axis that breaks its limit by most, over run-time operands and results."""
        broken = [found for tensor in operation.running_tensors for found in _broken(tensor, context)]
        if broken:
            _, size, limit = max(broken, key=lambda item: item[0])
            axis = limit.name.removeprefix("tensor-")
            yield self.finding(
                operation,
                f"{axis} of {size:,} elements, at most {int(limit.value):,} fit",
                families=context.families_below(limit.name, size),
                evidence=limit.citations,
                axis=axis,
                size=size,
                limit=int(limit.value),
            )


def _broken(tensor: TensorType, context: Context) -> Iterator[tuple[float, int, Limit]]:
    """The axes of a tensor that are too long: by which factor, the size and the limit."""
    for size, name in zip(tensor.shape, AXES.get(len(tensor.shape), ()), strict=False):
        limit = context.limit(name)
        if size is not None and limit is not None and size > limit.value:
            yield size / limit.value, size, limit
