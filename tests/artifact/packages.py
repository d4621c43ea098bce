"""Packages and compiled models for these tests, and how to load things in a process of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from anecheck.artifact.load import load
from anecheck.artifact.package import MANIFEST
from anecheck.mil.model import Feature, Model
from anecheck.mil.printer import print_program
from anecheck.mil.program import Program
from tests.conftest import FIXTURES, REPOSITORY

MODEL = "com.apple.CoreML/model.mlmodel"
WEIGHTS = "com.apple.CoreML/weights/weight.bin"

LOAD = """
import json, os, sys
import anecheck.artifact.compiled
from anecheck.artifact.errors import ArtifactError
from anecheck.artifact.load import load
from anecheck.artifact.locate import find_models

as_nobody, search, *paths = json.loads(sys.argv[1])
load(sys.argv[2])  # imports whatever a user without rights might be unable to
if as_nobody and os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
results = []
for path in find_models(paths) if search else paths:
    try:
        model = load(path)
        weights = [[file.path, file.status, file.detail] for file in model.weights]
        results.append(["loaded", model.specification_version, weights])
    except ArtifactError as error:
        results.append([error.fault.name, error.message])
print(json.dumps(results))
"""


def fixture(name: str) -> Model:
    """A model among the fixtures, e.g. "ok/pipeline.mlpackage"."""
    return load(FIXTURES / name)


def array(name: str, *shape: int, dtype: str = "float16") -> Feature:
    """An array among a model's inputs and outputs."""
    return Feature(name, "multiarray", dtype, shape)


def copy_of(name: str, folder: Path) -> Path:
    """A copy of a fixture, to be changed."""
    source = FIXTURES / name
    target = folder / source.name
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy(source, target)
    return target


def write_package(package: Path, model: bytes, root: object = MODEL) -> Path:
    """Write a package whose manifest names `root` as its model, which lies where it should."""
    (package / "Data" / MODEL).parent.mkdir(parents=True)
    (package / "Data" / MODEL).write_bytes(model)
    write_manifest(package, root)
    return package


def write_manifest(package: Path, root: object) -> None:
    """Write a manifest with one entry, whose path is `root`."""
    content = {"rootModelIdentifier": "1", "itemInfoEntries": {"1": {"path": root}}}
    (package / MANIFEST).write_text(json.dumps(content), encoding="utf-8")


def write_compiled(folder: Path, text: str | Program, metadata: str | None = None) -> Path:
    """Write a compiled model with a program, given as such or as its text, and `metadata.json`."""
    folder.mkdir(parents=True)
    (folder / "model.mil").write_text(text if isinstance(text, str) else print_program(text), encoding="utf-8")
    if metadata is not None:
        (folder / "metadata.json").write_text(metadata, encoding="utf-8")
    return folder


def run_python(script: str, *arguments: str | Path) -> str:
    """What a script prints in a process of its own, which must succeed without a word on standard error."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def load_elsewhere(*paths: str | Path, as_nobody: bool = False, search: bool = False) -> list[list[Any]]:
    """Load paths in a process of their own, which is stopped if it hangs: the fault and message, or what was loaded.

    `as_nobody` makes file permissions hold where the tests run as root; `search` looks for models in folders first.
    """
    arguments = json.dumps([as_nobody, search, *map(str, paths)])
    results: list[list[Any]] = json.loads(run_python(LOAD, arguments, FIXTURES / "ok/bare_program.mlmodel"))
    assert search or len(results) == len(paths)
    return results
