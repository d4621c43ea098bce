"""ANE132: convolutions of a batch with a kernel made at run time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class BatchedComputedKernel(OperationRule):
    """A batch is convolved with a kernel that is computed while the model runs.

    ## Why it goes wrong
    The engine is built for weights that are known when the model is compiled, and laid out then. It does take a kernel that
    comes from the graph (M4's compute plan keeps such a convolution on it), but with one picture at a time: with a batch
    of two or more the engine's compiler failed on M5. This was seen on a way around Core ML; Core ML may split the
    batch or choose another unit, which costs time, or hand on the failure.

    ## Instead
    - A kernel of one tap is a matrix: `matmul` of the kernel [O, C] with the input as [N, C, H · W]. The same numbers, and both
      operands may come from the graph, in batches too.
    - For larger kernels, `split` the batch, convolve each part with the same kernel, and `concat`.
    - Each sample with a kernel of its own: put the batch into the channels ([1, N · C, H, W]) and convolve in N groups.
    """

    code = "ANE132"
    name = "batched-computed-kernel"
    severity = Severity.INFO
    operations = frozenset({"conv"})
    blocks = frozenset()
    rewrite = "use matmul for one tap, or split the batch and convolve the parts one by one"
    evidence = (cite("aneforge", Confidence.REVERSE_ENGINEERED, "H17"),)
    covers = ("OP30",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [2, 3, 2, 4]> x, tensor<fp16, [2, 3, 1, 1]> w) {
                    tensor<fp16, [2, 2, 2, 4]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [2, 3, 2, 4]> x, tensor<fp16, [2, 3, 1, 1]> w) {
                    tensor<fp16, [1, 2, 3]> kernel = reshape(shape = tensor<int32, [3]>([1, 2, 3]), x = w);
                    tensor<fp16, [2, 3, 8]> pixels = reshape(shape = tensor<int32, [3]>([2, 3, 8]), x = x);
                    tensor<fp16, [2, 2, 8]> h = matmul(transpose_x = bool(false), transpose_y = bool(false), x = kernel,
                        y = pixels);
                    tensor<fp16, [2, 2, 2, 4]> y = reshape(shape = tensor<int32, [4]>([2, 2, 2, 4]), x = h);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def mix(x, kernel):  # [2, 3, 2, 4], [2, 3, 1, 1]
                    return torch.nn.functional.conv2d(x, kernel)
            """),
            pytorch_after=pytorch("""
                def mix(x, kernel):
                    return (kernel.reshape(1, 2, 3) @ x.reshape(2, 3, 8)).reshape(2, 2, 2, 4)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag weights from the graph where the input holds several samples."""
        weight, tensor = operation.operand("weight"), operation.tensor("x")
        if weight is None or weight.is_constant or tensor is None or not tensor.shape:
            return
        batch = tensor.shape[0]
        if batch is not None and batch > 1:
            yield self.finding(operation, f"a batch of {batch} convolved with a kernel made at run time", batch=batch)
