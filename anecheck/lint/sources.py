"""Where the operations that findings speak of come from: captured at conversion, or read off the names of their weights.

A sidecar that was written for another export of the model must not mislead. What it says of an operation counts only if that
has the same name and type; where not all operations agree, the model gets a diagnostic. Nothing here is done without findings,
and only a sidecar makes it look at operations that nothing was found at.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from anecheck.artifact.locate import shown, sidecar_of
from anecheck.artifact.weight_names import dotted, is_exported, is_torch, owner
from anecheck.lint.diagnostics import DAMAGED_SOURCE_MAP, STALE_SOURCE_MAP, diagnose
from anecheck.lint.finding import Finding, Source
from anecheck.lint.rule import GraphContext
from anecheck.mil.model import Model
from anecheck.mil.node import Node

if TYPE_CHECKING:  # most models have no sidecar, and are spared the import of what reads it
    from anecheck.artifact.sidecar import Origin, Origins


def with_sources(findings: list[Finding], model: Model, functions: Sequence[GraphContext]) -> list[Finding]:
    """The findings with their sources, and with what is wrong with the model's sidecar."""
    if not any(finding.operation for finding in findings):
        return findings
    folder = shown(str(Path(model.path).parent))
    origins, diagnostics = _captured(model, functions)
    sources = _Sources(model, functions, origins, folder)
    return [sources.added_to(finding) for finding in findings] + diagnostics


def _captured(model: Model, functions: Sequence[GraphContext]) -> tuple[Origins, list[Finding]]:
    """What a model's sidecar says, and what is wrong with it."""
    sidecar = sidecar_of(Path(model.path))
    if not os.path.lexists(sidecar):
        return {}, []
    from anecheck.artifact.sidecar import SidecarError, read_sidecar  # noqa: PLC0415

    try:
        origins = read_sidecar(sidecar)
    except SidecarError as error:
        name = shown(sidecar.name)
        message = f"'{name}' says nothing of where operations come from: {error}"
        return {}, [diagnose(DAMAGED_SOURCE_MAP, message, file=name)]
    return origins, _stale(origins, functions, sidecar)


class _Sources:
    """The sources of one model's operations; of each type of operation, they are looked up by name once it is asked for."""

    def __init__(self, model: Model, functions: Sequence[GraphContext], origins: Origins, folder: str) -> None:
        self._model, self._origins, self._folder = model, origins, folder
        self._functions = {function.label: function for function in functions}
        self._nodes: dict[tuple[str, str], dict[str, Node]] = {}

    def added_to(self, finding: Finding) -> Finding:
        """A finding with the source of its operation, if one is known."""
        label, name, kind = finding.function, finding.operation, finding.operation_type
        if label is None or name is None or kind is None or finding.source is not None:
            return finding
        origin = self._origins.get(label, {}).get(name)
        source = self._as_captured(origin) if origin and origin.type == kind else None
        source = source or self._inferred(label, kind, name)
        return replace(finding, source=source) if source else finding

    def _as_captured(self, origin: Origin) -> Source | None:
        if origin.module is None and origin.file is None:
            return None
        from anecheck.artifact.sidecar import from_folder  # noqa: PLC0415  # read already

        file = None if origin.file is None else from_folder(self._folder, origin.file)
        return Source(file=file, line=origin.line, module=origin.module)

    def _inferred(self, label: str, kind: str, name: str) -> Source | None:
        """The module of an operation by the name of a weight of its own; what has none is not guessed from its neighbours."""
        metadata = _part(self._model, label).metadata
        node = self._node(label, kind, name) if is_torch(metadata) else None
        if node is None:
            return None
        constants = [(parameter, operand.name) for parameter, operand in node.operands() if operand.is_constant]
        weights = [("weight", node.name)] if node.is_constexpr else constants
        owners = {owner(weight, parameter, exported=is_exported(metadata)) for parameter, weight in weights} - {None}
        found = owners.pop() if len(owners) == 1 else None
        return Source(module=dotted(found), inferred=True) if found else None

    def _node(self, label: str, kind: str, name: str) -> Node | None:
        if (label, kind) not in self._nodes:
            nodes = self._functions[label].graph.by_type.get(kind, []) if label in self._functions else []
            self._nodes[label, kind] = {node.name: node for node in nodes}
        return self._nodes[label, kind].get(name)


def _part(model: Model, label: str) -> Model:
    """The model that a function belongs to: in a pipeline the part whose name its label begins with."""
    for part in model.parts:
        if label.startswith(f"{part.name}/"):
            return _part(part, label.removeprefix(f"{part.name}/"))
    return model


def _stale(origins: Origins, functions: Sequence[GraphContext], sidecar: Path) -> list[Finding]:
    """Say that a sidecar is of another export, where operations have another type in it, or are not there.

    Those that expand compressed weights are not counted: compressing a model adds them, and changes no other.
    """
    total = agreeing = 0
    for function in functions:
        known = origins.get(function.label, {})
        nodes = function.graph.running
        total += len(nodes)
        agreeing += sum((origin := known.get(node.name)) is not None and origin.type == node.type for node in nodes)
    if agreeing == total:
        return []
    name = shown(sidecar.name)
    message = (
        f"'{name}' is of another export: {agreeing:,} of {total:,} operations are in it with the same name and type, "
        "and only these have a source from it"
    )
    return [diagnose(STALE_SOURCE_MAP, message, file=name, operations=total, agreeing=agreeing)]
