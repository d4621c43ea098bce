"""ANE504: the logarithm of a probability that fp16 has rounded to zero."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import above, maker, number
from anecheck_rules.numerics.ranges import MOVING


class LogOfProbability(OperationRule):
    """The logarithm of a softmax or sigmoid: small probabilities are zero in fp16, and their logarithm minus infinity.

    ## Why it goes wrong
    coremltools converts `F.log_softmax` and `F.logsigmoid` to the probability and its logarithm. In between stands an fp16
    number, and fp16 has none between 0 and 6e-8: a class whose logit is 17 below the largest gets the probability 0 and
    the logarithm minus infinity, where the true answer is -17. From 10 below on (6.1e-5) probabilities are subnormal,
    with fewer and fewer digits; engines that flush subnormal numbers lose these as well. Beam search, CTC decoding and
    perplexity add such logarithms up.

        x ──> softmax ──> log ──> y
        -17      0        -inf

    The operation's own `epsilon` of 1e-45 does not help: it is zero in fp16.

    ## Instead
    - Stay in the logarithm: x - max - log(sum(exp(x - max))). Nothing in it overflows or vanishes.
    - For a sigmoid: log(sigmoid(x)) = min(x, 0) - softplus(-|x|).
    - Where only the order of the classes matters (greedy decoding), give the logits out as they are.
    """

    code = "ANE504"
    name = "log-of-probability"
    engine_only = False
    severity = Severity.INFO
    operations = frozenset({"log"})
    blocks = frozenset()
    rewrite = "compute x - max - log(sum(exp(x - max))), or give out logits"
    limits = ("fp16-smallest",)
    evidence = (
        cite("ct-typed", Confidence.DOCUMENTED),
        cite("arith", Confidence.DOCUMENTED),
        cite("coremltools-9", Confidence.DOCUMENTED),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 32, 64]> x) {
                    tensor<fp16, [1, 32, 64]> p = softmax(axis = int32(-1), x = x);
                    tensor<fp16, [1, 32, 64]> y = log(epsilon = fp32(0x1p-149), x = p);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 32, 64]> x) {
                    tensor<fp16, [1, 32, 1]> largest = reduce_max(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true),
                        x = x);
                    tensor<fp16, [1, 32, 64]> shifted = sub(x = x, y = largest);
                    tensor<fp16, [1, 32, 64]> e = exp(x = shifted);
                    tensor<fp16, [1, 32, 1]> sum = reduce_sum(axes = tensor<int32, [1]>([-1]), keep_dims = bool(true), x = e);
                    tensor<fp16, [1, 32, 1]> logarithm = log(epsilon = fp32(0x1p-149), x = sum);
                    tensor<fp16, [1, 32, 64]> y = sub(x = shifted, y = logarithm);
                } -> (y);
            """),
            pattern="log_softmax_ios18",
            pytorch_before=pytorch("""
                def scores(x):
                    return torch.nn.functional.log_softmax(x, dim=-1)
            """),
            pytorch_after=pytorch("""
                def scores(x):
                    x = x - x.amax(dim=-1, keepdim=True)
                    return x - torch.log(torch.exp(x).sum(dim=-1, keepdim=True))
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 64]> x) {
                    tensor<fp16, [1, 64]> p = sigmoid(x = x);
                    tensor<fp16, [1, 64]> y = log(epsilon = fp32(0x1p-149), x = p);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 64]> x) {
                    tensor<fp16, [1, 64]> below = minimum(x = x, y = fp16(0x0p+0));
                    tensor<fp16, [1, 64]> magnitude = abs(x = x);
                    tensor<fp16, [1, 64]> negative = mul(x = magnitude, y = fp16(-0x1p+0));
                    tensor<fp16, [1, 64]> tail = softplus(x = negative);
                    tensor<fp16, [1, 64]> y = sub(x = below, y = tail);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def scores(x):
                    return torch.log(torch.sigmoid(x))
            """),
            pytorch_after=pytorch("""
                def scores(x):
                    return x.clamp(max=0) - torch.nn.functional.softplus(-x.abs())
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a logarithm whose argument comes straight from a softmax or sigmoid in fp16."""
        smallest, x = context.limit("fp16-smallest"), operation.operand("x")
        if smallest is None or x is None or x.tensor is None or x.tensor.dtype != "fp16":
            return
        probability = maker(above(x, MOVING), "softmax", "sigmoid")
        if probability is None or (number(operation.operand("epsilon")) or 0) >= smallest.value:
            return
        yield self.finding(
            operation,
            f"log of a {probability.type}; probabilities below {smallest.value:.0e} are 0 in fp16, their log -inf",
            related=(probability,),
        )
