"""Compiled models: a folder `.mlmodelc` whose `model.mil` holds the program as text."""

from __future__ import annotations

import json
from pathlib import Path

from anecheck.artifact.errors import ArtifactError, Fault
from anecheck.artifact.package import inside, read_model_bytes
from anecheck.artifact.validate import validate
from anecheck.artifact.weights import weight_files
from anecheck.mil.model import Kind, Model
from anecheck.mil.parser import parse
from anecheck.mil.printer import opset_number
from anecheck.mil.program import Program
from anecheck.mil.scanner import MilSyntaxError

TEXT = "model.mil"
METADATA = "metadata.json"


def load_compiled(folder: Path) -> Model:
    """Read a compiled model; one without a text of its own but with several below it is a pipeline.

    Raises:
        ArtifactError: the folder holds no text, or one that is no MIL.
    """
    if not folder.is_dir():
        fault = Fault.NOT_A_MODEL if folder.exists() else Fault.NOT_FOUND
        raise ArtifactError(fault, "there is no folder here; a compiled model (.mlmodelc) is one")
    texts = [folder]
    if not (folder / TEXT).exists():
        texts = sorted((place.parent for place in folder.glob(f"*/{TEXT}")), key=_part_order)
    if not texts:
        return _without_text(folder)
    version = _stated_version(folder)
    parts = tuple(_part(folder, place, version) for place in texts)
    if len(parts) == 1 and texts[0] == folder:
        return parts[0]
    weights = tuple(file for part in parts for file in part.weights)
    return Model(str(folder), Kind.PIPELINE, "pipeline", version, parts=parts, weights=weights)


def _part(folder: Path, place: Path, version: int | None) -> Model:
    file = inside(folder, place, TEXT)
    data = read_model_bytes(file, file.relative_to(folder).as_posix())
    try:
        program = parse(data.decode("utf-8"))
    except (MilSyntaxError, UnicodeDecodeError, RecursionError) as error:
        raise ArtifactError(
            Fault.BAD_TEXT, f"'{file.relative_to(folder).as_posix()}' is not MIL text: {error}; compile the model again"
        ) from error
    validate(program)
    return Model(
        path=str(folder),
        kind=Kind.ML_PROGRAM,
        format="mlProgram",
        specification_version=version or _version_of(program),
        program=program,
        weights=weight_files([program], folder, place),
        name="" if place == folder else place.name,
    )


def _without_text(folder: Path) -> Model:
    if list(folder.glob("**/*.espresso.net")):
        return Model(str(folder), Kind.NEURAL_NETWORK, "compiled neural network", None)
    raise ArtifactError(
        Fault.NOT_FOUND, f"the compiled model has no {TEXT}; compile it again (xcrun coremlcompiler compile)"
    )


def _stated_version(folder: Path) -> int | None:
    """The specification version that `metadata.json` states, if it does; the file is a courtesy of the compiler."""
    try:
        version = json.loads(read_model_bytes(folder / METADATA, METADATA))[0]["specificationVersion"]
    except (ArtifactError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return version if isinstance(version, int) and not isinstance(version, bool) else None


def _version_of(program: Program) -> int | None:
    opsets = [opset_number(function.opset) for function in program.functions.values()]
    return max((opset + 1 for opset in opsets if opset >= 0), default=None)


def _part_order(place: Path) -> tuple[int, str]:
    """`model2` comes before `model10`: parts are numbered in the order in which they run."""
    digits = "".join(character for character in place.name if character in "0123456789")
    return int(digits[:9] or 0), place.name
