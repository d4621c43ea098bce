"""Rules about shapes and states (ANE7xx)."""

from __future__ import annotations

from anecheck.lint.rule import Rule
from anecheck_rules.shapes.data_dependent_shape import DataDependentShape
from anecheck_rules.shapes.enumerated_batch import EnumeratedBatch
from anecheck_rules.shapes.enumerated_inputs import EnumeratedInputs
from anecheck_rules.shapes.enumerated_shape_count import EnumeratedShapeCount
from anecheck_rules.shapes.enumerated_shapes import EnumeratedShapes
from anecheck_rules.shapes.open_shape_layer import OpenShapeLayer
from anecheck_rules.shapes.shape_arithmetic import ShapeArithmetic
from anecheck_rules.shapes.shape_range import ShapeRange
from anecheck_rules.shapes.shifted_cache import ShiftedCache
from anecheck_rules.shapes.state_count import StateCount
from anecheck_rules.shapes.state_update_length import StateUpdateLength
from anecheck_rules.shapes.state_width import StateWidth
from anecheck_rules.shapes.transposed_state_write import TransposedStateWrite

RULES: tuple[type[Rule], ...] = (
    ShapeRange,
    EnumeratedShapeCount,
    EnumeratedInputs,
    EnumeratedBatch,
    EnumeratedShapes,
    OpenShapeLayer,
    ShapeArithmetic,
    DataDependentShape,
    StateCount,
    StateWidth,
    StateUpdateLength,
    ShiftedCache,
    TransposedStateWrite,
)
