"""Between which numbers a value can lie, as far as the operations that make it tell without its inputs and weights.

A rule about overflow is silent where a value cannot grow large: the exponential of a negated square, the square of a sigmoid,
the softplus of something clipped. Ranges come from a few operations before the value and no further.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from anecheck.mil.graph import Node, Operand
from anecheck.mil.pattern import above, maker, number
from anecheck.mil.values import TensorValue

DEEPEST: Final = 6
"""How many operations before a value are looked at, so that a range costs the same however large the graph is."""

MOST_ELEMENTS: Final = 65_536
"""The largest constant whose elements are read; coremltools writes out none that is nearly so large."""

PASSING: Final = frozenset(
    {
        *("reshape", "transpose", "squeeze", "expand_dims", "flatten2d", "identity", "tile", "reverse"),
        *("slice_by_index", "slice_by_size", "split", "space_to_depth", "depth_to_space", "pixel_shuffle"),
        *("max_pool", "reduce_max", "reduce_min", "reduce_mean"),
    }
)
"""Operations whose results lie between the numbers of their `x`."""

MOVING: Final = PASSING - {"max_pool", "reduce_max", "reduce_min", "reduce_mean"}
"""Those of them that give the numbers of their `x` unchanged, in other places."""


@dataclass(frozen=True, slots=True)
class Range:
    """All numbers from `low` to `high`."""

    low: float
    high: float

    @property
    def magnitude(self) -> float:
        """The largest magnitude in the range."""
        return max(abs(self.low), abs(self.high))


ANY: Final = Range(-math.inf, math.inf)
FIXED: Final = {
    **dict.fromkeys(("sigmoid", "sigmoid_hard", "softmax"), Range(0, 1)),
    **dict.fromkeys(("tanh", "sin", "cos", "erf", "sign", "softsign", "l2_norm"), Range(-1, 1)),
    **dict.fromkeys(("softplus", "reduce_l1_norm", "reduce_l2_norm", "reduce_sum_square"), Range(0, math.inf)),
    **dict.fromkeys(("rsqrt", "sqrt"), Range(0, math.inf)),
}
"""Operations that say it by themselves."""


def elements(operand: Operand | None) -> tuple[float, ...]:
    """The numbers of a constant that is written out; none where it is too long, no number, or no constant."""
    value = operand.value if operand is not None else None
    if not isinstance(value, TensorValue) or not 0 < (value.type.element_count or 0) <= MOST_ELEMENTS:
        return ()
    return tuple(float(element) for element in value.elements() if isinstance(element, (int, float)))


def reach(operand: Operand | None, unknown: Range = ANY, depth: int = DEEPEST) -> Range:
    """The numbers that a value can be; where nothing tells, `unknown` is taken for its sources."""
    if operand is None:
        return unknown
    if operand.is_constant:
        numbers = elements(operand)
        return Range(min(numbers), max(numbers)) if numbers and not any(map(math.isnan, numbers)) else unknown
    if operand.tensor is not None and operand.tensor.dtype == "bool":
        return Range(0, 1)
    node = operand.producer
    if node is None or depth == 0:
        return unknown
    if node.type in FIXED:
        return FIXED[node.type]

    def of(parameter: str) -> Range:
        return reach(node.operand(parameter), unknown, depth - 1)

    if node.type in PASSING or node.type == "cast":
        return of("x")
    compute = COMPUTED.get(node.type)
    return compute(node, of) if compute is not None else unknown


Look = Callable[[str], Range]


def terms(operand: Operand, axes: tuple[int, ...] | None) -> int:
    """How many elements of a tensor one sum over `axes` adds up; unknown dimensions count as one."""
    shape = operand.tensor.shape if operand.tensor is not None else ()
    return math.prod(max(shape[axis] or 1, 1) for axis in axes or ())


def is_shifted(operand: Operand | None) -> bool:
    """Whether a value is a difference to its own maximum, so that none of it is above zero."""
    node = maker(operand, "sub")
    return node is not None and maker(above(node.operand("y"), MOVING | {"cast"}), "reduce_max") is not None


def _add(_: Node, of: Look) -> Range:
    x, y = of("x"), of("y")
    return _ordered(x.low + y.low, x.high + y.high)


def _sub(node: Node, of: Look) -> Range:
    x, y = of("x"), of("y")
    found = _ordered(x.low - y.high, x.high - y.low)
    return Range(min(found.low, 0.0), min(found.high, 0.0)) if is_shifted(node.outputs[0]) else found


def _mul(node: Node, of: Look) -> Range:
    x = of("x")
    if node.operand("x") is node.operand("y"):
        return Range(0, x.magnitude**2)
    y = of("y")
    products = [_product(a, b) for a in (x.low, x.high) for b in (y.low, y.high)]
    return Range(min(products), max(products))


def _div(node: Node, of: Look) -> Range:
    divisor = number(node.operand("y"))
    if not divisor:
        return ANY
    x = of("x")
    return Range(*sorted((x.low / divisor, x.high / divisor)))


def _pow(node: Node, of: Look) -> Range:
    exponent = number(node.operand("y"))
    if exponent is None or exponent % 2:
        return ANY
    return Range(0, of("x").magnitude ** exponent) if exponent > 0 else Range(0, math.inf)


def _exp(_: Node, of: Look) -> Range:
    high = of("x").high
    return Range(0, math.exp(high) if high < 700 else math.inf)


def _clip(node: Node, of: Look) -> Range:
    x, low, high = of("x"), number(node.operand("alpha")), number(node.operand("beta"))
    return _between(x, -math.inf if low is None else low, math.inf if high is None else high)


def _maximum(_: Node, of: Look) -> Range:
    x, y = of("x"), of("y")
    return Range(max(x.low, y.low), max(x.high, y.high))


def _minimum(_: Node, of: Look) -> Range:
    x, y = of("x"), of("y")
    return Range(min(x.low, y.low), min(x.high, y.high))


def _abs(_: Node, of: Look) -> Range:
    x = of("x")
    return Range(max(0.0, x.low, -x.high), x.magnitude)


def _between(x: Range, low: float, high: float) -> Range:
    return Range(min(max(x.low, low), high), max(min(x.high, high), low))


def _ordered(low: float, high: float) -> Range:
    return Range(-math.inf if math.isnan(low) else low, math.inf if math.isnan(high) else high)


def _product(a: float, b: float) -> float:
    return 0.0 if 0 in {a, b} else a * b  # the end of an endless range is no number, so nothing times it is nothing


COMPUTED: Final[dict[str, Callable[[Node, Look], Range]]] = {
    "abs": _abs,
    "add": _add,
    "clip": _clip,
    "exp": _exp,
    "maximum": _maximum,
    "minimum": _minimum,
    "mul": _mul,
    "pow": _pow,
    "real_div": _div,
    "relu": lambda _, of: _between(of("x"), 0, math.inf),
    "relu6": lambda _, of: _between(of("x"), 0, 6),
    "square": lambda _, of: Range(0, of("x").magnitude ** 2),
    "sub": _sub,
}
"""What the range of an operation is, given those of its operands."""
