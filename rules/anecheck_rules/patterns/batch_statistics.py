"""ANE203: batch normalisation by the statistics of the input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.forms.standardization import ROOTS, standardization


class BatchStatistics(OperationRule):
    """A batch normalisation computes mean and variance from its input, as in training.

    ## Why it goes wrong
    In training a `BatchNorm` layer normalises by the mean and variance of the batch at hand; for inference it has running
    averages of them. A model that is exported in training mode takes the first way for ever: every prediction depends on
    what else is in the batch, and with one picture in it on that picture's own contrast, so that the accuracy that was
    measured in PyTorch is not the app's. Nothing fails. The chain is also dear: seven operations with two reductions over
    the whole tensor stay where a normalisation with constants would have vanished into the convolution before it.

        conv ─┬─ reduce_mean ─ sub ─┬─ mul ─ reduce_mean ─ add ─ sqrt ─ real_div        over all axes but the channels
              └─────────────────┘   └─────────────────────────────────────┘

        conv                                                                            after model.eval()

    ## Instead
    Call `model.eval()` before `torch.jit.trace` or `torch.export`, and look for what undoes it: a `train()` in a training
    loop that exports at its end, a submodule that was never registered, `functional.batch_norm(..., training=True)`.
    Then coremltools folds the normalisation into the weights and nothing of it is left in the program.

    ## Known exceptions
    `BatchNorm2d(..., track_running_stats=False)` has no running averages, and normalises by the batch in `eval()` too. If
    that is what the model was judged with, say so in the model: for batches of one it is `InstanceNorm2d`, a single
    `instance_norm` operation with the same numbers (second example); for larger batches no operation does it.
    """

    code = "ANE203"
    name = "batch-statistics"
    operations = ROOTS
    blocks = frozenset()
    engine_only = False
    rewrite = "call model.eval() before exporting, so that running averages are used and fold into the convolution"
    evidence = (
        cite("coremltools-9", Confidence.DOCUMENTED),
        cite("ct-passes", Confidence.DOCUMENTED),
        cite("guide22", Confidence.REVERSE_ENGINEERED),
    )
    covers = ("NF01",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [32, 16, 3, 3]> w = const()[val = tensor<fp16, [32, 16, 3, 3]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [1, 32, 30, 30]> c = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                    tensor<fp16, [1, 32, 1, 1]> mean = reduce_mean(axes = tensor<int32, [3]>([0, 2, 3]),
                        keep_dims = bool(true), x = c);
                    tensor<fp16, [1, 32, 30, 30]> d = sub(x = c, y = mean);
                    tensor<fp16, [1, 32, 30, 30]> s = mul(x = d, y = d);
                    tensor<fp16, [1, 32, 1, 1]> variance = reduce_mean(axes = tensor<int32, [3]>([0, 2, 3]),
                        keep_dims = bool(true), x = s);
                    tensor<fp16, [1, 32, 1, 1]> shifted = add(x = variance, y = fp16(1e-5));
                    tensor<fp16, [1, 32, 1, 1]> deviation = sqrt(x = shifted);
                    tensor<fp16, [1, 32, 30, 30]> y = real_div(x = d, y = deviation);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [32, 16, 3, 3]> w = const()[val = tensor<fp16, [32, 16, 3, 3]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [32]> b = const()[val = tensor<fp16, [32]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(9344)))];
                    tensor<fp16, [1, 32, 30, 30]> y = conv(bias = b, dilations = tensor<int32, [2]>([1, 1]),
                        groups = int32(1), pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                } -> (y);
            """),
            equal=False,
            reason="redesign: the running averages, folded into weights and bias, take the place of the batch's statistics",
            pytorch_before=pytorch("""
                net = nn.Sequential(nn.Conv2d(16, 32, 3, bias=False), nn.BatchNorm2d(32))
                traced = torch.jit.trace(net, torch.zeros(1, 16, 32, 32))
                model = ct.convert(traced, inputs=[ct.TensorType(shape=(1, 16, 32, 32))])
            """),
            pytorch_after=pytorch("""
                net = nn.Sequential(nn.Conv2d(16, 32, 3, bias=False), nn.BatchNorm2d(32)).eval()
                traced = torch.jit.trace(net, torch.zeros(1, 16, 32, 32))
                model = ct.convert(traced, inputs=[ct.TensorType(shape=(1, 16, 32, 32))])
            """),
            pattern="conv_bn_module_trainmode_ios18",
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 6, 7]> x) {
                    tensor<fp16, [1, 2, 1, 1]> mean = reduce_mean(axes = tensor<int32, [3]>([0, 2, 3]),
                        keep_dims = bool(true), x = x);
                    tensor<fp16, [1, 2, 6, 7]> d = sub(x = x, y = mean);
                    tensor<fp16, [1, 2, 6, 7]> s = mul(x = d, y = d);
                    tensor<fp16, [1, 2, 1, 1]> variance = reduce_mean(axes = tensor<int32, [3]>([0, 2, 3]),
                        keep_dims = bool(true), x = s);
                    tensor<fp16, [1, 2, 1, 1]> shifted = add(x = variance, y = fp16(1e-3));
                    tensor<fp16, [1, 2, 1, 1]> deviation = sqrt(x = shifted);
                    tensor<fp16, [1, 2, 6, 7]> y = real_div(x = d, y = deviation);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 6, 7]> x) {
                    tensor<fp16, [1, 2, 6, 7]> y = instance_norm(epsilon = fp16(1e-3), x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                norm = nn.BatchNorm2d(2, eps=1e-3, affine=False, track_running_stats=False)
            """),
            pytorch_after=pytorch("""
                norm = nn.InstanceNorm2d(2, eps=1e-3)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a standardization over all axes but the channels of something with a batch."""
        found = standardization(operation, graph)
        # Over the first axis of a matrix it may well be time: features of speech are standardized so on purpose.
        if found is None or found.rank < 3 or not over_batch(found.axes, found.rank):
            return
        tensor = found.source.tensor
        batch = tensor.shape[0] if tensor else None
        of = "a batch of 1" if batch == 1 else f"the batch of {batch}" if batch else "the batch"
        yield self.finding(
            found.result,
            f"batch normalisation by mean and variance of {of}, computed while the model runs",
            related=found.others,
            batch=batch,
            axes=list(found.axes),
        )


def over_batch(axes: tuple[int, ...], rank: int) -> bool:
    """Whether statistics over `axes` are those of a batch normalisation: all but the channels'."""
    return axes == (0, *range(2, rank))
