"""ANE709: more states than a function bears."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck_rules.shapes.states import states


class StateCount(ModelRule):
    """A function keeps three states or more.

    ## Why it goes wrong
    Models with that many states convert and compile, and Core ML's placement report gives 99.8 to 100 % of their
    operations to the engine; the first prediction then fails with status 0x1d, "Program Inference error". It was seen
    with several language models on A18, A19 and M-series chips, on iOS 18 and 26 and macOS 26. No change of layout
    helped: not a state that is only read, not another rank, not padding. On the CPU some of these models gave garbage.

    The report of a placement is no proof for a model with states: run one prediction on a device.

    ## Instead
    - Put the caches of all layers, or keys and values, into one state with one more axis, and cut the parts out with
      `slice_by_index`; write back a slice of it.
    - Make inputs and outputs of the rest. Small ones (a convolution's last inputs) cost next to nothing.

    ## Contradictions
    How many is too many differs by model: Gemma 4 E2B is shipped with two, LFM2 failed with two. The limit used here is
    two, and one is the safest.
    """

    code = "ANE709"
    name = "state-count"
    rewrite = "pack the states into one with one more axis, and pass the rest as inputs and outputs"
    evidence = (cite("john", Confidence.COMMUNITY, "H13", "H14", "H15", "H16", "H17", "H18"),)
    covers = ("ST01",)
    limits = ("states-per-function",)
    releases = "iOS 18 and macOS 15 on"
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(state<tensor<fp16, [1, 8, 32]>> a, state<tensor<fp16, [1, 8, 32]>> b,
                        state<tensor<fp16, [1, 8, 32]>> c, tensor<fp16, [1, 8, 32]> x) {
                    tensor<fp16, [1, 8, 32]> a0 = read_state(input = a);
                    tensor<fp16, [1, 8, 32]> a1 = add(x = a0, y = x);
                    write_state(data = a1, input = a);
                    tensor<fp16, [1, 8, 32]> b0 = read_state(input = b);
                    tensor<fp16, [1, 8, 32]> b1 = maximum(x = b0, y = a1);
                    write_state(data = b1, input = b);
                    tensor<fp16, [1, 8, 32]> c0 = read_state(input = c);
                    tensor<fp16, [1, 8, 32]> y = sub(x = c0, y = b1);
                    write_state(data = y, input = c);
                } -> (y);
            """),
            flags=("",),
            after=mil("""
                func main<ios18>(state<tensor<fp16, [1, 24, 32]>> memory, tensor<fp16, [1, 8, 32]> x) {
                    tensor<fp16, [1, 24, 32]> old = read_state(input = memory);
                    tensor<fp16, [1, 8, 32]> a0, tensor<fp16, [1, 8, 32]> b0, tensor<fp16, [1, 8, 32]> c0 = split(
                        axis = int32(1), num_splits = int32(3), x = old);
                    tensor<fp16, [1, 8, 32]> a1 = add(x = a0, y = x);
                    tensor<fp16, [1, 8, 32]> b1 = maximum(x = b0, y = a1);
                    tensor<fp16, [1, 8, 32]> y = sub(x = c0, y = b1);
                    tensor<fp16, [1, 24, 32]> new = concat(axis = int32(1), interleave = bool(false),
                        values = (a1, b1, y));
                    write_state(data = new, input = memory);
                } -> (y);
            """),
            equal=False,
            reason="redesign: one state holds what three held",
            pytorch_before=pytorch("""
                states = [
                    ct.StateType(wrapped_type=ct.TensorType(shape=(1, 8, 32)), name=name) for name in ("a", "b", "c")
                ]
            """),
            pytorch_after=pytorch("""
                states = [ct.StateType(wrapped_type=ct.TensorType(shape=(1, 24, 32)), name="memory")]
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function that has too many."""
        limit = context.limit("states-per-function")
        if limit is None:
            return
        for function in context.functions:
            count = len(states(function.graph))
            if count > limit.value:
                yield self.finding(
                    f"{count} states; with more than {limit.value:g} predictions failed on the engine",
                    function=function,
                    families=context.families_below("states-per-function", count),
                    states=count,
                )
