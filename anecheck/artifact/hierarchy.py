"""Full paths of modules, from those that a trace remembers and the names of weights.

`torch.jit.trace` writes down the modules that are called, and a `ModuleList` is not: what `layers.0.fc1` computes has the scope
`0.fc1`. The names of weights have the whole path, `layers_0_fc1_weight`; laid over each other they say what is missing. What is
learnt at operations with weights is used for the others in the same module, where it leaves no choice:

    0 (Gate) . fc1 (Linear)    layers_0_fc1     0 (Gate) is layers.0
    0 (Gate) . act (SiLU)      no weights       so this is layers.0.act
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from anecheck.artifact.scopes import Module, Scope, Scoped
from anecheck.artifact.weight_names import dotted

NOBODY_KNOWS: Final = ""
"""A path that no module has, of what is known to be somewhere else as well, nobody knows where."""


class Hierarchy:
    """The modules of one function, as far as its operations tell."""

    def __init__(self, operations: Iterable[Scoped]) -> None:
        self._paths: dict[Scope, set[str]] = {}
        for operation in operations:
            around = operation.modules
            if around and operation.owner is not None:
                self._learn(around, _laid_over(around, operation.owner))
            elif around and operation.is_anonymous:
                self._learn(around, [NOBODY_KNOWS] * len(around))

    def _learn(self, around: Scope, paths: list[str]) -> None:
        for depth, path in enumerate(paths, start=1):
            self._paths.setdefault(around[:depth], set()).add(path)

    def path(self, operation: Scoped) -> str | None:
        """The path of the module that an operation stands in; none for what the outermost module does itself.

        Where lists are missing and nothing says which, it is the path without them.
        """
        around = operation.modules
        if not around:
            return None
        if operation.owner is not None and (paths := _laid_over(around, operation.owner))[-1]:
            return paths[-1]
        for depth in range(len(around), 0, -1):
            known = self._paths.get(around[:depth], set())
            if len(known) == 1 and (path := next(iter(known))):
                return ".".join([path, *(module.name for module in around[depth:])])
            if known:
                break
        return ".".join(module.name for module in around)


def _laid_over(around: Scope, owner: str) -> list[str]:
    """The path of each of the modules round an operation, by the name of its weight; nobody knows where they do not fit."""
    gaps = "".join(rf"(?:(.+?)_)?{re.escape(module.name)}{'_' if inner else ''}" for inner, module in _inner(around))
    found = re.fullmatch(gaps, owner)
    if found is None:
        return [NOBODY_KNOWS] * len(around)
    paths, path = [], ""
    for gap, module in zip(found.groups(), around, strict=True):
        path = ".".join(filter(None, (path, dotted(gap) if gap else "", module.name)))
        paths.append(path)
    return paths


def _inner(around: Scope) -> Iterable[tuple[int, Module]]:
    """The modules with how many are inside each."""
    return zip(range(len(around) - 1, -1, -1), around, strict=True)
