"""ANE223: transposes that undo one another, that could be one, or that a product of matrices could take over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import maker, permutation
from anecheck_rules.forms.transposed_chains import ELEMENT_WISE, chain_to

BEFORE = ELEMENT_WISE | {"transpose"}
"""What a sandwich may have right before its second transpose."""


class TransposeSandwich(OperationRule):
    """A transpose is taken back, repeated, or done where a matmul could do it.

    ## Why it costs
    A transpose computes nothing and reads and writes the whole tensor. On M4 one alone takes 3.8 µs of the engine's time
    before any number has moved; on large activations it is bound by memory, like every copy.

        x ─ transpose(p) ─ relu ─ mul(c) ─ transpose(p⁻¹) ─ y          x ─ relu ─ mul(c) ─ y

        x ─ transpose(p) ─ transpose(q) ─ y                            x ─ transpose(p·q) ─ y

        k ─ transpose(last two) ─ matmul(q, ·)                         k ─ matmul(q, ·, transpose_y)

    What treats every element alike gives the same in any order of axes. coremltools takes many such pairs out; left are the
    ones in programs from other writers, and in graphs that were joined, or cut at an operation that has since gone.

    ## Instead
    - Leave both transposes away where the second takes the first back; constants between them change their shape with it.
    - Merge two into one: `x.permute(p).permute(q)` is `x.permute([p[i] for i in q])`.
    - Let the product read its operand transposed, by `transpose_x` or `transpose_y`; these cost nothing.

    ## Contradictions
    The engine's compiler is reported to cancel symmetric pairs by itself (reverse-engineered, with nothing between them).
    That helps where the pair reaches it in one piece, so this is advice.
    """

    code = "ANE223"
    name = "transpose-sandwich"
    operations = frozenset({"transpose"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "take out the pair, merge the two, or let the matmul transpose"
    covers = ("NF07",)
    evidence = (
        cite("ml-ane-tf", Confidence.DOCUMENTED),
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("guide22", Confidence.REVERSE_ENGINEERED),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 3, 5]> x) {
                    tensor<fp16, [1, 3, 5, 4]> a = transpose(perm = tensor<int32, [4]>([0, 2, 3, 1]), x = x);
                    tensor<fp16, [1, 3, 5, 4]> b = relu(x = a);
                    tensor<fp16, [1, 3, 5, 4]> c = mul(x = b, y = tensor<fp16, [4]>([1, 2, 0.5, 3]));
                    tensor<fp16, [1, 4, 3, 5]> y = transpose(perm = tensor<int32, [4]>([0, 3, 1, 2]), x = c);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 3, 5]> x) {
                    tensor<fp16, [1, 4, 3, 5]> b = relu(x = x);
                    tensor<fp16, [1, 4, 3, 5]> y = mul(x = b, y = tensor<fp16, [4, 1, 1]>([[[1]], [[2]], [[0.5]], [[3]]]));
                } -> (y);
            """),
            pytorch_before=pytorch("""
                y = (torch.relu(x.permute(0, 2, 3, 1)) * self.scale).permute(0, 3, 1, 2)
            """),
            pytorch_after=pytorch("""
                y = torch.relu(x) * self.scale[:, None, None]
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 4]> x) {
                    tensor<fp16, [1, 3, 2, 4]> a = transpose(perm = tensor<int32, [4]>([0, 2, 1, 3]), x = x);
                    tensor<fp16, [1, 3, 4, 2]> y = transpose(perm = tensor<int32, [4]>([0, 1, 3, 2]), x = a);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 4]> x) {
                    tensor<fp16, [1, 3, 4, 2]> y = transpose(perm = tensor<int32, [4]>([0, 2, 3, 1]), x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                y = x.transpose(1, 2).transpose(-1, -2)
            """),
            pytorch_after=pytorch("""
                y = x.permute(0, 2, 3, 1)
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 4]> q, tensor<fp16, [1, 2, 5, 4]> k) {
                    tensor<fp16, [1, 2, 4, 5]> t = transpose(perm = tensor<int32, [4]>([0, 1, 3, 2]), x = k);
                    tensor<fp16, [1, 2, 3, 5]> y = matmul(x = q, y = t);
                } -> (y);
            """),
            flags=("t",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 3, 4]> q, tensor<fp16, [1, 2, 5, 4]> k) {
                    tensor<fp16, [1, 2, 3, 5]> y = matmul(transpose_y = bool(true), x = q, y = k);
                } -> (y);
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag the second of two transposes with nothing but element-wise operations between, and one before a matmul."""
        before = maker(operation.operand("x"))
        match = self._sandwich(operation, graph) if before is not None and before.type in BEFORE else None
        users = graph.consumers(operation.outputs[0])
        if match is None and users and all(user.type == "matmul" for user, _ in users):
            match = self._before_products(operation, graph)
        if match is not None:
            yield match

    def _sandwich(self, operation: Node, graph: Graph) -> Match | None:
        chain = chain_to(operation, graph, ELEMENT_WISE)
        if chain is None or not (chain.is_undone or graph.only_user(chain.first.outputs[0]) is not None):
            return None
        first, last = (list(perm) for perm in chain.permutations)
        if last == sorted(last):
            return None
        between = f", with {chain.spelled} between," if chain.between else ""
        text = f"transposes by {first} and {last}{between}"
        text += " that undo one another" if chain.is_undone else f" that could be one by {list(chain.composed)}"
        return self.finding(operation, text, related=(chain.first, *chain.between))

    def _before_products(self, operation: Node, graph: Graph) -> Match | None:
        result, order = operation.outputs[0], permutation(operation)
        if order is None or not _swaps_last_two(order) or graph.is_output(result):
            return None
        sides = " and ".join(sorted({f"transpose_{parameter}" for _, parameter in graph.consumers(result)}))
        text = f"a transpose of the last two axes of {operation.tensor('x')} for a matmul, which does that by {sides}"
        return self.finding(operation, text, related=tuple(graph.users(operation)))


def _swaps_last_two(order: tuple[int, ...]) -> bool:
    rank = len(order)
    return rank >= 2 and order == (*range(rank - 2), rank - 1, rank - 2)
