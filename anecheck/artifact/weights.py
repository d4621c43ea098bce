"""Weight files: their headers, each by a read of its few bytes. The weights themselves are never read.

A memory map would be as fast, but the system brings in the pages around each one touched, and counts them to the process.

A `weight.bin` of version 2 begins with 64 bytes, of which the first eight are the number of blobs and the version. Each
blob has a header of 64 bytes, aligned to 64 (sentinel, element type, size and position of the data), at the offset that
the program refers to.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from anecheck.artifact.errors import ArtifactError, Fault
from anecheck.artifact.package import inside
from anecheck.artifact.pointer import POINTER_LIMIT, pointer_size
from anecheck.mil.model import Blob, WeightFile
from anecheck.mil.program import Program, walk
from anecheck.mil.values import BlobValue

FILE_HEADER = struct.Struct("<II")
BLOB_HEADER = struct.Struct("<IIQQ")
SENTINEL = 0xDEADBEEF
MODEL_PATH = "@model_path/"
"""How programs spell the folder that holds the model file."""


def weight_files(programs: Iterable[Program], package: Path, base: Path) -> tuple[WeightFile, ...]:
    """Read the headers of every weight file that `programs` refer to, `base` being the model file's folder.

    Whatever is wrong with a file becomes its status: a model can be judged without its weights.
    """
    offsets = blob_offsets(programs)
    return tuple(_weight_file(name, package, base, offsets[name]) for name in sorted(offsets))


def blob_offsets(programs: Iterable[Program]) -> dict[str, set[int]]:
    """The offsets that programs refer to, by the path that they spell (`@model_path/weights/weight.bin`)."""
    offsets: dict[str, set[int]] = {}
    for program in programs:
        for function in program.functions.values():
            for operation in walk(function.block):
                for value in operation.attributes.values():
                    if isinstance(value, BlobValue):
                        offsets.setdefault(value.path, set()).add(value.offset)
                for bound in operation.inputs.values():
                    for argument in bound:
                        if isinstance(argument, BlobValue):
                            offsets.setdefault(argument.path, set()).add(argument.offset)
    return offsets


def _weight_file(name: str, package: Path, base: Path, offsets: set[int]) -> WeightFile:
    shown = name.removeprefix(MODEL_PATH)
    try:
        path = inside(package, base, shown)
    except ArtifactError as error:
        if error.fault is Fault.NOT_FOUND:
            return WeightFile(shown, "absent", detail="the file does not exist")
        return WeightFile(shown, "unreadable", detail="it is not inside the package")
    return read_weight_file(path, shown, offsets)


def read_weight_file(path: Path, shown: str, offsets: Iterable[int]) -> WeightFile:
    """Read the headers at `offsets` of the file at `path`; `shown` is how messages name it. Raises nothing."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for its writer
            return WeightFile(shown, "unreadable", detail="it is no regular file")
        size = status.st_size
        with path.open("rb", buffering=0) as file:
            head = file.read(POINTER_LIMIT)
            promised = pointer_size(head)
            if promised is not None:
                return WeightFile(shown, "pointer", promised or None, detail="a Git LFS pointer")
            if size < FILE_HEADER.size:
                return WeightFile(shown, "truncated", size, detail=f"{size} bytes are too few for the file's header")
            return _read_blobs(file, shown, size, offsets)
    except FileNotFoundError:
        return WeightFile(shown, "absent", detail="the file does not exist")
    except (OSError, ValueError, struct.error) as error:
        return WeightFile(shown, "unreadable", detail=getattr(error, "strerror", None) or str(error))


def _read_blobs(file: BinaryIO, shown: str, size: int, offsets: Iterable[int]) -> WeightFile:
    blobs: dict[int, Blob] = {}
    descriptor, length_of_header = file.fileno(), BLOB_HEADER.size
    for offset in sorted(offsets):
        if offset + length_of_header > size:
            return WeightFile(shown, "truncated", size, blobs, f"a tensor should begin at byte {offset} of {size}")
        sentinel, _dtype, length, start = BLOB_HEADER.unpack(os.pread(descriptor, length_of_header, offset))
        if sentinel != SENTINEL:
            return WeightFile(shown, "unreadable", size, blobs, f"no tensor begins at byte {offset}")
        if start + length > size:
            return WeightFile(
                shown, "truncated", size, blobs, f"a tensor should end at byte {start + length} of {size}"
            )
        blobs[offset] = Blob(offset, length, start)
    return WeightFile(shown, "present", size, blobs)
