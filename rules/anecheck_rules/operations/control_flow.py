"""ANE111: loops and branches."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import dropwhile, islice, takewhile
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil
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

    ## Known contradictions
    No placement report of a model with control flow was published. This stands on strings in the compiler and on notes
    of people who tried.
    """

    code = "ANE111"
    name = "control-flow"
    operations = frozenset({"while_loop", "cond"})
    rewrite = "unroll the loop or run it in the app; compute both branches and choose with select"
    evidence = (
        cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),
        cite("smp-notes", Confidence.COMMUNITY, "H13"),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 8, 32]> x) {
                    tensor<fp16, []> mean = reduce_mean(axes = tensor<int32, [3]>([0, 1, 2]),
                        keep_dims = bool(false), x = x);
                    tensor<bool, []> positive = greater(x = mean, y = fp16(0));
                    tensor<fp16, [1, 8, 32]> y = cond(pred = positive) {
                        block() {
                            tensor<fp16, [1, 8, 32]> a = mul(x = x, y = fp16(2));
                        } -> (a);
                        block() {
                            tensor<fp16, [1, 8, 32]> b = relu(x = x);
                        } -> (b);
                    };
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 8, 32]> x) {
                    tensor<fp16, [1, 1, 1]> mean = reduce_mean(axes = tensor<int32, [3]>([0, 1, 2]),
                        keep_dims = bool(true), x = x);
                    tensor<bool, [1, 1, 1]> positive = greater(x = mean, y = fp16(0));
                    tensor<fp16, [1, 8, 32]> a = mul(x = x, y = fp16(2));
                    tensor<fp16, [1, 8, 32]> b = relu(x = x);
                    tensor<fp16, [1, 8, 32]> y = select(a = a, b = b, cond = positive);
                } -> (y);
            """),
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
