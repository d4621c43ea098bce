"""Which devices can run each operation, and what keeps it from the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anecheck.knowledge.evidence import Device
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits
from anecheck.mil.graph import Node

Blockers = Mapping[Node, Mapping[Device, list[str]]]
"""The codes of the rules that keep a node from a device."""

GPU_GAP = "no-gpu-path"
"""What stands for a rule's code where the operator table says that the GPU lacks an operation."""

UNITS = {
    ComputeUnits.ALL: (Device.ANE, Device.GPU, Device.CPU),
    ComputeUnits.CPU_AND_NE: (Device.ANE, Device.CPU),
    ComputeUnits.CPU_AND_GPU: (Device.GPU, Device.CPU),
    ComputeUnits.CPU_ONLY: (Device.CPU,),
}
"""The devices that an app's setting allows."""


@dataclass(frozen=True, slots=True)
class Support:
    """What can run an operation, whatever the app allows, and what keeps it from the rest."""

    devices: frozenset[Device]
    blockers: Mapping[Device, tuple[str, ...]]


ANYWHERE = Support(frozenset(Device), {})


def support(node: Node, blockers: Blockers, knowledge: Knowledge) -> Support:
    """Combine what rules say of an operation with the gaps of the other devices. The CPU runs everything."""
    blocked = blockers.get(node)
    lacks_gpu = knowledge.lacks_gpu(node.type)
    if not blocked and not lacks_gpu:
        return ANYWHERE
    found: dict[Device, tuple[str, ...]] = {
        device: tuple(codes) for device, codes in (blocked or {}).items() if device is not Device.CPU
    }
    if lacks_gpu:
        found.setdefault(Device.GPU, (GPU_GAP,))
    return Support(frozenset(device for device in Device if device not in found), found)
