"""Rules about numbers that 16 bits do not hold (ANE5xx)."""

from __future__ import annotations

from anecheck.lint.rule import Rule

RULES: tuple[type[Rule], ...] = ()
