"""ANE202: batch normalisations that no convolution took in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import above, maker, sole_user

BETWEEN = ("clip", "elu", "gelu", "leaky_relu", "max_pool", "pad", "prelu", "relu", "relu6", "sigmoid", "silu", "tanh")
"""What people put between a convolution and its normalisation."""


class StandingBatchNorm(OperationRule):
    """A batch normalisation stands in the program, where a convolution could take it in or should have.

    ## Why it costs
    With constant statistics a batch normalisation only scales and shifts each channel, which a convolution right before it
    does for nothing: scale into its weights, shift into its bias. coremltools does so where the convolution's output goes to
    the normalisation and nowhere else; the engine's compiler, which folds gains and offsets into what it runs before them,
    asks for the same. Anything between the two, or a second reader, leaves an operation that reads and writes the whole
    tensor once more: 3.6 µs for 64 channels of 32 × 32 by Core ML's estimates for M4, beside 4.7 for a 3 × 3 convolution.

        conv ─ batch_norm ─ relu        conv ─ relu                                      folds, exactly
        conv ─ relu ─ batch_norm        stays: relu(z)·s + t is no relu of anything
        conv ─ pad ─ batch_norm         stays: the border becomes t, not 0
        conv ─┬─ batch_norm             stays: somebody needs z itself
              └─ add
        batch_norm ─ conv(no padding)   conv                                             folds forwards, exactly

    ## Instead
    - Put the normalisation before the activation and before the padding, and train (or fine-tune) so.
    - Before a convolution that pads nothing it folds forwards: scale the weights' input channels by s = γ / √(variance + ε),
      and add to the bias the weights times t = β − mean · s. With padding it does not, as the border would have to be −t / s.
    - Where a second reader takes the convolution's output, let it read the normalisation's. If it is an output of the model
      that was added to look inside, drop it.
    - Of an input: scale and shift before the model, where the app prepares it anyway.
    - Right after a convolution whose weights are compressed, fold before compressing.

    ## Known exceptions
    Pre-activation networks (ResNet v2, DenseNet) normalise sums and concatenations before the activation; there is nothing to
    fold into, and it is one cheap operation of the engine. Nothing is said of those, but for one on an input of the model.
    """

    code = "ANE202"
    name = "standing-batch-norm"
    operations = frozenset({"batch_norm"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "normalise right after the convolution, which nothing else reads, so that it folds into the weights"
    evidence = (
        cite("guide22", Confidence.REVERSE_ENGINEERED),
        cite("ct-passes", Confidence.DOCUMENTED),
        cite("751k-analytics", Confidence.MEASURED, "H16"),
    )
    covers = ("NF01",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [32, 16, 3, 3]> w = const()[val = tensor<fp16, [32, 16, 3, 3]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [32]> mean = const()[val = tensor<fp16, [32]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(9344)))];
                    tensor<fp16, [32]> variance = const()[val = tensor<fp16, [32]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(9472)))];
                    tensor<fp16, [1, 32, 30, 30]> c = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                    tensor<fp16, [1, 32, 30, 30]> r = relu(x = c);
                    tensor<fp16, [1, 32, 30, 30]> y = batch_norm(epsilon = fp16(1e-5), mean = mean, variance = variance, x = r);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [32, 16, 3, 3]> w = const()[val = tensor<fp16, [32, 16, 3, 3]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
                    tensor<fp16, [32]> b = const()[val = tensor<fp16, [32]>(
                        BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(9344)))];
                    tensor<fp16, [1, 32, 30, 30]> c = conv(bias = b, dilations = tensor<int32, [2]>([1, 1]),
                        groups = int32(1), pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                    tensor<fp16, [1, 32, 30, 30]> y = relu(x = c);
                } -> (y);
            """),
            equal=False,
            reason="redesign: the network is trained with the normalisation before the activation, where it folds",
            pytorch_before=pytorch("""
                net = nn.Sequential(nn.Conv2d(16, 32, 3), nn.ReLU(), nn.BatchNorm2d(32))
            """),
            pytorch_after=pytorch("""
                net = nn.Sequential(nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.ReLU())
            """),
            pattern="conv_relu_bn_ios18",
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4, 4]> x) {
                    tensor<fp16, [1, 2, 4, 4]> r = relu(x = x);
                    tensor<fp16, [1, 2, 4, 4]> n = batch_norm(beta = tensor<fp16, [2]>([0.5, -1]), epsilon = fp16(0),
                        gamma = tensor<fp16, [2]>([1, 2]), mean = tensor<fp16, [2]>([1, 0.5]),
                        variance = tensor<fp16, [2]>([0.25, 4]), x = r);
                    tensor<fp16, [2, 2, 1, 1]> w = const()[val = tensor<fp16, [2, 2, 1, 1]>([[[[1]], [[2]]], [[[-1]], [[0.5]]]])];
                    tensor<fp16, [1, 2, 4, 4]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = n);
                } -> (y);
            """),
            flags=("n",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4, 4]> x) {
                    tensor<fp16, [1, 2, 4, 4]> r = relu(x = x);
                    tensor<fp16, [2, 2, 1, 1]> w = const()[val = tensor<fp16, [2, 2, 1, 1]>([[[[2]], [[2]]], [[[-2]], [[0.5]]]])];
                    tensor<fp16, [1, 2, 4, 4]> y = conv(bias = tensor<fp16, [2]>([-4.5, 0.75]),
                        dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = r);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                net = nn.Sequential(nn.ReLU(), nn.BatchNorm2d(2), nn.Conv2d(2, 2, 1, bias=False))
            """),
            pytorch_after=pytorch("""
                def fold(norm, conv):
                    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
                    shift = norm.bias - norm.running_mean * scale
                    conv.bias = nn.Parameter(conv.weight.sum((2, 3)) @ shift)
                    conv.weight.data *= scale[:, None, None]
                    return conv
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 4, 4]> x) {
                    tensor<fp16, [2, 1, 1, 1]> w = const()[val = tensor<fp16, [2, 1, 1, 1]>([[[[1]]], [[[-3]]]])];
                    tensor<fp16, [1, 2, 4, 4]> c = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                    tensor<fp16, [1, 2, 4, 4]> n = batch_norm(beta = tensor<fp16, [2]>([0.5, -1]), epsilon = fp16(0),
                        gamma = tensor<fp16, [2]>([1, 2]), mean = tensor<fp16, [2]>([1, 0.5]),
                        variance = tensor<fp16, [2]>([0.25, 4]), x = c);
                    tensor<fp16, [1, 2, 4, 4]> y = relu(x = n);
                } -> (y);
            """),
            flags=("n",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 4, 4]> x) {
                    tensor<fp16, [2, 1, 1, 1]> w = const()[val = tensor<fp16, [2, 1, 1, 1]>([[[[2]]], [[[-3]]]])];
                    tensor<fp16, [1, 2, 4, 4]> n = conv(bias = tensor<fp16, [2]>([-1.5, -1.5]),
                        dilations = tensor<int32, [2]>([1, 1]), groups = int32(1),
                        pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("valid"),
                        strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);
                    tensor<fp16, [1, 2, 4, 4]> y = relu(x = n);
                } -> (y);
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a normalisation next to a convolution; those of sums and concatenations are architecture."""
        after = sole_user(operation, graph, "conv")
        if after is not None and _takes_in(after, operation):
            yield self.finding(
                operation,
                "batch_norm that the convolution after it could take in, as it pads nothing",
                related=(after,),
            )
            return
        source = operation.operand("x")
        given = above(source, {"cast"})
        if given in graph.inputs and given is not None:
            yield self.finding(
                operation, f"batch_norm of input '{given.name}', with nothing before it to fold into", input=given.name
            )
            return
        between = maker(source, *BETWEEN)
        convolution = maker(between.operand("x") if between else source, "conv", "conv_transpose")
        weight = convolution.operand("weight") if convolution else None
        if convolution is None or weight is None or not weight.is_constant:
            return
        if between is not None:
            if graph.only_user(between.outputs[0]) is not operation:
                return  # the first block of a network that normalises before its activations
            yield self.finding(
                operation,
                f"{between.type} stands between {convolution.type} and batch_norm, which cannot fold",
                related=(between, convolution),
                between=between.type,
            )
            return
        reader = _other_reader(convolution, operation, graph)
        yield self.finding(
            operation,
            f"batch_norm right after {convolution.type} was not folded into its weights"
            if reader is None
            else f"batch_norm cannot fold into the {convolution.type} before it, whose output {reader}",
            related=(convolution,),
        )


def _takes_in(convolution: Node, norm: Node) -> bool:
    """Whether a convolution after the normalisation can take it in: it pads nothing, and its weights are constant."""
    weight, kind = convolution.operand("weight"), convolution.scalar("pad_type")
    pads = any(convolution.constant("pad") or ()) if kind == "custom" else kind not in {None, "valid"}
    return weight is not None and weight.is_constant and not pads and convolution.operand("x") is norm.outputs[0]


def _other_reader(convolution: Node, norm: Node, graph: Graph) -> str | None:
    """Who else needs the convolution's own output, for people; `None` where nobody does."""
    if graph.only_user(convolution.outputs[0]) is norm:
        return None
    others = [user for user in graph.users(convolution) if user is not norm]
    return f"{others[0].type} '{others[0].name}' reads too" if others else "is returned too"
