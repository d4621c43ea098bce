"""ANE249: computing on nothing but constants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.graph import Graph, Node

NO_CONSTANTS = ("random_", "list_", "make_list", "read_state", "write_state", "custom_layer")
"""How operations begin whose results are not settled by their operands, or are no tensors."""


class ConstantComputation(ModelRule):
    """Operations compute the same at every prediction, because nothing but constants goes into them.

    ## Why it costs
    What depends on no input could have been computed once, by the converter. Left in the program, it runs each time, and
    often on the CPU: Swin Transformers as torchvision writes them fill their attention masks by slice assignments while the
    model is traced, which become scatters, and scatter has no way onto the engine. In a converted Swin-T that is a fifth of
    all operations.

        const ─ scatter ─ … ─ scatter ─ reshape ─ sub ─ select ─┐
        scores ─────────────────────────────────────────────────┴ add

        scores ─ add(const)

    coremltools folds constants wherever its operations know their values, but scatters, random numbers and whatever takes
    compressed weights do not; nor does it fold results above `skip_const_by_size`, where that is set.

    ## Instead
    Compute it when the model is built and keep it as a buffer: masks in `__init__`, the bias of relative positions from its
    table and index with `register_buffer`. Apple's advice for vision transformers on the engine is to have no table of
    relative positions at all, or to keep what it gives as a constant.

    ## Known exceptions
    Arithmetic on shapes and single numbers is left alone.
    """

    code = "ANE249"
    name = "constant-computation"
    engine_only = False
    severity = Severity.INFO
    rewrite = "compute it when the model is built, and keep the result as a constant"
    covers = ("AT17",)
    evidence = (cite("coremltools-9", Confidence.DOCUMENTED), cite("apple-vit", Confidence.DOCUMENTED))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 2, 2]> scores) {
                    tensor<fp16, [3, 2]> table = const()[val = tensor<fp16, [3, 2]>([[1, 2], [3, 4], [5, 6]])];
                    tensor<uint16, [4]> index = const()[val = tensor<uint16, [4]>([1, 0, 2, 1])];
                    tensor<fp16, [4, 2]> rows = gather(axis = int32(0), batch_dims = int32(0), indices = index,
                        validate_indices = bool(false), x = table);
                    tensor<fp16, [2, 2, 2]> square = reshape(shape = tensor<int32, [3]>([2, 2, 2]), x = rows);
                    tensor<fp16, [2, 2, 2]> bias = transpose(perm = tensor<int32, [3]>([2, 0, 1]), x = square);
                    tensor<fp16, [1, 2, 2, 2]> y = add(x = scores, y = bias);
                } -> (y);
            """),
            flags=("bias",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 2, 2]> scores) {
                    tensor<fp16, [2, 2, 2]> bias = const()[val = tensor<fp16, [2, 2, 2]>([[[3, 1], [5, 3]], [[4, 2], [6, 4]]])];
                    tensor<fp16, [1, 2, 2, 2]> y = add(x = scores, y = bias);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, scores):
                    bias = self.table[self.index].view(self.n, self.n, -1).permute(2, 0, 1)
                    return scores + bias
            """),
            pytorch_after=pytorch("""
                def fold_bias(self):
                    bias = self.table[self.index].view(self.n, self.n, -1).permute(2, 0, 1)
                    self.register_buffer("bias", bias.detach().clone())

                def forward(self, scores):
                    return scores + self.bias
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function that computes on constants alone, once."""
        for function in context.functions:
            settled = settled_nodes(function.graph)
            ends = [node for node in settled if _is_end(node, settled, function.graph)]
            if not ends:
                continue
            first = ends[0].outputs[0].type
            others = f" and {len(ends) - 1} other results" if len(ends) > 2 else " and another result"
            text = f"{len(settled)} operation{'s' * (len(settled) > 1)} on constants alone make"
            text += f"{'s' * (len(settled) == 1)} {first}{others * (len(ends) > 1)}, the same at every prediction"
            yield self.finding(
                text,
                node=ends[0],
                function=function,
                operations=len(settled),
                results=[node.name for node in ends],
            )


def settled_nodes(graph: Graph) -> dict[Node, None]:
    """The operations whose results depend on constants alone, in execution order; each is looked at once."""
    found: dict[Node, None] = {}
    for node in graph.running:
        if node.block or node.operation.blocks or not node.outputs or node.type.startswith(NO_CONSTANTS):
            continue
        if not found and len(node.running_tensors) > len(node.outputs):
            continue  # it takes something that runs, and nothing so far was made of constants: nearly always
        if all(operand.is_constant or operand.producer in found for _, operand in node.operands()):
            found[node] = None
    return found


def _is_end(node: Node, settled: dict[Node, None], graph: Graph) -> bool:
    """Whether a constant result of some size goes into what does depend on inputs, or out of the function."""
    tensor = node.outputs[0].tensor
    if tensor is None or tensor.rank < 2:
        return False
    users = graph.users(node)
    return any(graph.is_output(output) for output in node.outputs) or any(user not in settled for user in users)
