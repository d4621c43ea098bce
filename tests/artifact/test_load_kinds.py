"""What is read of pipelines, of interfaces with images and flexible shapes, and of models without programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anecheck.artifact.load import load
from anecheck.artifact.proto import messages
from anecheck.mil.model import Feature, Flexibility, Interface, Kind, Layer
from anecheck.mil.types import TensorType
from tests.artifact.packages import array, fixture

PICTURE = (1, 3, 32, 32)


def test_a_pipeline_has_parts_with_interfaces_programs_and_weights_of_their_own() -> None:
    model = fixture("ok/pipeline.mlpackage")
    assert (model.kind, model.format, model.program) == (Kind.PIPELINE, "pipeline", None)
    assert [(part.name, part.kind, part.path) for part in model.parts] == [
        ("0", Kind.ML_PROGRAM, model.path),
        ("1", Kind.ML_PROGRAM, model.path),
    ]
    assert [part.interfaces["main"].outputs for part in model.parts] == [
        (array("output_features", 1, 8, 32, 32),),
        (array("output", 1, 4, 32, 32),),
    ]
    assert [
        (name, program is part.program) for (name, program), part in zip(model.programs, model.parts, strict=True)
    ] == [
        ("0", True),
        ("1", True),
    ]
    assert [(file.path, file.status) for file in model.weights] == [
        ("weights/0-weight.bin", "present"),
        ("weights/1-weight.bin", "present"),
    ]


def test_a_pipeline_of_other_kinds_keeps_the_names_of_its_parts() -> None:
    mixed = fixture("flagged/pipeline_mixed.mlpackage")
    assert [(part.name, part.kind, part.format) for part in mixed.parts] == [
        ("network", Kind.NEURAL_NETWORK, "neuralNetwork"),
        ("program", Kind.ML_PROGRAM, "mlProgram"),
    ]
    assert [name for name, _ in mixed.programs] == ["program"]
    classifier = fixture("flagged/pipeline_classifier.mlmodel")
    assert (classifier.kind, classifier.format) == (Kind.PIPELINE, "pipelineClassifier")
    assert [(part.name, part.kind, part.format) for part in classifier.parts] == [
        ("scale", Kind.OTHER, "scaler"),
        ("network", Kind.NEURAL_NETWORK, "neuralNetworkClassifier"),
    ]
    assert [layer.name for layer in classifier.parts[1].layers] == ["conv", "relu", "flatten", "dense", "softmax"]


@pytest.mark.parametrize(
    ("name", "feature"),
    [
        ("ok/image_rgb", Feature("image", "image", "rgb", (32, 32))),
        ("ok/image_grayscale_fp16", Feature("image", "image", "grayscale_float16", (32, 32))),
        (
            "flagged/enumerated_images",
            Feature(
                "x",
                "image",
                "rgb",
                (32, 32),
                flexibility=Flexibility("enumerated", (32, 32), shapes=((32, 32), (64, 64))),
            ),
        ),
        (
            "flagged/range_image",
            Feature("x", "image", "rgb", (32, 32), flexibility=Flexibility("range", (32, 32), ((16, 64), (16, 64)))),
        ),
        (
            "flagged/range_dim",
            Feature(
                "x",
                "multiarray",
                "float16",
                PICTURE,
                flexibility=Flexibility("range", PICTURE, ((1, 1), (3, 3), (16, 256), (16, 256))),
            ),
        ),
        (
            "flagged/enumerated_shapes",
            Feature(
                "x",
                "multiarray",
                "float16",
                PICTURE,
                flexibility=Flexibility("enumerated", PICTURE, shapes=(PICTURE, (1, 3, 48, 48), (1, 3, 64, 64))),
            ),
        ),
    ],
)
def test_image_inputs_and_flexible_shapes(name: str, feature: Feature) -> None:
    assert fixture(f"{name}.mlpackage").interfaces["main"].inputs == (feature,)


def interface_of(description: Any, folder: Path) -> Interface:  # noqa: ANN401  # message classes have no types
    """What is read of a model's description."""
    message = messages().Model(specificationVersion=4, description=description)
    message.neuralNetwork.SetInParent()
    (folder / "m.mlmodel").write_bytes(message.SerializeToString())
    return load(folder / "m.mlmodel").interfaces["main"]


