"""ANE802: programs of an operation set that lacks what they would need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.pattern import maker, sole_user
from anecheck.mil.printer import opset_text

HALF_INTERFACE, HALF_RECURRENCE, SLICE_WRITES = 6, 7, 8
"""The operation sets (of iOS 16, 17 and 18) that brought fp16 inputs and outputs, recurrent layers in fp16, and
`slice_update`."""


class OlderOpset(ModelRule):
    """A newer deployment target would give this program operations that keep it on the engine, or make it cheaper.

    ## Why it costs
    `minimum_deployment_target` decides which operations coremltools may use. Nothing in the model says what it gave up, so
    it is named here, but only where the program has the clumsy form:

    - before iOS 18 a write into a slice of a tensor (`cache[:, :, 3] = k`) becomes reshape → `scatter` → reshape, which leaves
      the engine; from iOS 18 and macOS 15 on it is one `slice_update`;
    - before iOS 17 LSTM, GRU and RNN layers compute in fp32 between two casts; from iOS 17 and macOS 14 on in fp16;
    - before iOS 16 inputs and outputs cannot be fp16, so each costs a cast.

    ## Instead
    Convert with the newest `minimum_deployment_target` that your users' systems allow. Where old systems must be served as
    well, ship two models and choose between them at run time.
    """

    code = "ANE802"
    name = "older-opset"
    severity = Severity.INFO
    engine_only = False
    rewrite = "convert with a newer minimum_deployment_target, or ship a second model for newer systems"
    evidence = (cite("coremltools-9", Confidence.DOCUMENTED), cite("ct-ops", Confidence.DOCUMENTED))
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 4, 64, 16]> cache, tensor<fp16, [1, 4, 1, 16]> k) {
                    tensor<fp16, [64]> row = reshape(shape = tensor<int32, [1]>([64]), x = k);
                    tensor<fp16, [4096]> flat = reshape(shape = tensor<int32, [1]>([4096]), x = cache);
                    tensor<int32, [64]> at = const()[val = tensor<int32, [64]>([
                        48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
                        1072, 1073, 1074, 1075, 1076, 1077, 1078, 1079, 1080, 1081, 1082, 1083, 1084, 1085, 1086, 1087,
                        2096, 2097, 2098, 2099, 2100, 2101, 2102, 2103, 2104, 2105, 2106, 2107, 2108, 2109, 2110, 2111,
                        3120, 3121, 3122, 3123, 3124, 3125, 3126, 3127, 3128, 3129, 3130, 3131, 3132, 3133, 3134, 3135])];
                    tensor<fp16, [4096]> written = scatter(axis = int32(0), data = flat, indices = at,
                        mode = string("update"), updates = row, validate_indices = bool(false));
                    tensor<fp16, [1, 4, 64, 16]> y = reshape(shape = tensor<int32, [4]>([1, 4, 64, 16]), x = written);
                } -> (y);
            """),
            flags=("",),
            also=("ANE109",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 64, 16]> cache, tensor<fp16, [1, 4, 1, 16]> k) {
                    tensor<fp16, [1, 4, 64, 16]> y = slice_update(begin = tensor<int32, [4]>([0, 0, 3, 0]),
                        end = tensor<int32, [4]>([1, 4, 4, 16]), update = k, x = cache);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def step(cache, k):
                    cache = cache.clone()
                    cache[:, :, 3:4] = k
                    return cache

                ct.convert(traced, inputs=inputs, minimum_deployment_target=ct.target.iOS17)
            """),
            pytorch_after=pytorch("""
                ct.convert(traced, inputs=inputs, minimum_deployment_target=ct.target.iOS18)
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function with what newer operation sets would give it."""
        for function in context.functions:
            number = function.graph.function.opset_number
            if not 0 < number < SLICE_WRITES:
                continue
            gains = list(_gains(number, function.graph))
            if gains:
                yield self.finding(
                    f"written for {opset_text(function.graph.function.opset)}: {'; '.join(gains)}",
                    function=function,
                    opset=function.graph.function.opset,
                )


def _gains(number: int, graph: Graph) -> Iterator[str]:
    writes = sum(_writes_a_slice(node, graph) for node in graph.by_type.get("scatter", ()))
    if writes:
        yield f"from iOS 18 on {_counted(writes, 'slice write')} would be slice_update instead of scatter"
    if number < HALF_RECURRENCE:
        layers = [node for kind in ("lstm", "gru", "rnn") for node in graph.by_type.get(kind, ()) if _is_wide(node)]
        if layers:
            yield f"from iOS 17 on {_counted(len(layers), 'recurrent layer')} would compute in fp16"
    if number < HALF_INTERFACE:
        wide = sum(operand.tensor is not None and operand.tensor.dtype == "fp32" for operand in graph.inputs)
        if wide:
            yield f"from iOS 16 on {_counted(wide, 'input')} could be fp16"


def _writes_a_slice(node: Node, graph: Graph) -> bool:
    """Whether a scatter is the flat form of writing into a slice: of a reshaped tensor, and reshaped back."""
    positions = node.operand("indices")
    constant = positions is not None and positions.is_constant
    return (
        constant
        and maker(node.operand("data"), "reshape") is not None
        and sole_user(node, graph, "reshape") is not None
    )


def _is_wide(node: Node) -> bool:
    return any(tensor.dtype == "fp32" for tensor in node.running_tensors)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
