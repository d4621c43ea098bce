"""ANE252: outputs that are inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck_rules.forms.liveness import placeholders, returned_inputs, unused_inputs


class ReturnedInput(ModelRule):
    """An output of the function is one of its inputs, unchanged.

    ## Why it goes wrong
    Hardly anybody means that. It is what coremltools 9.0 makes, without a word, of a cache that is written at a position
    given as a tensor:

        new = cache.clone()
        new[:, :, pos] = k
        return new

        cache ──────────────── output 'cache'         what came in goes out
        k ─── identity 'k_tmp'
        pos ─ identity 'pos_tmp'

    The model loads, predicts and returns a cache of the right shape, into which nothing was ever written: a language model
    with it attends to an empty past. With PyTorch 2.7 and 2.9 the outcome is the same.

    ## Instead
    - Write through a blend with a one-hot vector over the positions, which the app makes: `cache * (1 - slot) + k * slot`.
      It converts for every release and stays on the engine.
    - Or keep the cache in a state (iOS 18 and macOS 15) and assign to a slice with constant bounds.
    - An input that the app only wants back need not go through the model.

    Compare one prediction with PyTorch's after conversion, on a cache that is not all zeros.

    ## Known exceptions
    A function may return an input on purpose, to keep a pipeline's parts fitting. Then put an `identity` between, which says
    that it is meant.
    """

    code = "ANE252"
    name = "returned-input"
    engine_only = False
    rewrite = "write with a blend by a one-hot vector (cache * (1 - slot) + k * slot) in place of indexed assignment"
    evidence = (cite("coremltools-9", Confidence.COMMUNITY),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp32, [1, 4, 64, 16]> cache, tensor<fp32, [1, 4, 1, 16]> k, tensor<int32, [1]> pos) {
                    tensor<fp32, [1, 4, 64, 16]> cache_tmp = identity(x = cache);
                    tensor<fp32, [1, 4, 1, 16]> k_tmp = identity(x = k);
                    tensor<int32, [1]> pos_tmp = identity(x = pos);
                } -> (cache);
            """),
            flags=("",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 64, 16]> cache, tensor<fp16, [1, 4, 1, 16]> k,
                        tensor<fp16, [1, 1, 64, 1]> slot) {
                    tensor<fp16, [1, 1, 64, 1]> others = sub(x = fp16(1), y = slot);
                    tensor<fp16, [1, 4, 64, 16]> kept = mul(x = cache, y = others);
                    tensor<fp16, [1, 4, 64, 16]> written = mul(x = k, y = slot);
                    tensor<fp16, [1, 4, 64, 16]> y = add(x = kept, y = written);
                } -> (y);
            """),
            equal=False,
            reason="redesign: the write that the conversion lost is a blend, and a one-hot vector takes the position's place",
            pattern="kv_index_put_ios18",
            pytorch_before=pytorch("""
                def forward(self, cache, k, pos):
                    new = cache.clone()
                    new[:, :, pos] = k
                    return new
            """),
            pytorch_after=pytorch("""
                def forward(self, cache, k, slot):  # slot: one at the position, zero elsewhere
                    return cache * (1 - slot) + k * slot
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each input that is returned, with the inputs that change nothing beside it."""
        for function in context.functions:
            graph = function.graph
            returned = returned_inputs(graph)
            beside = unused_inputs(graph) if returned else ()
            unused = [operand.name for operand in beside]
            names = ", ".join(f"'{name}'" for name in unused)
            extra = f"; no output depends on {names}" if unused else ""
            for operand in returned:
                yield self.finding(
                    f"output '{operand.name}' is the input '{operand.name}', unchanged{extra}",
                    function=function,
                    related=placeholders(graph, (operand, *beside)),
                    explains=True,
                    input=operand.name,
                    unused=unused,
                )
