"""ANE134: convolutions and pools in three dimensions, on older engines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class VolumetricKernel(OperationRule):
    """A kernel reaches over several slices of depth.

    ## Why it leaves the engine
    The engines up to A13 have no kernels deeper than 1. On M1, convolutions in three dimensions failed in the last stage of
    the engine's compiler, on every device it was asked to compile for. PyTorch's `LocalResponseNorm` is converted to a pool
    that is deep.

    ## Instead
    Put the depth into the batch and the slices that a kernel sees into the channels; then it is a convolution in two
    dimensions with the same products and sums:

        x [1, C, D, H, W] → conv (kd × kh × kw)

        x → [D, C, H, W] → kd shifted slices of the batch, concat on the channels → conv (kh × kw) → back to [1, O, D', H', W']

    A kernel of depth 1 needs the reshape alone, and one of d × 1 × 1 after one of 1 × h × w is the usual cheap design.

    ## Contradictions
    M4's compute plan keeps convolutions, transposed convolutions and pools in three dimensions on the engine. What was seen
    on M1 was seen on a way around Core ML. So the rule speaks only of A13 and older, A14 and M1, as a note, and blocks
    nothing.
    """

    code = "ANE134"
    name = "volumetric-kernel"
    severity = Severity.INFO
    operations = frozenset({"conv", "max_pool", "avg_pool"})
    blocks = frozenset()
    rewrite = "put the depth into the batch and the slices under the kernel into the channels"
    evidence = (
        cite("guide19", Confidence.REVERSE_ENGINEERED, "H13"),
        cite("guide-a", Confidence.REVERSE_ENGINEERED, "H11", "H12"),
    )
    covers = ("OP31",)
    limits = ("conv-kernel-depth",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 4, 3, 3]> x) {
                    tensor<fp16, [1, 1, 2, 2, 2]> w = const()[val = tensor<fp16, [1, 1, 2, 2, 2]>([1, 2, 3, 4, 5, 6, 7, 8])];
                    tensor<fp16, [1, 1, 3, 2, 2]> y = conv(dilations = tensor<int32, [3]>([1, 1, 1]), groups = int32(1),
                        pad = tensor<int32, [6]>([0, 0, 0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [3]>([1, 1, 1]), weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 4, 3, 3]> x) {
                    tensor<fp16, [1, 2, 2, 2]> w = const()[val = tensor<fp16, [1, 2, 2, 2]>([1, 2, 3, 4, 5, 6, 7, 8])];
                    tensor<fp16, [4, 1, 3, 3]> slices = reshape(shape = tensor<int32, [4]>([4, 1, 3, 3]), x = x);
                    tensor<fp16, [3, 1, 3, 3]> front = slice_by_size(begin = tensor<int32, [4]>([0, 0, 0, 0]),
                        size = tensor<int32, [4]>([3, 1, 3, 3]), x = slices);
                    tensor<fp16, [3, 1, 3, 3]> back = slice_by_size(begin = tensor<int32, [4]>([1, 0, 0, 0]),
                        size = tensor<int32, [4]>([3, 1, 3, 3]), x = slices);
                    tensor<fp16, [3, 2, 3, 3]> pairs = concat(axis = int32(1), interleave = bool(false),
                        values = (front, back));
                    tensor<fp16, [3, 1, 2, 2]> h = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = pairs);
                    tensor<fp16, [1, 1, 3, 2, 2]> y = reshape(shape = tensor<int32, [5]>([1, 1, 3, 2, 2]), x = h);
                } -> (y);
            """),
            target="m1",
            pytorch_before=pytorch("""
                class Video(torch.nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.conv = torch.nn.Conv3d(1, 8, kernel_size=(2, 3, 3), bias=False)

                    def forward(self, x):  # [1, 1, frames, height, width]
                        return self.conv(x)
            """),
            pytorch_after=pytorch("""
                class Video(torch.nn.Module):
                    def __init__(self, old):
                        super().__init__()
                        self.conv = torch.nn.Conv2d(2, 8, kernel_size=(3, 3), bias=False)
                        self.conv.weight.data = old.weight.squeeze(1)

                    def forward(self, x):
                        frames = x.squeeze(0).transpose(0, 1)
                        y = self.conv(torch.cat([frames[:-1], frames[1:]], dim=1))
                        return y.transpose(0, 1).unsqueeze(0)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag kernels and windows of three dimensions that are deeper than the family's engine takes."""
        limit = context.limit("conv-kernel-depth")
        if limit is None:
            return
        if operation.type == "conv":
            weight = operation.tensor("weight")
            window = weight.shape[2:] if weight is not None else ()
        else:
            window = tuple(int(size) for size in operation.constant("kernel_sizes") or ())
        if len(window) == 3 and window[0] is not None and window[0] > limit.value:
            yield self.finding(
                operation,
                f"{operation.type} with a kernel {window[0]} slices deep, where the engine's are {int(limit.value)} deep",
                families=context.families_below("conv-kernel-depth", window[0]),
                evidence=limit.citations,
                kernel=list(window),
            )
