"""ANE712: caches that are shifted by one place at each step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import above, maker
from anecheck_rules.shapes.states import PARTS, RELABELLING, read_from, written


class ShiftedCache(OperationRule):
    """A state is written back shifted: all but its oldest entries, and the new ones after them.

    ## Why it goes wrong
    A window that slides is often kept like this:

        cache ──> read_state ──> slice [1:] ──┐
                                      new ──> concat ──> write_state ──> cache

    In a language model whose output layer shares the weights of the embedding, a prediction on the engine of an A18
    failed with error -14, though Core ML's placement report gave the engine all of it. Every step also moves the whole
    cache to write one entry, so a step takes longer the longer the cache is.

    One project reports it, with this combination; a model whose predictions run has no need to change for it.

    ## Instead
    Let the entries stay where they are and overwrite the oldest: `cache · (1 − m) + new · m`, with an fp16 mask m as an
    input that is 1 in the place of the oldest entry and moves on by one at each step.

        cache ──> read_state ──> mul(1 − m) ──> add ──> write_state ──> cache
                             new ──> mul(m) ────┘

    Attention does not care in which order the entries stand, as long as mask and positions go with them: turn keys by
    their position before they are written. For convolutions over time the order counts; keep such caches as inputs and
    outputs, where they are short.
    """

    code = "ANE712"
    name = "shifted-cache"
    severity = Severity.INFO
    operations = frozenset({"write_state"})
    blocks = frozenset()
    rewrite = "overwrite the oldest entry through a mask: cache·(1−m) + new·m"
    evidence = (cite("john", Confidence.COMMUNITY, "H17"),)
    covers = ("ST05",)
    releases = "iOS 18 and macOS 15 on"
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 32]> new, tensor<fp16, [1, 1, 32]> q,
                        state<tensor<fp16, [1, 16, 32]>> cache) {
                    tensor<fp16, [1, 16, 32]> old = read_state(input = cache);
                    tensor<fp16, [1, 15, 32]> rest = slice_by_size(begin = tensor<int32, [3]>([0, 1, 0]),
                        size = tensor<int32, [3]>([1, 15, 32]), x = old);
                    tensor<fp16, [1, 16, 32]> shifted = concat(axis = int32(1), interleave = bool(false),
                        values = (rest, new));
                    write_state(data = shifted, input = cache)[name = string("write")];
                    tensor<fp16, [1, 16, 32]> keys = read_state(input = cache);
                    tensor<fp16, [1, 1, 32]> y = scaled_dot_product_attention(key = keys, query = q, value = keys);
                } -> (y);
            """),
            flags=("write",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 1, 32]> new, tensor<fp16, [1, 1, 32]> q, tensor<fp16, [1, 16, 1]> slot,
                        state<tensor<fp16, [1, 16, 32]>> cache) {
                    tensor<fp16, [1, 16, 32]> old = read_state(input = cache);
                    tensor<fp16, [1, 16, 1]> others = sub(x = fp16(1), y = slot);
                    tensor<fp16, [1, 16, 32]> kept = mul(x = old, y = others);
                    tensor<fp16, [1, 16, 32]> placed = mul(x = new, y = slot);
                    tensor<fp16, [1, 16, 32]> rotated = add(x = kept, y = placed);
                    write_state(data = rotated, input = cache);
                    tensor<fp16, [1, 16, 32]> keys = read_state(input = cache);
                    tensor<fp16, [1, 1, 32]> y = scaled_dot_product_attention(key = keys, query = q, value = keys);
                } -> (y);
            """),
            equal=False,
            reason="redesign: a mask of ones and zeros says which entry is the oldest, and the order of entries is free",
            pytorch_before=pytorch("""
                def forward(self, new, q):
                    self.cache[:] = torch.cat([self.cache[:, 1:], new], dim=1)
                    return F.scaled_dot_product_attention(q, self.cache, self.cache)
            """),
            pytorch_after=pytorch("""
                def forward(self, new, q, slot):
                    self.cache[:] = self.cache * (1 - slot) + new * slot
                    return F.scaled_dot_product_attention(q, self.cache, self.cache)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag a state, or a part of one, that is put together from a part of itself and something else."""
        joining = maker(above(written(operation), RELABELLING), "concat")
        if joining is None:
            return
        state = operation.operand("input")
        for part in joining.inputs.get("values", ()):
            cut = maker(above(part, RELABELLING), *PARTS)
            if cut is not None and state is not None and read_from(part) is state:
                yield self.finding(
                    operation,
                    f"state '{state.name}' is written back shifted, all of {state.tensor} at each step",
                    state=state.name,
                )
                return