def test_images_are_high_and_wide_in_this_order(tmp_path: Path) -> None:
    description = type(messages().Model().description)()
    for name in ("fixed", "enumerated", "range"):
        image = description.input.add(name=name).type.imageType
        image.width, image.height, image.colorSpace = 640, 480, image.ColorSpace.Value("BGR")
    image = description.input[1].type.imageType
    image.enumeratedSizes.sizes.add(width=320, height=240)
    sizes = description.input[2].type.imageType.imageSizeRange
    sizes.widthRange.lowerBound, sizes.widthRange.upperBound = 64, 1280
    sizes.heightRange.lowerBound, sizes.heightRange.upperBound = 48, -1
    default = (480, 640)
    assert interface_of(description, tmp_path).inputs == (
        Feature("fixed", "image", "bgr", default),
        Feature(
            "enumerated", "image", "bgr", default, flexibility=Flexibility("enumerated", default, shapes=((240, 320),))
        ),
        Feature("range", "image", "bgr", default, flexibility=Flexibility("range", default, ((48, None), (64, 1280)))),
    )


def test_a_range_may_have_no_end(tmp_path: Path) -> None:
    description = type(messages().Model().description)()
    array_type = description.input.add(name="x").type.multiArrayType
    array_type.shape.extend((1, 16))
    for lower, upper in ((1, 1), (8, -1)):
        array_type.shapeRange.sizeRanges.add(lowerBound=lower, upperBound=upper)
    (feature,) = interface_of(description, tmp_path).inputs
    assert feature.flexibility == Flexibility("range", (1, 16), ((1, 1), (8, None)))


def test_features_of_every_other_type_and_of_none(tmp_path: Path) -> None:
    description = type(messages().Model().description)()
    for kind in ("int64Type", "doubleType", "stringType", "dictionaryType", "sequenceType", ""):
        feature = description.output.add(name=kind)
        if kind:
            getattr(feature.type, kind).SetInParent()
    description.output[0].type.isOptional = True
    array_type = description.output.add(name="array").type.multiArrayType
    array_type.dataType = 7  # no type has this number
    outputs = interface_of(description, tmp_path).outputs
    assert [(feature.type, feature.dtype, feature.optional) for feature in outputs] == [
        ("int64", "", True),
        ("double", "", False),
        ("string", "", False),
        ("dictionary", "", False),
        ("sequence", "", False),
        ("", "", False),
        ("multiarray", "", False),
    ]


def test_dimensions_of_flexible_inputs_are_unknown_in_the_program() -> None:
    model = fixture("flagged/range_dim.mlpackage")
    assert model.program is not None
    assert model.program.functions["main"].inputs[0].type == TensorType("fp16", (1, 3, None, None))


def test_optional_inputs() -> None:
    inputs = fixture("ok/optional_input.mlpackage").interfaces["main"].inputs
    assert [(feature.name, feature.optional) for feature in inputs] == [("x", False), ("bias", True)]


def test_neural_networks_have_layers() -> None:
    model = fixture("flagged/neural_network_custom_layers.mlmodel")
    assert (model.kind, model.format, model.specification_version) == (Kind.NEURAL_NETWORK, "neuralNetwork", 1)
    assert model.layers == (
        Layer("conv", "convolution"),
        Layer("relu", "activation"),
        Layer("flatten", "flatten"),
        Layer("dense", "innerProduct"),
        Layer("softmax", "softmax"),
        Layer("swirl", "custom", "Swirl"),
        Layer("twist", "custom", "Twist"),
        Layer("nothing", "unknown"),
    )
    assert fixture("flagged/neural_network_classifier.mlmodel").format == "neuralNetworkClassifier"


@pytest.mark.parametrize(
    ("name", "form"), [("tree_ensemble", "treeEnsembleRegressor"), ("linear_regressor", "glmRegressor")]
)
def test_other_kinds_have_an_interface_only(name: str, form: str) -> None:
    model = fixture(f"flagged/{name}.mlmodel")
    assert (model.kind, model.format, model.programs, model.layers, model.parts) == (Kind.OTHER, form, (), (), ())
    assert model.interfaces["main"].inputs == (array("features", 2, dtype="float32"),)
    assert model.interfaces["main"].outputs == (Feature("value", "double"),)


def test_metadata_is_what_the_converter_wrote() -> None:
    metadata = fixture("ok/spec08_ios17_conv.mlpackage").metadata
    assert metadata["com.github.apple.coremltools.source"] == "milinternal"
    assert metadata["com.github.apple.coremltools.version"] == "9.0"
