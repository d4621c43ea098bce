"""Rules about memory and bandwidth (ANE4xx)."""

from __future__ import annotations

from anecheck_rules.memory.bandwidth_bound import BandwidthBound
from anecheck_rules.memory.expanded_at_load import ExpandedAtLoad
from anecheck_rules.memory.huge_picture import HugePicture
from anecheck_rules.memory.kernel_memory import KernelMemory
from anecheck_rules.memory.memory_limit import MemoryLimit
from anecheck_rules.memory.off_chip_working_set import OffChipWorkingSet
from anecheck_rules.memory.padded_last_axis import PaddedLastAxis
from anecheck_rules.memory.tiled_operand import TiledOperand
from anecheck_rules.memory.weight_size_notch import WeightSizeNotch
from anecheck_rules.memory.weights_beyond_limit import WeightsBeyondLimit

RULES = (
    TiledOperand,
    OffChipWorkingSet,
    PaddedLastAxis,
    WeightsBeyondLimit,
    WeightSizeNotch,
    KernelMemory,
    HugePicture,
    ExpandedAtLoad,
    BandwidthBound,
    MemoryLimit,
)
