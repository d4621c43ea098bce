"""ANE610: palettized weights in functions with states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.types import StateType
from anecheck_rules.compression.stored_weights import PALETTES, PROJECTIONS, uses


class PaletteBesideState(ModelRule):
    """A function with states has palettized weights.

    ## Why it goes wrong
    A language model with its cache in a state and weights of 4-bit palettes crashed on the engine after 100 to 200
    predictions with the same state. Nobody explained it, and other models of this kind are in use, so this says what to
    test rather than what to change.

    ## Instead
    - Generate a few thousand tokens in one go on the oldest release that you support before you ship.
    - If it crashes: make a new state from time to time (`model.makeState()`), and fill it with the cache's contents.
    - Or keep the cache out of the state: as an input and an output that the app hands back, in buffers of its own.
    """

    code = "ANE610"
    name = "palette-beside-state"
    severity = Severity.INFO
    rewrite = "test some thousand predictions with one state; make a new state from time to time if it crashes"
    covers = ("QZ15",)
    releases = "iOS 18 and macOS 15 on, the first with states"
    evidence = (cite("ct2716", Confidence.COMMUNITY),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(state<tensor<fp16, [1, 32]>> cache, tensor<fp16, [1, 32]> x) {
                    tensor<fp16, [32, 32]> w = constexpr_lut_to_dense(
                        indices = tensor<uint4, [32, 32]>(
                            BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64))),
                        lut = tensor<fp16, [1, 1, 16, 1]>([[[[-8], [-7], [-6], [-5], [-4], [-3], [-2], [-1],
                            [1], [2], [3], [4], [5], [6], [7], [8]]]]));
                    tensor<fp16, [1, 32]> projected = linear(weight = w, x = x);
                    tensor<fp16, [1, 32]> old = read_state(input = cache);
                    tensor<fp16, [1, 32]> new = add(x = old, y = projected);
                    write_state(data = new, input = cache);
                    tensor<fp16, [1, 32]> y = relu(x = new);
                } -> (y);
            """),
            flags=("",),
            reason="what helps is in the app, which makes a new state",
            pytorch_before=pytorch("""
                weights = cto.OpPalettizerConfig(nbits=4)
                model = cto.palettize_weights(stateful_model, cto.OptimizationConfig(global_config=weights))
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function that has both, once."""
        for function in context.functions:
            graph = function.graph
            states = sum(isinstance(operand.type, StateType) for operand in graph.inputs)
            palettes = [node for kind in sorted(PALETTES) for node in graph.by_type.get(kind, ())] if states else []
            used = sum(any(user.type in PROJECTIONS for user, _ in uses(node, graph)) for node in palettes)
            if used:
                yield self.finding(
                    f"{used} palettized weight{'s' if used > 1 else ''} beside {states} state{'s' if states > 1 else ''}",
                    function=function,
                    weights=used,
                    states=states,
                )
