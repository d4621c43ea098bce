"""`anecheck.capture`: write down at conversion where each operation comes from, so that findings can say it later.

    model = ct.convert(torch.export.export(net, example).run_decompositions({}), …)
    model.save("Model.mlpackage")
    anecheck.capture(model, "Model.mlpackage")     # writes Model.anecheck.json

coremltools knows the modules and lines while the converted program is in memory, and saves none of it.

- Converted from `torch.jit.trace`, operations have the path of their module.
- Converted from `torch.export`, they have a file and line: of all the calls that lead to an operation the innermost one in the
  user's own code, which is no file of torch, of an installed package or of Python itself. One is enough: the line that calls
  `torch.cumsum` is what has to change, and the calls that led there are found from it.

A file of the same project is kept by its path from the sidecar, so that it is found in every clone; any other by its full path.
The project is the folder above the sidecar that has a `.git` or `pyproject.toml`, or else the working directory. The module is
also the function.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from anecheck.artifact.hierarchy import Hierarchy
from anecheck.artifact.locate import MODEL_FILE, PACKAGES, shown, sidecar_of
from anecheck.artifact.scopes import CaptureError, Scoped, scoped_functions
from anecheck.artifact.sidecar import Origin, Origins, SidecarError, read_sidecar, write_sidecar

__all__ = ["CaptureError", "SidecarError", "capture"]

INSTALLED: Final = {"site-packages", "dist-packages"}
PROJECT_MARKS: Final = (".git", "pyproject.toml")


def capture(mlmodel: Any, path: str | os.PathLike[str], function: str | None = None) -> Path:  # noqa: ANN401
    """Write the sidecar of a model that `ct.convert` has just returned, and give back its path.

    Args:
        mlmodel: What `ct.convert` returned. A model that was loaded, or changed since, has forgotten what is asked here.
        path: The package that it was or will be saved as ("Model.mlpackage" has "Model.anecheck.json" beside it), or the
            sidecar itself ("….json").
        function: What the model's only function is called in the package, where that is made of several models: a function's
            name for `ct.utils.save_multifunction`, a part and a function ("0/main") for `ct.utils.make_pipeline`. What the
            sidecar says of other functions then stays.

    Raises:
        TypeError: `mlmodel` is no model of coremltools.
        CaptureError: it has no scopes, or not from PyTorch, or several functions where one is named.
        SidecarError: there is a sidecar to be added to, and it is damaged.
        ValueError: `path` is the path of something else.
        OSError: the sidecar cannot be written.

    """
    sidecar = _sidecar(Path(path))
    found = scoped_functions(mlmodel)
    folder = Path(os.path.realpath(sidecar.parent))
    files = _Files(folder, _project(folder))
    origins = {label: _origins(operations, files) for label, operations in found.items()}
    write_sidecar(sidecar, origins if function is None else _added(sidecar, function, origins))
    return sidecar


def _sidecar(path: Path) -> Path:
    if path.suffix.lower() == ".json":
        return path
    if path.suffix.lower() in {"", *PACKAGES, MODEL_FILE}:
        return sidecar_of(path)
    raise ValueError(f"'{path}' is neither a model (.mlpackage) nor a sidecar (.json); give what the model is saved as")


def _added(sidecar: Path, function: str, origins: Origins) -> Origins:
    """What a sidecar says, with one function added or replaced."""
    if len(origins) != 1:
        raise CaptureError(
            f"the model has {len(origins)} functions, where one is to be called '{function}'; leave it out"
        )
    before = read_sidecar(sidecar) if sidecar.exists() else {}
    return {**before, function: next(iter(origins.values()))}


def _origins(operations: list[Scoped], files: _Files) -> dict[str, Origin]:
    hierarchy = Hierarchy(operations)
    return {
        operation.name: Origin(operation.type, hierarchy.path(operation), *files.innermost(operation.frames))
        for operation in operations
    }


def _project(folder: Path) -> Path:
    """The folder of the project that a sidecar belongs to."""
    for above in (folder, *folder.parents):
        if any((above / mark).exists() for mark in PROJECT_MARKS):
            return above
    working = Path(os.path.realpath(Path.cwd()))
    return working if folder.is_relative_to(working) else folder


class _Files:
    """Which files are the user's own, and how a sidecar in `folder` names them."""

    def __init__(self, folder: Path, project: Path) -> None:
        self._folder, self._project = folder, project
        torch = getattr(sys.modules.get("torch"), "__file__", None)
        places = (torch and Path(torch).parent, sysconfig.get_path("stdlib"))
        self._foreign = [Path(os.path.realpath(place)) for place in places if place]
        self._named = lru_cache(maxsize=None)(self._name)

    def innermost(self, frames: tuple[tuple[str, int], ...]) -> tuple[str | None, int | None]:
        """The innermost of the frames in the user's own code; `None`s where none is."""
        for file, line in reversed(frames):
            named = self._named(file)
            if named is not None:
                return named, line
        return None, None

    def _name(self, file: str) -> str | None:
        """What a file is called in the sidecar; `None` if it is not the user's own, or no file (`<stdin>`, a notebook's cell)."""
        place = Path(os.path.realpath(file))
        if not INSTALLED.isdisjoint(place.parts) or any(place.is_relative_to(foreign) for foreign in self._foreign):
            return None
        if not place.is_file():
            return None
        if place.is_relative_to(self._project):
            place = Path(os.path.relpath(place, self._folder))
        return shown(place.as_posix())


class _CallableModule(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Path:  # noqa: ANN401  # typed above
        return capture(*args, **kwargs)


# Importing this module binds its name in `anecheck`, over the function of the same name.
sys.modules[__name__].__class__ = _CallableModule
