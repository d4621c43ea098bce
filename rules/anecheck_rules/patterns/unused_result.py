"""ANE250: operations whose results nobody uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.graph import Node
from anecheck_rules.forms.liveness import dead_nodes


class UnusedResult(ModelRule):
    """Operations compute what neither an output nor a state depends on.

    ## Why it costs
    At best such operations are dropped when the model is compiled; at worst they run. What they are a sign of costs more:
    an output that was forgotten, or lost when models were cut or joined. coremltools removes dead operations from what it
    converts, so they come from edited programs and from pipelines of passes without `common::dead_code_elimination`.

        x ─┬─ conv ─ relu ─ output
           └─ conv ─ sigmoid                 nobody reads it

    ## Instead
    Return the result, if it was meant to be one; otherwise take it out, with everything that leads there alone.

    ## Known exceptions
    One unused result of an operation that has several (the positions of a `topk`) is none; nor are reads of a state, and
    the `identity` that coremltools puts behind an input that nobody uses, of which unused-input speaks.
    """

    code = "ANE250"
    name = "unused-result"
    engine_only = False
    severity = Severity.INFO
    rewrite = "return the result, or remove what leads to it alone"
    evidence = (cite("coremltools-9", Confidence.DOCUMENTED),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 4]> x) {
                    tensor<fp16, [1, 8, 4]> h = tanh(x = x);
                    tensor<fp16, [1, 8, 4]> g = sigmoid(x = h);
                    tensor<fp16, [1, 8, 4]> gated = mul(x = g, y = x);
                    tensor<fp16, [1, 8, 4]> y = relu(x = h);
                } -> (y);
            """),
            flags=("gated",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 4]> x) {
                    tensor<fp16, [1, 8, 4]> h = tanh(x = x);
                    tensor<fp16, [1, 8, 4]> y = relu(x = h);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x):
                    h = torch.tanh(x)
                    gated = torch.sigmoid(h) * x  # the converter drops it; a program edited by hand keeps it
                    return torch.relu(h)
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return torch.relu(torch.tanh(x))
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function with dead operations once, at the first that nobody reads."""
        for function in context.functions:
            graph = function.graph
            unused = dead_nodes(graph)
            if not unused:
                continue
            dead = [node for node in graph.running if node in unused and not _is_expected(node)]
            ends = [node for node in dead if not graph.users(node)]
            if not ends:
                continue
            named = ", ".join(f"'{node.name}'" for node in ends[:3]) + (" …" if len(ends) > 3 else "")
            what = f"{len(dead)} operations compute" if len(dead) > 1 else f"a {dead[0].type} computes"
            yield self.finding(
                f"{what} what no output depends on" + (f": {named}" if len(ends) > 1 else ""),
                node=ends[0],
                function=function,
                operations=[node.name for node in dead],
                unused=[node.name for node in ends],
            )


def _is_expected(node: Node) -> bool:
    """Whether it is a read of a state, or an `identity` that only gives an input somebody who uses it."""
    source = node.operand("x")
    return node.type == "read_state" or (
        node.type == "identity" and source is not None and source.producer is None and source.value is None
    )
