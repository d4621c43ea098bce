"""What is read of programs in packages and bare models, feature by feature."""

from __future__ import annotations

import pytest

from anecheck.mil.model import Feature, Interface, Kind, Model
from anecheck.mil.program import Operation, walk
from anecheck.mil.types import StateType, TensorType
from anecheck.mil.values import BlobValue, ListValue, TensorValue
from tests.artifact.packages import array, fixture
from tests.conftest import FIXTURES

PICTURE = (1, 3, 32, 32)
WEIGHT_FILE = "@model_path/weights/weight.bin"


def operations(model: Model, function: str = "main") -> list[Operation]:
    """The operations of a function's own block but constants."""
    assert model.program is not None
    return [found for found in model.program.functions[function].block.operations if found.type != "const"]


@pytest.mark.parametrize(
    ("name", "version", "opset", "dtype"),
    [
        ("spec06_ios15_conv", 6, "CoreML5", "fp32"),
        ("spec07_ios16_conv", 7, "CoreML6", "fp16"),
        ("spec08_ios17_conv", 8, "CoreML7", "fp16"),
        ("spec09_ios18_conv", 9, "CoreML8", "fp16"),
        ("spec10_ios26_conv", 10, "CoreML9", "fp16"),
    ],
)
def test_every_specification_with_ml_programs(name: str, version: int, opset: str, dtype: str) -> None:
    model = fixture(f"ok/{name}.mlpackage")
    assert (model.kind, model.format, model.specification_version) == (Kind.ML_PROGRAM, "mlProgram", version)
    assert model.path == str(FIXTURES / f"ok/{name}.mlpackage")
    assert model.program is not None
    assert list(model.program.functions) == ["main"]
    function = model.program.functions["main"]
    assert function.opset == opset
    assert [(variable.name, variable.type) for variable in function.inputs] == [("x", TensorType(dtype, PICTURE))]
    assert function.block.outputs == ("output",)
    assert [found.type for found in operations(model) if found.type == "conv"] == ["conv", "conv"]
    feature = array("x", *PICTURE, dtype={"fp16": "float16", "fp32": "float32"}[dtype])
    assert model.interfaces["main"].inputs == (feature,)


def test_an_unknown_specification_and_opset_are_kept_as_they_are() -> None:
    model = fixture("flagged/unknown_opset.mlpackage")
    assert model.specification_version == 99
    assert model.program is not None
    assert model.program.functions["main"].opset == "CoreML98"


def test_of_several_specialisations_the_one_that_the_function_names_is_read() -> None:
    model = fixture("flagged/two_specialisations.mlpackage")
    assert model.program is not None
    assert model.program.functions["main"].opset == "CoreML7"
    assert operations(model) == operations(fixture("ok/spec08_ios17_conv.mlpackage"))


def test_a_bare_model() -> None:
    model = fixture("ok/bare_program.mlmodel")
    assert (model.kind, model.specification_version, model.weights) == (Kind.ML_PROGRAM, 7, ())
    assert [found.type for found in operations(model)] == ["mul", "relu"]


def test_several_functions() -> None:
    model = fixture("ok/multifunction.mlpackage")
    assert model.default_function == "classify"
    assert model.program is not None
    assert list(model.program.functions) == ["classify", "embed"]
    assert model.interfaces == {
        "classify": Interface((array("x", *PICTURE),), (array("output", 1, 4, 32, 32),)),
        "embed": Interface((array("x", *PICTURE),), (array("output", 1, 16, 32, 32),)),
    }
    names = [[found.outputs[0].name for found in operations(model, name)] for name in model.program.functions]
    assert names == [["conv_0", "relu_0", "output"]] * 2


def test_control_flow_has_nested_blocks() -> None:
    loop = next(found for found in operations(fixture("flagged/while_loop.mlpackage")) if found.blocks)
    assert loop.type == "while_loop"
    assert loop.inputs == {"loop_vars": ("const_0", "x")}
    assert [[variable.name for variable in block.inputs] for block in loop.blocks] == [["const_0_x0", "x_x0"]] * 2
    assert [block.outputs for block in loop.blocks] == [("less_1",), ("add_2", "relu_2")]

    model = fixture("flagged/cond_in_while_loop.mlpackage")
    assert model.program is not None
    (cond,) = (found for found in walk(model.program.functions["main"].block) if found.type == "cond")
    assert [(block.inputs, block.outputs) for block in cond.blocks] == [((), ("add_3",)), ((), ("linear_2",))]


def test_states() -> None:
    model = fixture("ok/state_two_updates.mlpackage")
    assert model.interfaces["main"].states == (Feature("cache", "state", "float16", (1, 64, 64)),)
    assert model.program is not None
    assert model.program.functions["main"].inputs[0].type == StateType(TensorType("fp16", (1, 64, 64)))
    writes = [found for found in operations(model) if found.type == "write_state"]
    assert [(found.outputs, found.inputs["input"]) for found in writes] == [((), ("cache",))] * 2


