"""Rules about compressed weights and activations (ANE6xx)."""

from __future__ import annotations

from anecheck.lint.rule import Rule

RULES: tuple[type[Rule], ...] = ()
