"""ANE247: from floating point to integers and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import sole_user, with_number
from anecheck_rules.forms.integer_paths import is_wide

FLOATS = frozenset({"fp16", "fp32"})

ARITHMETIC = ("add", "sub", "mul")
"""Operations with an integer constant that give the same number in floating point."""


class IntegerRoundTrip(OperationRule):
    """Floating-point numbers are cast to 32-bit integers and back.

    ## Why it leaves the engine
    The engine takes no 32-bit integers, so both casts and what lies between them run on the CPU, and the values cross over
    and back. All that the round trip does is to cut off the fraction, which fp16 can do itself: from 1024 on it has none.

        x fp16 ─ cast(int32) ─ [add(n)] ─ cast(fp16) ─ y

        x fp16 ─┬─ abs ─ floor ─┬ mul ─ [add(n)] ─ y
                └─ sign ────────┘

    ## Instead
    - Where no number is negative (after relu, sigmoid, a softmax, an absolute value), `floor` is the cast to integers.
    - Where some are, `floor` of the absolute value, times the sign: casts cut towards zero.
    - Was it meant to round? Then `round`, which no cast does.

    All of these run on the engine. One addition, subtraction or multiplication by a whole number in between gives the same
    in fp16; several do up to 2048, where fp16 stops holding every whole number.
    """

    code = "ANE247"
    name = "integer-round-trip"
    operations = frozenset({"cast"})
    rewrite = "cut the fraction off with floor (times the sign, where numbers may be negative)"
    reject = "Unsupported tensor data type: int32"
    evidence = (cite("751k-dispatch", Confidence.MEASURED, "H16"), cite("apple-coreai", Confidence.DOCUMENTED))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<int32, [1, 16, 32, 32]> i = cast(dtype = string("int32"), x = x);
                    tensor<int32, [1, 16, 32, 32]> j = add(x = i, y = int32(1));
                    tensor<fp16, [1, 16, 32, 32]> y = cast(dtype = string("fp16"), x = j);
                } -> (y);
            """),
            flags=("i",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [1, 16, 32, 32]> size = abs(x = x);
                    tensor<fp16, [1, 16, 32, 32]> whole = floor(x = size);
                    tensor<fp16, [1, 16, 32, 32]> side = sign(x = x);
                    tensor<fp16, [1, 16, 32, 32]> cut = mul(x = whole, y = side);
                    tensor<fp16, [1, 16, 32, 32]> y = add(x = cut, y = fp16(1));
                } -> (y);
            """),
            pattern="int_cast_roundtrip_ios18",
            pytorch_before=pytorch("""
                def forward(self, x):
                    return (x.int() + 1).to(x.dtype)
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return x.abs().floor() * x.sign() + 1
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 4]> x) {
                    tensor<fp16, [1, 8, 4]> h = relu(x = x);
                    tensor<int32, [1, 8, 4]> i = cast(dtype = string("int32"), x = h);
                    tensor<fp16, [1, 8, 4]> f = cast(dtype = string("fp16"), x = i);
                    tensor<fp16, [1, 8, 4]> y = sub(x = h, y = f);
                } -> (y);
            """),
            flags=("i",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 4]> x) {
                    tensor<fp16, [1, 8, 4]> h = relu(x = x);
                    tensor<fp16, [1, 8, 4]> f = floor(x = h);
                    tensor<fp16, [1, 8, 4]> y = sub(x = h, y = f);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x):
                    h = torch.relu(x)
                    return h - h.long().to(h.dtype)
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    h = torch.relu(x)
                    return h - h.floor()
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a cast from floating point that another one undoes, with at most one constant applied in between."""
        source = operation.tensor("x")
        if source is None or source.dtype not in FLOATS or not operation.outputs or not is_wide(operation.outputs[0]):
            return
        user = sole_user(operation, graph, "cast", *ARITHMETIC)
        between = user if user is not None and user.type != "cast" and with_number(user) is not None else None
        last = sole_user(between, graph, "cast") if between is not None else user
        result = last.outputs[0].tensor if last is not None and last.type == "cast" else None
        if last is None or result is None or result.dtype not in FLOATS:
            return
        whole = operation.outputs[0].tensor
        middle = whole.dtype if whole is not None else "integers"
        step = f", one {between.type} in between" if between is not None else ""
        yield self.finding(
            operation,
            f"cast from {source.dtype} to {middle} and back to {result.dtype}{step}",
            related=(between, last) if between is not None else (last,),
        )
