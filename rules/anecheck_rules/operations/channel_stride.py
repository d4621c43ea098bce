"""ANE136: slices that take every other channel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class ChannelStride(OperationRule):
    """A slice takes every second (or n-th) channel.

    ## Why it leaves the engine
    The engine steps over rows and columns while it reads, but not over channels: "ANEC does not support striding in channel
    dimension" is one of its compiler's texts. A slice of consecutive channels is free of this, and so is a step along the
    width, which M4's compute plan keeps on the engine.

    The engine goes by position: the second of four axes is its channels, whatever the model means by it. So models that keep
    their channels last are concerned as well; Swin's patch merging, `x[:, 0::2, 0::2, :]`, steps over rows that are
    channels to the engine.

    ## Instead
    Let the step become rows: n neighbouring channels below one another are a picture n times as high, whose first part is
    what the slice takes. The same numbers:

        x [1, C, H, W] → slice_by_index (stride 2 along C)

        x [1, C, H, W] → reshape [1, C/2, 2 H, W] → slice_by_size (the first H rows)

    Pictures with their channels last are best turned to [N, C, H, W] first, where the steps are over rows and columns, or all
    four parts at once are a `pixel_unshuffle`. Or let the layer before make its channels in an order in which the wanted ones
    stand together: exchange the rows of its weights once, before conversion, and `split`.

    ## Known exceptions
    Only tensors of four and five axes have a channel axis for certain (the second); others are not judged. Nobody published
    a compute plan of such a slice, so this is a note, and predicts nothing.
    """

    code = "ANE136"
    name = "channel-stride"
    severity = Severity.INFO
    operations = frozenset({"slice_by_index"})
    blocks = frozenset()
    rewrite = "reshape the step into rows and slice those, or reorder the channels of the layer before"
    evidence = (cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),)
    covers = ("OP35",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 6, 2, 4]> x) {
                    tensor<fp16, [1, 3, 2, 4]> y = slice_by_index(begin = tensor<int32, [4]>([0, 0, 0, 0]),
                        end = tensor<int32, [4]>([1, 6, 2, 4]), stride = tensor<int32, [4]>([1, 2, 1, 1]), x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 6, 2, 4]> x) {
                    tensor<fp16, [1, 3, 4, 4]> pairs = reshape(shape = tensor<int32, [4]>([1, 3, 4, 4]), x = x);
                    tensor<fp16, [1, 3, 2, 4]> y = slice_by_size(begin = tensor<int32, [4]>([0, 0, 0, 0]),
                        size = tensor<int32, [4]>([1, 3, 2, 4]), x = pairs);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def even_channels(x):  # [1, C, H, W]
                    return x[:, ::2]
            """),
            pytorch_after=pytorch("""
                def even_channels(x):
                    n, c, h, w = x.shape
                    return x.reshape(n, c // 2, 2 * h, w)[:, :, :h]
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag steps other than 1 along the second axis of pictures and volumes."""
        tensor, strides = operation.tensor("x"), operation.constant("stride")
        if tensor is None or tensor.rank not in {4, 5} or not strides or len(strides) != tensor.rank:
            return
        squeezed = operation.constant("squeeze_mask") or ()
        if len(squeezed) > 1 and squeezed[1]:
            return
        step, output = int(strides[1]), operation.outputs[0].tensor
        taken = output.shape[1] if output is not None and output.rank == tensor.rank else None
        if step != 1 and taken != 1:
            yield self.finding(operation, f"steps by {step} along axis 1, which is the engine's channels", stride=step)
