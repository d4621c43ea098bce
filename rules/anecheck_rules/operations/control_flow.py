"""ANE111: loops and branches."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import dropwhile, islice, takewhile
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class ControlFlow(OperationRule):
    """A loop (`while_loop`) or a branch (`cond`) runs on the CPU, with all the operations inside.

    ## Why it leaves the engine
    A program for the engine is a straight line. Core ML's compiler has no conversion of loops to it and says of
    branches "Condition layer is not supported". What is nested inside goes where the loop or branch goes, and what a
    loop returns arrives from the CPU, so the operations around it are cut in two. PyTorch's GRU becomes a `while_loop`
    on conversion.

    ## Instead
    - Unroll a loop whose number of rounds is known, before conversion.
    - Let the app loop: make a model of one round and pass what changes in and out, or keep it in a state.
    - Compute both branches and choose with `select`; for large branches make a function or a model of each and let the
      app choose.

    ## Contradictions
    Nobody contradicts it, and nobody has published a placement report of a model with control flow either. This stands
    on strings in the compiler, on notes of people who tried, and on a direct engine compile for M5 that took neither.
    """

    code = "ANE111"
    name = "control-flow"
    operations = frozenset({"while_loop", "cond"})
    rewrite = "unroll the loop or run it in the app; compute both branches and choose with select"
    evidence = (
        cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),
        cite("smp-notes", Confidence.COMMUNITY, "H13"),
    )
    covers = ("CF01", "CF02")
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp32, [1, 8]> x) {
                    tensor<fp16, [1, 8]> h = cast(dtype = string("fp16"), x = x);
                    fp16 sum = reduce_sum(keep_dims = bool(false), x = h);
                    bool positive = greater(x = sum, y = fp16(0));
                    tensor<fp32, [1, 8]> chosen = cond(pred = positive) {
                        block() {
                            tensor<fp16, [1, 8]> ha = cast(dtype = string("fp16"), x = x);
                            tensor<fp16, [1, 8]> a = mul(x = ha, y = fp16(2));
                            tensor<fp32, [1, 8]> wide_a = cast(dtype = string("fp32"), x = a);
                        } -> (wide_a);
                        block() {
                            tensor<fp16, [1, 8]> hb = cast(dtype = string("fp16"), x = x);
                            tensor<fp16, [1, 8]> b = sub(x = hb, y = fp16(1));
                            tensor<fp32, [1, 8]> wide_b = cast(dtype = string("fp32"), x = b);
                        } -> (wide_b);
                    };
                    tensor<fp16, [1, 8]> y = cast(dtype = string("fp16"), x = chosen);
                } -> (y);
            """),
            flags=("chosen",),
            after=mil("""
                func main<ios18>(tensor<fp32, [1, 8]> x) {
                    tensor<fp16, [1, 8]> h = cast(dtype = string("fp16"), x = x);
                    tensor<fp16, [1, 1]> sum = reduce_sum(axes = tensor<int32, [2]>([0, 1]), keep_dims = bool(true), x = h);
                    tensor<bool, [1, 1]> positive = greater(x = sum, y = fp16(0));
                    tensor<fp16, [1, 8]> a = mul(x = h, y = fp16(2));
                    tensor<fp16, [1, 8]> b = sub(x = h, y = fp16(1));
                    tensor<fp16, [1, 8]> y = select(a = a, b = b, cond = positive);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                @torch.jit.script
                def double_or_less(x):
                    if x.sum() > 0:
                        y = x * 2
                    else:
                        y = x - 1
                    return y
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return torch.where(x.sum((0, 1), keepdim=True) > 0, x * 2, x - 1)
            """),
            pattern="cond_script_ios18",
        ),
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 8, 32]> x) {
                    tensor<int32, []> rounds, tensor<fp16, [1, 8, 32]> y = while_loop(loop_vars = (int32(0), x)) {
                        block(tensor<int32, []> i, tensor<fp16, [1, 8, 32]> v) {
                            tensor<bool, []> more = less(x = i, y = int32(2));
                        } -> (more);
                        block(tensor<int32, []> i, tensor<fp16, [1, 8, 32]> v) {
                            tensor<int32, []> next = add(x = i, y = int32(1));
                            tensor<fp16, [1, 8, 32]> w = silu(x = v);
                        } -> (next, w);
                    };
                } -> (y);
            """),
            flags=("rounds",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 8, 32]> x) {
                    tensor<fp16, [1, 8, 32]> w = silu(x = x);
                    tensor<fp16, [1, 8, 32]> y = silu(x = w);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                @torch.jit.script
                def twice(x):
                    for _ in range(2):
                        x = torch.nn.functional.silu(x)
                    return x
            """),
            pytorch_after=pytorch("""
                def forward(self, x):  # traced, not scripted, a loop of Python is unrolled
                    for _ in range(2):
                        x = torch.nn.functional.silu(x)
                    return x
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag every one, together with what is nested in its blocks."""
        nested = tuple(node for node in _nested(operation, graph) if not node.is_constexpr)
        kind = "loop" if operation.type == "while_loop" else "branch"
        yield self.finding(
            operation,
            f"{kind} around {len(nested)} operation{'' if len(nested) == 1 else 's'}",
            related=nested,
            kind=kind,
            nested=len(nested),
        )


def _nested(operation: Node, graph: Graph) -> Iterator[Node]:
    """The nodes in the blocks of `operation`: those that follow it in the graph, until one lies no deeper."""
    start = bisect_left(graph.nodes, operation.index, key=lambda node: node.index)
    following = dropwhile(lambda node: node is not operation, islice(graph.nodes, start, None))
    return takewhile(lambda node: len(node.block) > len(operation.block), islice(following, 1, None))
