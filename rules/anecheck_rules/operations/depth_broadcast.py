"""ANE139: element-wise operations that repeat a tensor along the depth, on M1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node

FAMILY = "H13"
"""Where it was seen."""


class DepthBroadcast(OperationRule):
    """An element-wise operation repeats one operand along the third of five axes.

    ## Why it leaves the engine
    The third of five axes is the engine's depth. On A14 and M1 element-wise operations take operands that are repeated along
    the channels, the height and the width, but not along the depth. Swin's attention masks,
    one for all heads of a window, are added so.

    ## Instead
    Most graphs have five axes because of a `reshape`, and do not need all of them. Merge two axes that are repeated alike, and
    the repetition is along an ordinary axis. The same numbers:

        x [1, C, T, H, W] + b [1, C, 1, H, W]

        reshape x to [1, C, T, H · W], b to [1, C, 1, H · W] → add → reshape

    ## Known exceptions
    - A number for each channel or group, the same along depth, height and width, is what every converted group
      normalisation is made of. Nobody reports trouble with it, and it is not flagged.
    - Seen on M1 on a way around Core ML, and on no other chip. Core ML may rearrange the axes by itself, so this is a note
      for A14 and M1, and predicts nothing.
    """

    code = "ANE139"
    name = "depth-broadcast"
    severity = Severity.INFO
    operations = frozenset({"add", "sub", "mul", "real_div", "maximum", "minimum"})
    blocks = frozenset()
    rewrite = "merge the depth with a neighbouring axis by a reshape"
    evidence = (cite("guide17", Confidence.REVERSE_ENGINEERED, "H13"),)
    covers = ("SH15",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 4, 4]> x, tensor<fp16, [1, 2, 1, 4, 4]> b) {
                    tensor<fp16, [1, 2, 3, 4, 4]> y = add(x = x, y = b);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 4, 4]> x, tensor<fp16, [1, 2, 1, 4, 4]> b) {
                    tensor<fp16, [1, 2, 3, 16]> flat = reshape(shape = tensor<int32, [4]>([1, 2, 3, 16]), x = x);
                    tensor<fp16, [1, 2, 1, 16]> offset = reshape(shape = tensor<int32, [4]>([1, 2, 1, 16]), x = b);
                    tensor<fp16, [1, 2, 3, 16]> h = add(x = flat, y = offset);
                    tensor<fp16, [1, 2, 3, 4, 4]> y = reshape(shape = tensor<int32, [5]>([1, 2, 3, 4, 4]), x = h);
                } -> (y);
            """),
            target="m1",
            pytorch_before=pytorch("""
                def place(frames, position):  # [1, C, T, H, W], [1, C, 1, H, W]
                    return frames + position
            """),
            pytorch_after=pytorch("""
                def place(frames, position):
                    return (frames.flatten(3) + position.flatten(3)).reshape(frames.shape)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag operands with one entry on the third axis where the result has more."""
        if context.target.family != FAMILY:
            return
        output = operation.outputs[0].tensor
        if output is None or output.rank != 5 or output.shape[2] in {None, 1}:
            return
        for name in ("x", "y"):
            tensor = operation.tensor(name)
            if tensor is None or tensor.rank != 5 or tensor.shape[2] != 1:
                continue
            if any(size != 1 for size in tensor.shape[3:]):
                yield self.finding(
                    operation,
                    f"{operation.type} repeats `{name}` {output.shape[2]} times along the depth",
                    families=(FAMILY,),
                    depth=output.shape[2],
                )
                return
