"""`load`: a path to a `Model`, whatever the kind of file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from anecheck.artifact.decode import decode_program
from anecheck.artifact.errors import ArtifactError, Fault
from anecheck.artifact.interface import decode_interfaces
from anecheck.artifact.package import model_file, read_model_bytes
from anecheck.artifact.proto import messages
from anecheck.artifact.validate import validate
from anecheck.artifact.weights import weight_files
from anecheck.mil.model import Kind, Layer, Model
from anecheck.mil.program import Program

Message = Any

NEURAL_NETWORKS = ("neuralNetwork", "neuralNetworkClassifier", "neuralNetworkRegressor")
PIPELINES = ("pipeline", "pipelineClassifier", "pipelineRegressor")


def load(path: str | Path) -> Model:
    """Read the model at `path`: an `.mlpackage`, a bare `.mlmodel`, or a compiled `.mlmodelc`.

    Raises:
        ArtifactError: nothing can be read there; says what was found and what to do.
    """
    place = Path(path)
    suffix = place.suffix.lower()
    try:
        if suffix == ".mlpackage":
            return _load_package(place)
        if suffix == ".mlmodelc":
            from anecheck.artifact.compiled import load_compiled  # noqa: PLC0415  # few models need the parser

            return load_compiled(place)
        return _load_file(place)
    except PermissionError as error:
        raise ArtifactError(
            Fault.NO_PERMISSION, f"'{error.filename}' may not be read; grant the permission (chmod u+rx)"
        ) from error
    except OSError as error:
        raise ArtifactError(Fault.NOT_FOUND, f"cannot be read: {error.strerror}") from error


def _load_package(package: Path) -> Model:
    if not package.exists():
        raise ArtifactError(Fault.NOT_FOUND, "the package does not exist")
    if not package.is_dir():
        raise ArtifactError(
            Fault.NOT_A_MODEL, "an .mlpackage is a folder, this is a file; copy the whole folder, not an archive of it"
        )
    file = model_file(package)
    data = read_model_bytes(file, file.relative_to(package).as_posix())
    return _decode(str(package), data, package, file.parent)


def _load_file(path: Path) -> Model:
    if path.is_dir():
        next(path.iterdir(), None)  # a closed folder says so, rather than that it is empty
        raise ArtifactError(Fault.NOT_FOUND, "no model was found in this folder (.mlpackage, .mlmodel or .mlmodelc)")
    data = read_model_bytes(path, path.name)
    if path.suffix.lower() != ".mlmodel":
        raise ArtifactError(
            Fault.NOT_A_MODEL,
            "this is no Core ML model; give an .mlpackage, .mlmodel or .mlmodelc, or a folder of them",
        )
    return _decode(str(path), data, path.parent, path.parent)


def _decode(path: str, data: bytes, package: Path, base: Path) -> Model:
    message = messages().Model()
    try:
        message.ParseFromString(data)
    except Exception as error:  # DecodeError of whichever protobuf implementation is active
        raise ArtifactError(
            Fault.CORRUPT,
            "this is no Core ML model, or it is truncated (its protobuf encoding is broken); export or copy it again",
        ) from error
    model = _model(path, "", message)
    return replace(model, weights=weight_files((program for _, program in model.programs), package, base))


def _model(path: str, name: str, message: Message) -> Model:
    kind = message.WhichOneof("Type")
    if kind is None:
        raise ArtifactError(
            Fault.CORRUPT, "the file holds no model (no model type is set); it is truncated, export or copy it again"
        )
    description = message.description
    program: Program | None = None
    layers: tuple[Layer, ...] = ()
    parts: tuple[Model, ...] = ()
    if kind == "mlProgram":
        program = decode_program(message.mlProgram)
        validate(program)
    elif kind in NEURAL_NETWORKS:
        layers = tuple(map(_layer, getattr(message, kind).layers))
    elif kind in PIPELINES:
        parts = _parts(path, message.pipeline if kind == "pipeline" else getattr(message, kind).pipeline)
    return Model(
        path=path,
        kind=_kind(kind),
        format=kind,
        specification_version=message.specificationVersion,
        interfaces=decode_interfaces(description),
        program=program,
        layers=layers,
        parts=parts,
        metadata=dict(description.metadata.userDefined),
        name=name,
        default_function=description.defaultFunctionName or "main",
    )


def _parts(path: str, pipeline: Message) -> tuple[Model, ...]:
    names = list(pipeline.names)
    return tuple(
        _model(path, names[index] if index < len(names) and names[index] else str(index), part)
        for index, part in enumerate(pipeline.models)
    )


def _kind(format_name: str) -> Kind:
    if format_name == "mlProgram":
        return Kind.ML_PROGRAM
    if format_name in NEURAL_NETWORKS:
        return Kind.NEURAL_NETWORK
    return Kind.PIPELINE if format_name in PIPELINES else Kind.OTHER


def _layer(message: Message) -> Layer:
    kind = message.WhichOneof("layer") or "unknown"
    return Layer(message.name, kind, message.custom.className if kind == "custom" else "")
