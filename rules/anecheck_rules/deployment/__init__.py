"""Rules about formats, releases and load (ANE8xx)."""

from __future__ import annotations

from anecheck_rules.deployment.legacy_format import LegacyFormat

RULES = (LegacyFormat,)
