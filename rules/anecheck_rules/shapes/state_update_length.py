"""ANE711: long updates of a state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import sizes
from anecheck_rules.shapes.states import RELABELLING, read_from


class StateUpdateLength(OperationRule):
    """An update writes more than 32 positions of a state at once.

    ## Why it goes wrong
    Models that process a prompt in chunks write a chunk of keys and values into their cache. With chunks above 32
    positions such models were reported to fail on the engine, in two reports on iOS 18 and macOS 15; 16 and
    32 positions work, in states of rank 4.

    ## Instead
    - Convert the prompt's function for chunks of 32 positions or fewer.
    - Where the chunk must stay, write it in parts of 32. Each part is then as long as what is known to work, but nobody
      reported on several in one program.
    - Keep the cache outside: give the new keys and values out, and let the app write them.

    ## Contradictions
    Apple's advice for Core AI is to process prompts in chunks of 64, with caches that the model only reads. So this is
    a hint.
    """

    code = "ANE711"
    name = "state-update-length"
    severity = Severity.INFO
    operations = frozenset({"slice_update"})
    blocks = frozenset()
    rewrite = "process prompts in chunks of at most 32 positions"
    evidence = (
        cite("anemll", Confidence.COMMUNITY),
        cite("ct2553", Confidence.COMMUNITY),
        cite("apple-coreai", Confidence.DOCUMENTED),
    )
    covers = ("ST03",)
    limits = ("slice-update-length",)
    releases = "iOS 18 and macOS 15 on"
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 64, 32]> k, state<tensor<fp16, [1, 2, 128, 32]>> cache) {
                    tensor<fp16, [1, 2, 128, 32]> old = read_state(input = cache);
                    tensor<fp16, [1, 2, 128, 32]> new = slice_update(begin = tensor<int32, [4]>([0, 0, 64, 0]),
                        end = tensor<int32, [4]>([1, 2, 128, 32]), update = k, x = old);
                    write_state(data = new, input = cache);
                    tensor<fp16, [1, 2, 128, 32]> keys = read_state(input = cache);
                    tensor<fp16, [1, 2, 128, 32]> y = tanh(x = keys);
                } -> (y);
            """),
            flags=("new",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 64, 32]> k, state<tensor<fp16, [1, 2, 128, 32]>> cache) {
                    tensor<fp16, [1, 2, 32, 32]> first, tensor<fp16, [1, 2, 32, 32]> second = split(axis = int32(2),
                        num_splits = int32(2), x = k);
                    tensor<fp16, [1, 2, 128, 32]> old = read_state(input = cache);
                    tensor<fp16, [1, 2, 128, 32]> half = slice_update(begin = tensor<int32, [4]>([0, 0, 64, 0]),
                        end = tensor<int32, [4]>([1, 2, 96, 32]), update = first, x = old);
                    tensor<fp16, [1, 2, 128, 32]> new = slice_update(begin = tensor<int32, [4]>([0, 0, 96, 0]),
                        end = tensor<int32, [4]>([1, 2, 128, 32]), update = second, x = half);
                    write_state(data = new, input = cache);
                    tensor<fp16, [1, 2, 128, 32]> keys = read_state(input = cache);
                    tensor<fp16, [1, 2, 128, 32]> y = tanh(x = keys);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, k):
                    self.cache[:, :, 64:128] = k
                    return torch.tanh(self.cache)
            """),
            pytorch_after=pytorch("""
                def forward(self, k):
                    self.cache[:, :, 64:96] = k[:, :, :32]
                    self.cache[:, :, 96:128] = k[:, :, 32:]
                    return torch.tanh(self.cache)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag an update of a part of a state that is too long along the axis on which it is a part."""
        limit = context.limit("slice-update-length")
        state = read_from(operation.operand("x"), passing=RELABELLING | {"slice_update"})
        length = _length(operation)
        if limit is None or state is None:
            return
        if length > limit.value:
            yield self.finding(
                operation,
                f"{length} positions of a state written at once; more than {limit.value:g} were reported to fail",
                families=context.families_below("slice-update-length", length),
                state=state.name,
                length=length,
            )


def _length(operation: Node) -> int:
    """How long an update is on the axis on which it is a part of what it goes into; 0 where that is not known."""
    whole, part = sizes(operation.operand("x")), sizes(operation.operand("update"))
    taken = operation.constant("squeeze_mask") or ()
    if whole is None or part is None:
        return 0
    kept = [size for axis, size in enumerate(whole) if not (axis < len(taken) and taken[axis])]
    if len(kept) != len(part):
        return 0
    return max((size for full, size in zip(kept, part, strict=True) if size < full), default=0)
