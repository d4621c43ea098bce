"""Standardization written out: (x - mean) / sqrt(variance + epsilon), in whatever operations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.pattern import axes, maker, near, number, sole_user, with_constant, with_number

ROOTS = frozenset({"sqrt", "rsqrt", "pow"})
"""What the root of the variance is taken with; a pattern is looked for from there."""


@dataclass(frozen=True, eq=False)
class Standardization:
    """One that was found.

    `source` is standardized over `axes`; `operations` are all that it takes, in the order of the graph, and the last is
    `result`. `affine` are what scales and shifts the result by constants afterwards, where nothing else sees it.
    """

    source: Operand
    axes: tuple[int, ...]
    operations: tuple[Node, ...]
    result: Node
    affine: tuple[Node, ...]

    @cached_property
    def rank(self) -> int:
        """How many axes the source has."""
        return self.source.tensor.rank if self.source.tensor else 0

    @property
    def over(self) -> str:
        """The axes, for people: "axis 2" or "axes 1 and 2"."""
        *most, last = map(str, self.axes)
        return f"axes {', '.join(most)} and {last}" if most else f"axis {last}"

    @property
    def written_out(self) -> str:
        """How many operations it takes, for people."""
        count = len(self.operations) + len(self.affine)
        extra = ", scale and shift included" if self.affine else ""
        return f"written out in {count} operations{extra}"

    @property
    def others(self) -> tuple[Node, ...]:
        """Every operation but the last of the standardization itself."""
        return (*self.operations[:-1], *self.affine)


def standardization(root: Node, graph: Graph) -> Standardization | None:
    """The standardization whose variance `root` takes the root of."""
    inverse = _inverse(root)
    shifted = maker(root.operand("x"), "add")
    epsilon = with_number(shifted) if shifted else None
    variance = maker(epsilon[0], "reduce_mean") if epsilon else None
    squares = maker(variance.operand("x"), "square", "mul", "pow") if variance else None
    centred = _squared(squares) if squares else None
    difference = maker(centred, "sub")
    if inverse is None or shifted is None or variance is None or squares is None or difference is None:
        return None
    source, mean = difference.operand("x"), maker(difference.operand("y"), "reduce_mean")
    if source is None or mean is None or mean.operand("x") is not source:
        return None
    over = axes(mean)
    if not over or over != axes(variance) or not all(_keeps(reduction) for reduction in (mean, variance)):
        return None
    for user in graph.users(root):
        numerator = _numerator(user, root, inverse=inverse)
        if numerator is not None and _same_difference(numerator, source, mean):
            chain = dict.fromkeys((mean, difference, numerator, squares, variance, shifted, root, user))
            return Standardization(source, over, tuple(chain), user, _affine(user, graph))
    return None


def _inverse(root: Node) -> bool | None:
    """Whether `root` is one over the square root; `None` where it is no square root."""
    if root.type != "pow":
        return root.type == "rsqrt"
    exponent = number(root.operand("y"))
    return exponent < 0 if exponent is not None and abs(exponent) == 0.5 else None


def _squared(node: Node) -> Operand | None:
    """What `node` multiplies with itself."""
    x, y = node.operand("x"), node.operand("y")
    if node.type == "square" or (node.type == "mul" and x is y) or (node.type == "pow" and near(number(y), 2)):
        return x
    return None


def _keeps(reduction: Node) -> bool:
    return reduction.scalar("keep_dims") is True


def _numerator(user: Node, root: Node, *, inverse: bool) -> Node | None:
    """The subtraction whose result `user` brings together with the root."""
    x, y = user.operand("x"), user.operand("y")
    result = root.outputs[0]
    if user.type == "real_div" and not inverse and y is result:
        return maker(x, "sub")
    if user.type == "mul" and inverse:
        return maker(x if y is result else y, "sub")
    return None


def _same_difference(node: Node, source: Operand, mean: Node) -> bool:
    """Whether a subtraction takes the mean from the source; people write it once or twice."""
    y = node.operand("y")
    return node.operand("x") is source and y is not None and y.producer is mean


def _affine(result: Node, graph: Graph) -> tuple[Node, ...]:
    """What scales and shifts by constants right after: `mul`, `add`, both, or the `batch_norm` that coremltools makes of them."""
    following = sole_user(result, graph, "mul", "add", "batch_norm")
    if following is None or (following.type != "batch_norm" and with_constant(following) is None):
        return ()
    if following.type != "mul":
        return (following,)
    shift = sole_user(following, graph, "add")
    return (following, shift) if shift is not None and with_constant(shift) else (following,)
