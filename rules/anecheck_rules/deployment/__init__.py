"""Rules about formats, releases and load (ANE8xx)."""

from __future__ import annotations

from anecheck_rules.deployment.batched_heads import BatchedHeads
from anecheck_rules.deployment.float32_interface import Float32Interface
from anecheck_rules.deployment.frame_budget import FrameBudget
from anecheck_rules.deployment.legacy_format import LegacyFormat
from anecheck_rules.deployment.load_budget import LoadBudget
from anecheck_rules.deployment.long_attention import LongAttention
from anecheck_rules.deployment.newer_than_target import NewerThanTarget
from anecheck_rules.deployment.older_opset import OlderOpset
from anecheck_rules.deployment.plain_layer_norm import PlainLayerNorm
from anecheck_rules.deployment.residency_budget import ResidencyBudget
from anecheck_rules.deployment.slow_compilation import SlowCompilation
from anecheck_rules.deployment.sustained_budget import SustainedBudget

RULES = (
    LegacyFormat,
    OlderOpset,
    Float32Interface,
    BatchedHeads,
    PlainLayerNorm,
    SlowCompilation,
    LongAttention,
    NewerThanTarget,
    FrameBudget,
    SustainedBudget,
    ResidencyBudget,
    LoadBudget,
)
