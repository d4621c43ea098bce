"""What each operation computes, by family. Importing a family enters its operations into the table."""

from __future__ import annotations

from tests.reference.operations import (
    activations,
    blocks,
    control_flow,
    convolution,
    elementwise,
    indexing,
    matrices,
    normalisation,
    pooling,
    recurrent,
    reductions,
    resizing,
    selection,
    shapes,
    slices,
    weights,
)

__all__ = [
    "activations",
    "blocks",
    "control_flow",
    "convolution",
    "elementwise",
    "indexing",
    "matrices",
    "normalisation",
    "pooling",
    "recurrent",
    "reductions",
    "resizing",
    "selection",
    "shapes",
    "slices",
    "weights",
]