def test_classifiers() -> None:
    strings = fixture("ok/classifier_strings.mlpackage")
    interface = strings.interfaces["main"]
    assert (interface.predicted_feature, interface.predicted_probabilities) == ("classLabel", "classLabel_probs")
    assert interface.outputs == (Feature("classLabel", "string"), Feature("classLabel_probs", "dictionary"))
    (classes,) = operations(strings)[-1].inputs["classes"]
    assert isinstance(classes, ListValue)
    assert [item.data for item in classes.items if isinstance(item, TensorValue)] == [
        ("cat",),
        ("dog",),
        ("naïve fish, café",),
    ]
    integers = fixture("ok/classifier_integers.mlpackage")
    assert integers.interfaces["main"].outputs == (Feature("digit", "int64"), Feature("digit_probs", "dictionary"))
    (classes,) = operations(integers)[-1].inputs["classes"]
    assert isinstance(classes, ListValue)
    assert [item.elements() for item in classes.items if isinstance(item, TensorValue)] == [(10,), (20,), (30,)]


def test_compressed_weights_of_ios_16_have_their_operands_in_attributes() -> None:
    weight = operations(fixture("ok/constexpr_affine_dequantize_ios16.mlpackage"))[0]
    assert weight.type == "constexpr_affine_dequantize"
    assert weight.inputs == {}
    assert sorted(weight.attributes) == ["axis", "name", "quantized_data", "scale", "zero_point"]
    assert weight.attributes["quantized_data"] == BlobValue(TensorType("int8", (8, 16, 1, 1)), WEIGHT_FILE, 64)


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 6, 8])
def test_compressed_weights_of_ios_18_have_their_operands_in_place(bits: int) -> None:
    weight = operations(fixture(f"ok/constexpr_lut_{bits}bit.mlpackage"))[0]
    assert weight.inputs["indices"] == (BlobValue(TensorType(f"uint{bits}", (8, 16, 1, 1)), WEIGHT_FILE, 64),)
    (table,) = weight.inputs["lut"]
    assert isinstance(table, TensorValue | BlobValue)
    assert table.type == TensorType("fp16", (1, 1, 1, 1, 2**bits, 1))


def test_compressed_weights_may_be_chained() -> None:
    sparse, dense = operations(fixture("ok/constexpr_sparse_lut.mlpackage"))[:2]
    assert [variable.type for variable in sparse.outputs] == [
        TensorType("uint1", (8, 16, 1, 1)),
        TensorType("fp16", (32,)),
    ]
    assert dense.inputs == {"mask": (sparse.outputs[0].name,), "nonzero_data": (sparse.outputs[1].name,)}


def test_few_sub_byte_elements_are_packed_in_place() -> None:
    weight = operations(fixture("ok/constexpr_sub_byte_inline.mlpackage"))[0]
    (indices,) = weight.inputs["indices"]
    assert isinstance(indices, TensorValue)
    assert indices.type == TensorType("uint4", (2, 4, 1, 1))
    assert len(indices.data) == 4
    assert len(indices.elements()) == 8


def test_constants_of_every_type() -> None:
    model = fixture("ok/immediate_dtypes.mlpackage")
    assert model.program is not None
    values = {
        found.outputs[0].name.removeprefix("constant_"): found.attributes["val"]
        for found in model.program.functions["main"].block.operations
        if found.type == "const" and found.outputs[0].name.startswith("constant_")
    }
    assert len(values) == 18
    for dtype in ("int8", "uint8", "int16", "uint16", "int32", "float16", "float32", "bool"):
        scalar, matrix = values[f"{dtype}_scalar"], values[f"{dtype}_matrix"]
        assert isinstance(scalar, TensorValue)
        assert isinstance(matrix, TensorValue)
        assert (scalar.type.shape, scalar.elements()) == ((), (1,))
        assert (matrix.type.shape, matrix.elements()) == ((2, 2), (1, 0, 1, 1))
    assert values["string"] == TensorValue(TensorType("string", ()), ('naïve "quoted"\ttext\n',))
    assert values["empty"] == TensorValue(TensorType("fp16", (0, 4)), b"")


def test_custom_and_unknown_operations() -> None:
    custom = next(
        found for found in operations(fixture("flagged/custom_operation.mlpackage")) if "class_name" in found.attributes
    )
    assert custom.type == "custom_layer"
    assert custom.attributes["class_name"] == TensorValue(TensorType("string", ()), ("SwirlLayer",))
    kinds = [found.type for found in operations(fixture("flagged/unknown_operation.mlpackage"))]
    assert kinds == ["conv", "relu", "frobnicate", "conv", "relu"]


def test_odd_types_and_missing_names_are_read_as_they_are() -> None:
    types = [found.outputs[0].type for found in operations(fixture("flagged/odd_types.mlpackage"))]
    assert [kind.dtype for kind in types[:5] if isinstance(kind, TensorType)] == [
        "bf16",
        "fp64",
        "int64",
        "fp8e4m3fn",
        "unused_type",
    ]
    assert [str(kind) for kind in types[9:12]] == ["fp16[?, ?, ?, ?]", "fp16[...]", "unknown[...]"]
    bare = operations(fixture("flagged/no_operation_names.mlpackage"))
    assert all("name" not in found.attributes for found in bare)
    assert next(found for found in bare if found.type == "cumsum").inputs["x"] == ("relu_0",)
