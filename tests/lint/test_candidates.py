"""Which operations a rule is called for: by their type and by their tensors, asked once each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits, parse_target
from anecheck.lint.engine import functions_of, judge
from anecheck.lint.rule import Context, Match, OperationRule
from anecheck.mil.graph import Graph, Node
from anecheck.mil.model import Kind, Model
from anecheck.mil.parser import parse
from anecheck.mil.types import TensorType

TEXT = """func main<ios18>(tensor<fp16, [1, 8]> x) {
    tensor<fp16, [1, 8]> a = relu(x = x);
    tensor<fp32, [1, 8]> b = cast(dtype = string("fp32"), x = a);
    tensor<fp32, [1, 8]> c = relu(x = b);
    tensor<fp16, [1, 8]> y = cast(dtype = string("fp16"), x = c);
} -> (y);"""


class Wide(OperationRule):
    """Notes what it is called for."""

    code = "XYZ1"
    name = "wide"
    evidence = ()
    seen: ClassVar[list[str]] = []
    asked: ClassVar[Counter[str]] = Counter()

    def concerns(self, kind: str, context: Context) -> bool:
        self.asked[kind] += 1
        return kind == "relu"

    def concerns_tensor(self, tensor: TensorType, context: Context) -> bool:
        return tensor.dtype == "fp32"

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        self.seen.append(operation.name)
        return iter(())


def test_a_rule_is_called_only_for_what_concerns_it() -> None:
    model = Model("example", Kind.ML_PROGRAM, "mlProgram", 9, program=parse(TEXT))
    knowledge = Knowledge()
    judge(model, functions_of(model), [Wide()], parse_target("m4", knowledge), ComputeUnits.CPU_AND_NE, knowledge)
    assert Wide.seen == ["c"]
    assert Wide.asked == {"relu": 1, "cast": 1}


def test_tensor_types_of_a_program_stand_once_each() -> None:
    (function,) = functions_of(Model("example", Kind.ML_PROGRAM, "mlProgram", 9, program=parse(TEXT)))
    kinds = function.graph.tensor_types
    assert len({id(kind) for kind in kinds}) == len(kinds)
    assert {kind.dtype for kind in kinds} == {"fp16", "fp32"}
