"""anecheck: a static linter for Core ML models headed to Apple's Neural Engine.

    import anecheck
    report = anecheck.lint("Model.mlpackage", target="a17pro/ios18")
    for finding in report.models[0].findings:
        print(finding.code, finding.operation, finding.message)

Names are imported when they are first used, so that `import anecheck` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from anecheck.version import __version__

if TYPE_CHECKING:
    from anecheck.api import compare, lint
    from anecheck.artifact.load import load
    from anecheck.capture import capture
    from anecheck.knowledge.target import Target
    from anecheck.lint.asked.wanted import Wanted
    from anecheck.lint.comparison.reports import Comparison
    from anecheck.lint.finding import Finding
    from anecheck.lint.reports import Report
    from anecheck.lint.rule import Rule
    from anecheck.mil.model import Model

__all__ = [
    "Comparison",
    "Finding",
    "Model",
    "Report",
    "Rule",
    "Target",
    "Wanted",
    "__version__",
    "capture",
    "compare",
    "lint",
    "load",
]

_PLACES = {
    "Comparison": "anecheck.lint.comparison.reports",
    "Finding": "anecheck.lint.finding",
    "Model": "anecheck.mil.model",
    "Report": "anecheck.lint.reports",
    "Rule": "anecheck.lint.rule",
    "Target": "anecheck.knowledge.target",
    "Wanted": "anecheck.lint.asked.wanted",
    "capture": "anecheck.capture",
    "compare": "anecheck.api",
    "lint": "anecheck.api",
    "load": "anecheck.artifact.load",
}


def __getattr__(name: str) -> object:
    """Import a public name."""
    if name not in _PLACES:
        raise AttributeError(f"module 'anecheck' has no attribute '{name}'")
    return getattr(import_module(_PLACES[name]), name)
