"""ANE121: operations that the app implements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck.mil.values import TensorValue


class CustomOperation(OperationRule):
    """A custom operation, which a class of the app computes.

    ## Why it leaves the engine
    The model only names a class; the app brings its code, for the CPU or as shaders for the GPU. There is no way to
    bring code for the engine, so the values leave it, and the program is cut in two.

    ## Instead
    Write the computation with MIL operations: on conversion register the PyTorch or TensorFlow operation as a composite
    of them instead of as a custom class. What has no such form belongs before or behind the model.
    """

    code = "ANE121"
    name = "custom-operation"
    rewrite = "write the computation with MIL operations, as a composite operation on conversion"
    # An app's class has a method for the CPU and may have one for the GPU; there is none for the engine, on any chip.
    evidence = (cite("hollance", Confidence.COMMUNITY),)
    covers = ("OP49",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 64, 32, 32]> x) {
                    tensor<fp16, [1, 64, 32, 32]> y = custom_layer(x = x)[class_name = string("SquaredRelu"),
                        description = string(""), input_order = list<string, 1>(["x"]),
                        parameters = list<string, 0>([]), weights = list<string, 0>([])];
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 64, 32, 32]> x) {
                    tensor<fp16, [1, 64, 32, 32]> positive = relu(x = x);
                    tensor<fp16, [1, 64, 32, 32]> y = mul(x = positive, y = positive);
                } -> (y);
            """),
            equal=False,
            reason="redesign: what the class computes is written out; no program can show that it is the same",
            pytorch_before=pytorch("""
                @register_op(is_custom_op=True)
                class squared_relu(Operation):
                    input_spec = InputSpec(x=TensorInputType(type_domain="T"))
                    type_domains = {"T": (types.fp16, types.fp32)}
                    bindings = {"class_name": "SquaredRelu", "input_order": ["x"], "parameters": [], "weights": []}

                    def type_inference(self):
                        return self.x.sym_type
            """),
            pytorch_after=pytorch("""
                @register_torch_op
                def squared_relu(context, node):
                    (x,) = _get_inputs(context, node, expected=1)
                    positive = mb.relu(x=x)
                    context.add(mb.mul(x=positive, y=positive, name=node.name))
            """),
        ),
    )

    def concerns(self, kind: str, context: Context) -> bool:
        """Only types that MIL does not know, `custom_layer` among them."""
        return kind not in context.knowledge.operators

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag what carries the name of a class."""
        value = operation.operation.attributes.get("class_name")
        if value is None:
            return
        elements = value.elements() if isinstance(value, TensorValue) else ()
        class_name = str(elements[0]) if elements else ""
        yield self.finding(operation, f"computed by the app's class '{class_name}'", class_name=class_name)
