"""The built-in rules, found through the entry-point group `anecheck.rules` like any other pack."""

from __future__ import annotations

from anecheck.lint.rule import Rule
from anecheck_rules import compression, deployment, memory, numerics, operations, patterns, placement, shapes

RULES: tuple[type[Rule], ...] = (
    *operations.RULES,
    *patterns.RULES,
    *placement.RULES,
    *memory.RULES,
    *numerics.RULES,
    *compression.RULES,
    *shapes.RULES,
    *deployment.RULES,
)
