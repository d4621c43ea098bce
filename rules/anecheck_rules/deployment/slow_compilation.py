"""ANE806: programs that take minutes to compile for the engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, GraphContext, Match, ModelRule, mil, pytorch
from anecheck.predict.compilation import largest_stride, longest_chain, matrix_products, square_kernels


class SlowCompilation(ModelRule):
    """Something in the program makes the engine's compiler take minutes, or run out of memory.

    ## What it means
    A model is compiled for the engine when it is first loaded on a device, on the slow cores and with the user waiting, and
    again after an update of the system. Three things were measured to blow that up:

    - a convolution with a kernel of exactly 16 × 16: 212 to 229 s and 11.7 GB on M4 (15 × 15 takes no time, 17 × 17 leaves the
      engine);
    - a long chain of element-wise operations: time grows with more than the third power of its length, 178 s for 256 in a row;
    - thousands of matrix multiplications: 5,120 of them, attention split head by head through a speech model, took 78 GB.

    ## Instead
    - A kernel of 16 × 16 whose stride is 16 (patches) is `reshape` and `matmul`, or two convolutions of 8 × 16 over slices,
      added. Others become 15 × 15, or a chain of smaller ones.
    - Fold chains of arithmetic with constants into one scale and offset, or into a convolution; cut the model so that no
      part has hundreds in a row.
    - Batch the heads of attention into one `matmul` of rank 4.

    ## Contradictions
    Patches of pictures are cut with kernels of 16 × 16 and a stride of 16 in many vision transformers, and nobody has reported
    minutes for these; the measurement had a stride of 1. With larger strides the finding is a hint.

    Apple's advice for its older engines is to split attention into one multiplication a head. Up to some hundred that is
    harmless; through all layers of a large model it is what fails here.
    """

    code = "ANE806"
    name = "slow-compilation"
    rewrite = "avoid 16 × 16 kernels, hundreds of element-wise operations in a row, and thousands of small matmuls"
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("751k-defects", Confidence.MEASURED, "H16", "H18"),
    )
    covers = ("OP20", "LC02", "LC03")
    limits = ("slow-square-kernel", "elementwise-chain", "matmuls-per-function")
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 16, 32]> x) {
                    tensor<fp16, [2, 1, 16, 16]> w = const()[val = tensor<fp16, [2, 1, 16, 16]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 2, 1, 2]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([16, 16]), weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 16, 32]> x) {
                    tensor<fp16, [2, 256]> rows = const()[val = tensor<fp16, [2, 256]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [16, 2, 16]> cut = reshape(shape = tensor<int32, [3]>([16, 2, 16]), x = x);
                    tensor<fp16, [2, 16, 16]> turned = transpose(perm = tensor<int32, [3]>([1, 0, 2]), x = cut);
                    tensor<fp16, [2, 256]> patches = reshape(shape = tensor<int32, [2]>([2, 256]), x = turned);
                    tensor<fp16, [2, 2]> found = matmul(transpose_x = bool(false), transpose_y = bool(true),
                        x = rows, y = patches);
                    tensor<fp16, [1, 2, 1, 2]> y = reshape(shape = tensor<int32, [4]>([1, 2, 1, 2]), x = found);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                patches = nn.Conv2d(1, 2, kernel_size=16, stride=16, bias=False)
            """),
            pytorch_after=pytorch("""
                class Patches(nn.Module):
                    def __init__(self, conv: nn.Conv2d) -> None:
                        super().__init__()
                        self.register_buffer("rows", conv.weight.detach().flatten(1))

                    def forward(self, x: torch.Tensor) -> torch.Tensor:
                        height, width = x.shape[2] // 16, x.shape[3] // 16
                        cut = x.view(height, 16, width, 16).permute(0, 2, 1, 3).reshape(height * width, 256)
                        return (self.rows @ cut.T).view(1, -1, height, width)
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each such convolution, and functions with too long a chain or too many multiplications."""
        for function in context.functions:
            yield from self._kernels(function, context)
            yield from self._chain(function, context)
            yield from self._contractions(function, context)

    def _kernels(self, function: GraphContext, context: Context) -> Iterator[Match]:
        limit = context.limit("slow-square-kernel")
        if limit is None:
            return
        taps = int(limit.value)
        for node in square_kernels(function.graph, taps):
            steps = largest_stride(node)
            unsure = f", measured with stride 1, not with {steps}" if steps > 1 else ""
            yield self.finding(
                f"a kernel of {taps} × {taps} takes minutes and gigabytes to compile{unsure}",
                node=node,
                function=function,
                evidence=limit.citations,
                severity=Severity.INFO if unsure else None,
                kernel=[taps, taps],
            )

    def _chain(self, function: GraphContext, context: Context) -> Iterator[Match]:
        limit = context.limit("elementwise-chain")
        length, last = longest_chain(function.graph) if limit is not None else (0, None)
        if limit is not None and last is not None and length >= limit.value:
            yield self.finding(
                f"{length} element-wise operations in a row",
                node=last,
                function=function,
                evidence=limit.citations,
                severity=None if context.target.family in limit.families else Severity.INFO,
                length=length,
            )

    def _contractions(self, function: GraphContext, context: Context) -> Iterator[Match]:
        limit = context.limit("matmuls-per-function")
        count = matrix_products(function.graph)
        if limit is not None and count >= limit.value:
            yield self.finding(
                f"{count:,} matrix multiplications in one function",
                function=function,
                evidence=limit.citations,
                count=count,
            )
