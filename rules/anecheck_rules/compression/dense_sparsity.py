"""ANE613: sparse weights with too few zeros."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.graph import Node
from anecheck_rules.compression.stored_weights import stored_type


class DenseSparsity(ModelRule):
    """Weights are stored as sparse ones, though more than a quarter of their values are not zero.

    ## Why it costs
    A sparse weight stores a bit for each value and the values that are not zero, and the engine reads it in this form.
    Apple sees a gain in speed from 75 % of zeros on. Below that the accuracy that pruning cost buys little.

    | ResNet-50 with the engine, ms | dense | 50 % zeros | 75 % | 90 % |
    |---|---|---|---|---|
    | A16 (iPhone 14 Pro) | 1.52 | 1.46 | 1.28 | |
    | on another page, iPhone not named | 1.63 | 1.23 | 1.05 | 0.86 |

    ## Instead
    - Prune to 75 % or more, with fine-tuning, or in blocks.
    - Or do not prune, and palettize or quantize instead: 4-bit codes are smaller than a weight with 75 % of zeros, which
      takes 5 bits a value.

    ## Known exceptions
    A share of 100 % is no choice of yours: coremltools 9 with numpy 2 looks for the threshold in fp16, where the position
    of a quantile among more than 65,504 elements is infinite, and prunes nothing of such a weight. It is stored with its
    mask, 6 % larger than before. Prune in PyTorch, or with numpy below 2.

    ## Contradictions
    The second row, from Apple too, gains a quarter at 50 %. So measure.
    """

    code = "ANE613"
    name = "dense-sparsity"
    severity = Severity.INFO
    rewrite = "prune to 75 % zeros or more, or palettize instead"
    covers = ("QZ16",)
    limits = ("sparse-weight-share",)
    releases = "iOS 16 and macOS 13 on"
    evidence = (cite("ct-docs-opt", Confidence.DOCUMENTED),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [2, 4]> w = constexpr_sparse_to_dense(
                        mask = tensor<uint1, [2, 4]>([[1, 0, 1, 0], [0, 1, 0, 1]]),
                        nonzero_data = tensor<fp16, [4]>([1, -2, 0.5, 3]));
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            flags=("",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4]> x) {
                    tensor<fp16, [2, 4]> w = const()[val = tensor<fp16, [2, 4]>([[1, 0, -2, 0], [0, 0.5, 0, 3]])];
                    tensor<fp16, [1, 2]> y = linear(weight = w, x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                pruner = cto.OpMagnitudePrunerConfig(target_sparsity=0.5)
                model = cto.prune_weights(model, cto.OptimizationConfig(global_config=pruner))
            """),
            pytorch_after=pytorch("""
                weights = cto.OpPalettizerConfig(nbits=4)
                model = cto.palettize_weights(model, cto.OptimizationConfig(global_config=weights))
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function with such weights, once, with how many they are and what share they store."""
        limit = context.limit("sparse-weight-share")
        if limit is None:
            return
        for function in context.functions:
            nodes = function.graph.by_type.get("constexpr_sparse_to_dense", ())
            counts = [found for node in nodes if (found := _counts(node))]
            # Rounded as the shares are that people ask a pruner for.
            dense = [(few, all_) for few, all_ in counts if round(few / all_, 2) > limit.value]
            if dense:
                share = sum(few for few, _ in dense) / sum(all_ for _, all_ in dense)
                yield self.finding(
                    f"{len(dense)} of {len(counts)} sparse weights store more than {limit.value:.0%} of their values, "
                    f"together {share:.0%}",
                    function=function,
                    evidence=limit.citations,
                    weights=len(dense),
                    share=round(share, 3),
                )


def _counts(node: Node) -> tuple[int, int] | None:
    """How many values a sparse weight stores, and how many it has."""
    values, weight = stored_type(node, "nonzero_data"), node.outputs[0].tensor
    few = values.element_count if values is not None else None
    every = weight.element_count if weight is not None else None
    return (few, every) if few is not None and every else None
