"""The interface that a model describes: inputs, outputs and states, with the shapes that they accept."""

from __future__ import annotations

from typing import Any

from anecheck.mil.model import Feature, Flexibility, Interface

Message = Any


def decode_interfaces(description: Message) -> dict[str, Interface]:
    """Read a `ModelDescription` message: an interface for each function, or one named `main`."""
    if description.functions:
        return {function.name: _interface(function) for function in description.functions}
    return {"main": _interface(description)}


def _interface(message: Message) -> Interface:
    return Interface(
        tuple(map(_feature, message.input)),
        tuple(map(_feature, message.output)),
        tuple(map(_feature, message.state)),
        message.predictedFeatureName,
        message.predictedProbabilitiesName,
    )


def _feature(message: Message) -> Feature:
    kind = message.type.WhichOneof("Type") or ""
    optional = message.type.isOptional
    if kind == "multiArrayType":
        return _array(message.name, "multiarray", message.type.multiArrayType, optional=optional)
    if kind == "stateType":
        return _array(message.name, "state", message.type.stateType.arrayType, optional=optional)
    if kind == "imageType":
        image = message.type.imageType
        colours = image.ColorSpace.Name(image.colorSpace) if image.colorSpace in image.ColorSpace.values() else ""
        flexibility = _image_flexibility(image)
        return Feature(message.name, "image", colours.lower(), (image.height, image.width), optional, flexibility)
    return Feature(message.name, kind.removesuffix("Type").lower(), optional=optional)


def _array(name: str, kind: str, message: Message, *, optional: bool) -> Feature:
    types = message.ArrayDataType
    dtype = types.Name(message.dataType) if message.dataType in types.values() else ""
    return Feature(name, kind, dtype.lower(), tuple(message.shape), optional, _array_flexibility(message))


def _array_flexibility(message: Message) -> Flexibility | None:
    which = message.WhichOneof("ShapeFlexibility")
    default = tuple(message.shape)
    if which == "enumeratedShapes":
        shapes = tuple(tuple(shape.shape) for shape in message.enumeratedShapes.shapes)
        return Flexibility("enumerated", default, shapes=shapes)
    if which == "shapeRange":
        return Flexibility("range", default, bounds=tuple(map(_bounds, message.shapeRange.sizeRanges)))
    return None


def _image_flexibility(message: Message) -> Flexibility | None:
    which = message.WhichOneof("SizeFlexibility")
    default = (message.height, message.width)
    if which == "enumeratedSizes":
        return Flexibility(
            "enumerated", default, shapes=tuple((size.height, size.width) for size in message.enumeratedSizes.sizes)
        )
    if which == "imageSizeRange":
        sizes = message.imageSizeRange
        return Flexibility("range", default, bounds=(_bounds(sizes.heightRange), _bounds(sizes.widthRange)))
    return None


def _bounds(message: Message) -> tuple[int, int | None]:
    return message.lowerBound, None if message.upperBound < 0 else message.upperBound
