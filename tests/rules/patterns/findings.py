"""What one rule says of a small program."""

from __future__ import annotations

from anecheck.lint.rule import mil
from anecheck.mil.model import Interface
from tests.rules.test_examples import judged


def function(arguments: str, body: str, results: str = "y", opset: str = "ios18") -> str:
    """A program of one function."""
    return mil(f"func main<{opset}>({arguments}) {{\n{body}\n}} -> ({results});\n")


def messages(code: str, text: str, target: str = "m4", interface: Interface | None = None) -> dict[str, str]:
    """The severity and message of each finding, by the name of its operation ("" where there is none)."""
    judgement = judged(text, target, interface)
    assert judgement.crashes == []
    return {
        match.node.name if match.node else "": f"{(match.severity or match.rule.severity).value}: {match.message}"
        for _, match in judgement.matches
        if match.rule.code == code
    }
