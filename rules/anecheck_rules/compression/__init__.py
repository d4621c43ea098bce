"""Rules about compressed weights and activations (ANE6xx)."""

from __future__ import annotations

from anecheck.lint.rule import Rule
from anecheck_rules.compression.computed_kernel import ComputedKernel
from anecheck_rules.compression.dense_sparsity import DenseSparsity
from anecheck_rules.compression.expanded_weights import ExpandedWeights
from anecheck_rules.compression.palette_beside_state import PaletteBesideState
from anecheck_rules.compression.palette_per_block import PalettePerBlock
from anecheck_rules.compression.palettized_depthwise import PalettizedDepthwise
from anecheck_rules.compression.palettized_stride import PalettizedStride
from anecheck_rules.compression.quantized_activations import QuantizedActivations
from anecheck_rules.compression.quantized_palette import QuantizedPalette
from anecheck_rules.compression.quantized_product import QuantizedProduct
from anecheck_rules.compression.scale_per_block import ScalePerBlock
from anecheck_rules.compression.scaled_palette import ScaledPalette
from anecheck_rules.compression.split_contraction import SplitContraction
from anecheck_rules.compression.vector_palette import VectorPalette
from anecheck_rules.compression.weight_offset import WeightOffset

RULES: tuple[type[Rule], ...] = (
    ScalePerBlock,
    WeightOffset,
    PalettePerBlock,
    VectorPalette,
    ScaledPalette,
    PalettizedStride,
    PalettizedDepthwise,
    QuantizedPalette,
    ComputedKernel,
    PaletteBesideState,
    QuantizedActivations,
    QuantizedProduct,
    DenseSparsity,
    ExpandedWeights,
    SplitContraction,
)
