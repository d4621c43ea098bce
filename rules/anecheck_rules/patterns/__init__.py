"""Rules about several operations that waste work or do not fuse (ANE2xx)."""

from __future__ import annotations

from anecheck.lint.rule import Rule

RULES: tuple[type[Rule], ...] = ()
