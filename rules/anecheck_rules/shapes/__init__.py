"""Rules about shapes and states (ANE7xx)."""

from __future__ import annotations

from anecheck.lint.rule import Rule

RULES: tuple[type[Rule], ...] = ()
