"""ANE713: states that are written with something reshaped and transposed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.graph import Node
from anecheck.mil.pattern import maker
from anecheck_rules.shapes.states import written


class TransposedStateWrite(ModelRule):
    """What is written into a state was split into heads and transposed right before.

    ## Why it goes wrong
    Keys and values come out of a projection as (batch, position, head · width), and caches hold (batch, head, position,
    width), so most models have a `reshape` and a `transpose` between the two. A model with both directly in front of a
    state failed to load with "MIL program input 'k_cache' not found in Core ML model inputs", on CPU and engine alike;
    without the `transpose` it loaded.

    Two reports, with coremltools 8 on betas of iOS 18 and macOS 15; whether later releases still do it is not known. If
    the model loads, the rewrite only saves the transposes.

    ## Instead
    - One position at a time: `reshape` straight to (1, head, 1, width). With a single position the transpose moves
      nothing.
    - Several: make the projection a 1×1 convolution on (1, channel, 1, position), and hold the cache as (1, head, width,
      position), which is a `reshape` away from its result. Attention then multiplies without transposing either.
    """

    code = "ANE713"
    name = "transposed-state-write"
    severity = Severity.INFO
    engine_only = False
    rewrite = "reshape straight to the layout of the state"
    evidence = (cite("ct2278", Confidence.COMMUNITY),)
    covers = ("ST06",)
    releases = "betas of iOS 18 and macOS 15"
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 64]> k, state<tensor<fp16, [1, 2, 16, 32]>> cache) {
                    tensor<fp16, [1, 1, 2, 32]> heads = reshape(shape = tensor<int32, [4]>([1, 1, 2, 32]), x = k);
                    tensor<fp16, [1, 2, 1, 32]> row = transpose(perm = tensor<int32, [4]>([0, 2, 1, 3]), x = heads);
                    tensor<fp16, [1, 2, 16, 32]> old = read_state(input = cache);
                    tensor<fp16, [1, 2, 16, 32]> new = slice_update(begin = tensor<int32, [4]>([0, 0, 3, 0]),
                        end = tensor<int32, [4]>([1, 2, 4, 32]), update = row, x = old);
                    write_state(data = new, input = cache);
                    tensor<fp16, [1, 2, 16, 32]> keys = read_state(input = cache);
                    tensor<fp16, [1, 2, 16, 32]> y = tanh(x = keys);
                } -> (y);
            """),
            flags=("row",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 64]> k, state<tensor<fp16, [1, 2, 16, 32]>> cache) {
                    tensor<fp16, [1, 2, 1, 32]> row = reshape(shape = tensor<int32, [4]>([1, 2, 1, 32]), x = k);
                    tensor<fp16, [1, 2, 16, 32]> old = read_state(input = cache);
                    tensor<fp16, [1, 2, 16, 32]> new = slice_update(begin = tensor<int32, [4]>([0, 0, 3, 0]),
                        end = tensor<int32, [4]>([1, 2, 4, 32]), update = row, x = old);
                    write_state(data = new, input = cache);
                    tensor<fp16, [1, 2, 16, 32]> keys = read_state(input = cache);
                    tensor<fp16, [1, 2, 16, 32]> y = tanh(x = keys);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, k):
                    self.cache[:, :, 3:4] = k.view(1, 1, 2, 32).transpose(1, 2)
                    return torch.tanh(self.cache)
            """),
            pytorch_after=pytorch("""
                def forward(self, k):
                    self.cache[:, :, 3:4] = k.view(1, 2, 1, 32)
                    return torch.tanh(self.cache)
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function once, at the first transpose."""
        for function in context.functions:
            writes = function.graph.by_type.get("write_state", ())
            found = list(dict.fromkeys(transposed for write in writes if (transposed := _transposed(write))))
            if found:
                count = f" ({len(found)} times)" if len(found) > 1 else ""
                yield self.finding(
                    f"reshaped and transposed right before it is written into a state{count}",
                    node=found[0],
                    function=function,
                    count=len(found),
                )


def _transposed(write: Node) -> Node | None:
    turn = maker(written(write), "transpose")
    return turn if turn is not None and maker(turn.operand("x"), "reshape") else None
