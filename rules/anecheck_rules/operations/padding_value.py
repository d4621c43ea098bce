"""ANE122: padding with something else than zero."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class PaddingValue(OperationRule):
    """A tensor is padded with a constant other than zero.

    ## Why it leaves the engine
    The engine pads with zeros. Core ML's compiler has a message of its own for other values ("Constnt Pad fill mode with
    non-zero values is not supported on ANE", misspelt like this).

    ## Instead
    Subtract the value, pad with zeros, and add it again. Where the numbers are much larger than the value, subtracting
    loses some of their precision; concatenating a constant border does not.

    ## Contradictions
    Nobody has seen the engine pad with another value, nor measured that it refuses: M4's plan was read with zeros. It rests
    on the compiler's own message.
    """

    code = "ANE122"
    name = "padding-value"
    operations = frozenset({"pad"})
    reject = "Constnt Pad fill mode with non-zero values is not supported on ANE"
    rewrite = "subtract the value, pad with zeros, add it again; or concatenate a constant border"
    evidence = (
        cite("751k-dispatch", Confidence.REVERSE_ENGINEERED, "H16"),
        cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),
    )
    covers = ("OP33",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 2, 4]> x) {
                    tensor<fp16, [1, 2, 2, 6]> y = pad(constant_val = fp16(1), mode = string("constant"),
                        pad = tensor<int32, [8]>([0, 0, 0, 0, 0, 0, 1, 1]), x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 2, 4]> x) {
                    tensor<fp16, [1, 2, 2, 1]> border = const()[val = tensor<fp16, [1, 2, 2, 1]>([1, 1, 1, 1])];
                    tensor<fp16, [1, 2, 2, 6]> y = concat(axis = int32(3), interleave = bool(false),
                        values = (border, x, border));
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x):
                    return F.pad(x, (1, 1), value=1.0)
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    border = torch.ones(1, 2, 2, 1, dtype=x.dtype)
                    return torch.cat([border, x, border], -1)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag constant padding with a value that is not zero."""
        value = operation.scalar("constant_val")
        if operation.scalar("mode") == "constant" and isinstance(value, (int, float)) and value != 0:
            yield self.finding(operation, f"pads with {value:g}", value=value)
