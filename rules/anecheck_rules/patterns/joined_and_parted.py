"""ANE231: parts that are joined and taken apart again, or the other way round."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import maker, sizes
from anecheck_rules.forms.slices import is_plain


class JoinedAndParted(OperationRule):
    """A concat is undone by a split or a slice, or a split by a concat.

    ## Why it costs
    Each reads and writes the whole tensor, and a concat is a barrier for the engine's compiler besides: it keeps what comes
    before from being fused with what comes after.

        a ─┬─ concat ─ split ─┬─ a                    a ─ a
        b ─┘                  └─ b                    b ─ b

        x ─ split ─┬─ a ─┬─ concat ─ x                x ─ x
                   └─ b ─┘

    This is left where parts were packed for a state, an output or a function's borders, and both sides came into one graph.

    ## Instead
    Use the parts, or the whole, which are there already. Where both inputs were joined only to go through one layer
    together, split the layer's weights instead.

    ## Known exceptions
    Parts in another order, other sizes, or along another axis are something else and not flagged.
    """

    code = "ANE231"
    name = "joined-and-parted"
    operations = frozenset({"split", "slice_by_index", "concat"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "use the parts, or the whole, from before"
    covers = ("NF03",)
    evidence = (cite("guide22", Confidence.REVERSE_ENGINEERED), cite("arith", Confidence.DOCUMENTED))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4]> a, tensor<fp16, [1, 3, 4]> b) {
                    tensor<fp16, [1, 5, 4]> c = concat(axis = int32(1), interleave = bool(false), values = (a, b));
                    tensor<fp16, [1, 3, 4]> d = slice_by_index(
                        begin = tensor<int32, [3]>([0, 2, 0]), end = tensor<int32, [3]>([1, 5, 4]), x = c);
                    tensor<fp16, [1, 5, 4]> y = relu(x = c);
                    tensor<fp16, [1, 3, 4]> z = tanh(x = d);
                } -> (y, z);
            """),
            flags=("d",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4]> a, tensor<fp16, [1, 3, 4]> b) {
                    tensor<fp16, [1, 5, 4]> c = concat(axis = int32(1), interleave = bool(false), values = (a, b));
                    tensor<fp16, [1, 5, 4]> y = relu(x = c);
                    tensor<fp16, [1, 3, 4]> z = tanh(x = b);
                } -> (y, z);
            """),
            pytorch_before=pytorch("""
                c = torch.cat([a, b], dim=1)
                y, z = c.relu(), c[:, a.shape[1]:].tanh()
            """),
            pytorch_after=pytorch("""
                y, z = torch.cat([a, b], dim=1).relu(), b.tanh()
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 4]> x) {
                    tensor<fp16, [1, 2, 4]> a, tensor<fp16, [1, 2, 4]> b = split(
                        axis = int32(1), num_splits = int32(2), x = x);
                    tensor<fp16, [1, 4, 4]> c = concat(axis = int32(1), interleave = bool(false), values = (a, b));
                    tensor<fp16, [1, 2, 4]> z = tanh(x = a);
                    tensor<fp16, [1, 4, 4]> y = relu(x = c);
                } -> (y, z);
            """),
            flags=("c",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 4]> x) {
                    tensor<fp16, [1, 2, 4]> a = slice_by_index(
                        begin = tensor<int32, [3]>([0, 0, 0]), end = tensor<int32, [3]>([1, 2, 4]), x = x);
                    tensor<fp16, [1, 2, 4]> z = tanh(x = a);
                    tensor<fp16, [1, 4, 4]> y = relu(x = x);
                } -> (y, z);
            """),
            pytorch_before=pytorch("""
                a, b = x.chunk(2, dim=1)
                y, z = torch.cat([a, b], dim=1).relu(), a.tanh()
            """),
            pytorch_after=pytorch("""
                y, z = x.relu(), x[:, :2].tanh()
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag what gives back what is there already."""
        if operation.type == "concat":
            values = operation.inputs.get("values", ())
            parted = maker(values[0], "split") if values else None
            if (
                parted is not None
                and values == parted.outputs
                and _axis(parted) == _axis(operation)
                and _in_order(operation)
            ):
                text = (
                    f"a concat of the {len(values)} parts of a split, in order: the whole of {parted.tensor('x')} again"
                )
                yield self.finding(operation, text, related=(parted,))
            return
        joined = maker(operation.operand("x"), "concat")
        if joined is None or not _in_order(joined):
            return
        values = joined.inputs.get("values", ())
        axis, lengths = _axis(joined), [sizes(value) for value in values]
        if axis is None or any(length is None for length in lengths):
            return
        if operation.type == "split":
            parts = [sizes(part) for part in operation.outputs]
            if _axis(operation) == axis and parts == lengths:
                yield self.finding(
                    operation, f"a split into the {len(values)} parts that a concat joined", related=(joined,)
                )
            return
        window = _window(operation, axis)
        ends = list(accumulate((length[axis] for length in lengths if length), initial=0))
        for value, bounds in zip(values, pairwise(ends), strict=True):
            if window == bounds and sizes(operation.outputs[0]) == sizes(value):
                yield self.finding(
                    operation, f"a slice of a concat gives back one of its parts, {value.type}", related=(joined,)
                )


def _in_order(concat: Node) -> bool:
    return not concat.scalar("interleave")


def _axis(node: Node) -> int | None:
    """The axis along which a concat joins or a split parts, from the front."""
    tensor, axis = (node.outputs[0].tensor if node.outputs else None), node.scalar("axis")
    return int(axis) % tensor.rank if tensor is not None and tensor.rank and axis is not None else None


def _window(node: Node, axis: int) -> tuple[int, int] | None:
    """The bounds of a slice that takes the other axes whole, without steps."""
    given, result, begin, end = (
        sizes(node.operand("x")),
        sizes(node.outputs[0]),
        node.constant("begin"),
        node.constant("end"),
    )
    if (
        given is None
        or result is None
        or begin is None
        or end is None
        or not is_plain(node)
        or len(given) != len(result)
    ):
        return None
    if any(int(step) != 1 for step in node.constant("stride") or ()):
        return None
    if any(result[other] != given[other] for other in range(len(given)) if other != axis):
        return None
    masked = (node.constant("begin_mask") or (False,) * len(given))[axis]
    start = 0 if masked else int(begin[axis]) % given[axis] if int(begin[axis]) < 0 else int(begin[axis])
    return (start, start + result[axis])
