"""ANE110: recurrent layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class RecurrentLayer(OperationRule):
    """A recurrent layer (`lstm`, `gru` or `rnn`) runs on the CPU.

    ## Why it leaves the engine
    The engine has no operation that feeds its result back to itself step by step. Core ML's compiler refuses all three
    by name, and its placement has no engine cost for them. Everything before and after crosses to the CPU and back.

    ## Instead
    - Replace the layer with a causal convolution or attention and train again; this is the only remedy for long
      sequences.
    - Unroll a short sequence: each step is two `linear`s, an `add` and the gates' activations. All the inputs' products
      can be computed at once, before the first step.
    - Put the layer into a model of its own for the CPU, so that the rest loads and runs on the engine undivided.
    - For streams, make a model of one step (unrolled, so without the recurrent operation) and pass the hidden state in
      and out.
    """

    code = "ANE110"
    name = "recurrent-layer"
    operations = frozenset({"lstm", "gru", "rnn"})
    rewrite = "unroll a short sequence into linear layers, or train a causal convolution or attention instead"
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("guide18", Confidence.REVERSE_ENGINEERED, "H13", "H14", "H15", "H17"),
        cite("ct1780", Confidence.COMMUNITY),
    )
    covers = ("OP10",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 2, 3]> x) {
                    tensor<fp16, [2, 1, 3]> steps = transpose(perm = tensor<int32, [3]>([1, 0, 2]), x = x);
                    tensor<fp16, [1, 3]> start = const()[val = tensor<fp16, [1, 3]>([[0, 0, 0]])];
                    tensor<fp16, [3, 3]> w_in = const()[val = tensor<fp16, [3, 3]>(
                        [[0.5, 0.25, 0], [0, 0.5, 0.25], [1, 0, 0.5]])];
                    tensor<fp16, [3, 3]> w_back = const()[val = tensor<fp16, [3, 3]>(
                        [[0, 1, 0], [0.5, 0, 0], [0, 0, 0.5]])];
                    tensor<fp16, [3]> bias = const()[val = tensor<fp16, [3]>([0.125, 0.25, 0.5])];
                    tensor<fp16, [2, 1, 3]> hidden, tensor<fp16, [1, 3]> last = rnn(activation = string("tanh"), bias = bias,
                        direction = string("forward"), initial_h = start, output_sequence = bool(true),
                        weight_hh = w_back, weight_ih = w_in, x = steps);
                    tensor<fp16, [1, 2, 3]> y = transpose(perm = tensor<int32, [3]>([1, 0, 2]), x = hidden);
                } -> (y);
            """),
            flags=("hidden",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 2, 3]> x) {
                    tensor<fp16, [3, 3]> w_in = const()[val = tensor<fp16, [3, 3]>(
                        [[0.5, 0.25, 0], [0, 0.5, 0.25], [1, 0, 0.5]])];
                    tensor<fp16, [3, 3]> w_back = const()[val = tensor<fp16, [3, 3]>(
                        [[0, 1, 0], [0.5, 0, 0], [0, 0, 0.5]])];
                    tensor<fp16, [3]> bias = const()[val = tensor<fp16, [3]>([0.125, 0.25, 0.5])];
                    tensor<fp16, [3]> zero = const()[val = tensor<fp16, [3]>([0, 0, 0])];
                    tensor<fp16, [1, 2, 3]> inputs = linear(bias = bias, weight = w_in, x = x);
                    tensor<fp16, [1, 1, 3]> first = slice_by_size(begin = tensor<int32, [3]>([0, 0, 0]),
                        size = tensor<int32, [3]>([1, 1, 3]), x = inputs);
                    tensor<fp16, [1, 1, 3]> second = slice_by_size(begin = tensor<int32, [3]>([0, 1, 0]),
                        size = tensor<int32, [3]>([1, 1, 3]), x = inputs);
                    tensor<fp16, [1, 1, 3]> h1 = tanh(x = first);
                    tensor<fp16, [1, 1, 3]> back = linear(bias = zero, weight = w_back, x = h1);
                    tensor<fp16, [1, 1, 3]> sum = add(x = second, y = back);
                    tensor<fp16, [1, 1, 3]> h2 = tanh(x = sum);
                    tensor<fp16, [1, 2, 3]> y = concat(axis = int32(1), interleave = bool(false), values = (h1, h2));
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x):
                    y, _ = self.rnn(x)  # nn.RNN(3, 3, batch_first=True)
                    return y
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    inputs = self.from_input(x)  # nn.Linear: weight_ih_l0, and the sum of both biases
                    steps = [torch.tanh(inputs[:, :1])]
                    for step in range(1, x.shape[1]):
                        back = self.from_state(steps[-1])  # nn.Linear: weight_hh_l0, no bias
                        steps.append(torch.tanh(inputs[:, step : step + 1] + back))
                    return torch.cat(steps, 1)
            """),
            pattern="rnn_ios18",
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag every one; the first axis of `x` is time, the last of `weight_hh` the hidden size."""
        x, weight = operation.tensor("x"), operation.tensor("weight_hh")
        steps = x.shape[0] if x and x.shape else None
        hidden = weight.shape[-1] if weight and weight.shape else None
        many = "an unknown number of" if steps is None else steps
        yield self.finding(
            operation,
            f"{many} recurrent steps, hidden size {hidden or '?'}",
            reject=context.knowledge.operators[operation.type].reject,
            steps=steps,
            hidden=hidden,
        )
