"""Where the model file of a package is: the manifest, and paths that must not lead out of the package."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path, PurePosixPath
from typing import Any

from anecheck.artifact.errors import ArtifactError, Fault
from anecheck.artifact.pointer import POINTER_LIMIT, fetch_command, pointer_size

MANIFEST = "Manifest.json"
MANIFEST_LIMIT = 4 << 20
"""Manifests larger than this many bytes are no manifests; real ones have about 600."""


def model_file(package: Path) -> Path:
    """Find the `.mlmodel` that a package's manifest names as its root model.

    Raises:
        ArtifactError: the manifest is missing or wrong, or it points outside the package or to nothing.
    """
    manifest = package / MANIFEST
    if not _exists(manifest):
        raise ArtifactError(
            Fault.NO_MANIFEST,
            f"the package has no {MANIFEST}; copy the whole .mlpackage folder, or export the model again",
        )
    entry = _root_entry(manifest)
    return inside(package, package / "Data", entry)


def inside(package: Path, base: Path, relative: str) -> Path:
    """Resolve `relative` against `base` and make sure that it is a path inside `package`, links followed.

    Raises:
        ArtifactError: it leads out of the package, or nothing is there.
    """
    parts = PurePosixPath(relative)
    if parts.is_absolute() or ".." in parts.parts or "\\" in relative or "\0" in relative:
        raise ArtifactError(
            Fault.OUTSIDE,
            f"'{relative}' points outside the package; export the model again, and do not trust this file",
        )
    path = base / parts
    try:
        real, root = Path(os.path.realpath(path)), Path(os.path.realpath(package))
    except UnicodeEncodeError as error:
        raise ArtifactError(
            Fault.NOT_FOUND, f"{relative!a} is a name that no file can have; export the model again"
        ) from error
    if not real.is_relative_to(root):
        raise ArtifactError(
            Fault.OUTSIDE,
            f"'{_shown(path, package)}' is a symbolic link out of the package; "
            "replace links by what they point to (cp -RL) and lint the copy",
        )
    if not _exists(real):
        raise ArtifactError(
            Fault.NOT_FOUND,
            f"the manifest names '{_shown(path, package)}', which does not exist; copy the whole .mlpackage folder",
        )
    return path


def read_model_bytes(path: Path, shown: str) -> bytes:
    """Read a model file, which `shown` names in messages.

    Raises:
        ArtifactError: it is missing, no regular file, not permitted, empty, or a Git LFS pointer.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
            raise ArtifactError(Fault.NOT_A_MODEL, f"'{shown}' is {kind}, where a file should be; copy the model again")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ArtifactError(Fault.NOT_FOUND, f"'{shown}' does not exist") from error
    except PermissionError as error:
        raise ArtifactError(
            Fault.NO_PERMISSION, f"'{shown}' may not be read; grant the permission (chmod u+r)"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ArtifactError(Fault.NOT_FOUND, f"'{shown}' cannot be read: {reason}") from error
    if not data:
        raise ArtifactError(Fault.EMPTY, f"'{shown}' is empty (0 bytes); export or copy the model again")
    size = pointer_size(data[:POINTER_LIMIT])
    if size is not None:
        promised = f" for a file of {size:,} bytes" if size else ""
        raise ArtifactError(
            Fault.MODEL_POINTER,
            f"'{shown}' is a Git LFS pointer{promised}, not the model; fetch it with `{fetch_command(path)}`",
        )
    return data


def _root_entry(manifest: Path) -> str:
    try:
        data = read_model_bytes(manifest, MANIFEST)
    except ArtifactError as error:
        fault = Fault.BAD_MANIFEST if error.fault in {Fault.EMPTY, Fault.NOT_A_MODEL} else error.fault
        raise ArtifactError(fault, error.message) from error
    try:
        content: Any = json.loads(data) if len(data) <= MANIFEST_LIMIT else None
        root = content["rootModelIdentifier"]
        path = content["itemInfoEntries"][root]["path"]
    except (ValueError, RecursionError) as error:
        raise ArtifactError(
            Fault.BAD_MANIFEST, f"{MANIFEST} is not valid JSON ({error}); export the model again"
        ) from error
    except (KeyError, TypeError) as error:
        raise ArtifactError(
            Fault.BAD_MANIFEST,
            f"{MANIFEST} names no root model (rootModelIdentifier and its entry in itemInfoEntries); "
            "export the model again",
        ) from error
    if not isinstance(path, str) or not path:
        raise ArtifactError(Fault.BAD_MANIFEST, f"{MANIFEST} gives no path for the root model; export the model again")
    return path


def _exists(path: Path) -> bool:
    """Whether something is there. What may not be looked at may be there; reading it says so."""
    try:
        os.lstat(path)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _shown(path: Path, package: Path) -> str:
    return path.relative_to(package).as_posix()
