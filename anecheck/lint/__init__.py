"""Judging a model: rules, the engine that runs them, and what they find.

The package is also the function `anecheck.lint(path)`: whichever of the two is imported first, both names work.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _CallablePackage(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # typed where it is defined
        from anecheck.api import lint  # noqa: PLC0415  # which imports this package

        return lint(*args, **kwargs)


# Importing a submodule binds its package's name in `anecheck`, over the function of the same name.
sys.modules[__name__].__class__ = _CallablePackage
