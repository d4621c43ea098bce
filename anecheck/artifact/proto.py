"""coremltools' protobuf messages, without importing the rest of coremltools.

`import coremltools` costs from half a second to several and up to 700 MB, because it imports numpy, sympy and, where
they are installed, torch and scikit-learn. Its message classes need none of that: their modules import each other
relatively, so they load as well under a package name of our own. A later `import coremltools` in the same process finds
the same descriptors and works as ever.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "_anecheck_coremltools_proto"


@cache
def messages() -> ModuleType:
    """The module `Model_pb2`, with the message class `Model`.

    Raises:
        ImportError: coremltools is missing or has no `proto` folder.
    """
    return _module("Model_pb2")


@cache
def data_types() -> dict[int, str]:
    """MIL's element types by their number in the format, spelled as MIL text spells them."""
    enum: Any = _module("MIL_pb2").DataType
    return {number: _SPELLING.get(name, name.lower()) for name, number in enum.items()}


def is_pure_python() -> bool:
    """Whether protobuf runs its pure-Python implementation, which is some hundred times slower than the compiled one."""
    from google.protobuf.internal import api_implementation  # noqa: PLC0415  # only this question needs it

    return bool(api_implementation.Type() == "python")


_SPELLING = {
    "FLOAT16": "fp16",
    "FLOAT32": "fp32",
    "FLOAT64": "fp64",
    "BFLOAT16": "bf16",
    "FLOAT8E4M3FN": "fp8e4m3fn",
    "FLOAT8E5M2": "fp8e5m2",
}


def _module(name: str) -> ModuleType:
    if PACKAGE not in sys.modules:
        spec = importlib.util.find_spec("coremltools")
        if spec is None or spec.origin is None:
            raise ImportError("coremltools is not installed: `pip install 'coremltools>=9'`")
        package = ModuleType(PACKAGE)
        package.__path__ = [str(Path(spec.origin).parent / "proto")]
        sys.modules[PACKAGE] = package
    return importlib.import_module(f"{PACKAGE}.{name}")
