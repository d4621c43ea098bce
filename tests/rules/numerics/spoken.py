"""What the rules of the family say of a function's body."""

from __future__ import annotations

from tests.rules.test_examples import judged


def spoken(
    body: str, inputs: str, output: str = "y", target: str = "m4", opset: str = "ios18"
) -> list[tuple[str, str]]:
    """The codes of the family with the operations that they speak of; no rule may crash on the way."""
    judgement = judged(f"func main<{opset}>({inputs}) {{\n{body}\n}} -> ({output});", target)
    assert judgement.crashes == []
    found = [(match.rule.code, match.node.name) for _, match in judgement.matches if match.node is not None]
    return sorted(pair for pair in found if pair[0].startswith("ANE5"))


def severities(body: str, inputs: str, target: str = "m4") -> list[str]:
    """How severe each of the family's findings is."""
    judgement = judged(f"func main<ios18>({inputs}) {{\n{body}\n}} -> (y);", target)
    matches = [match for _, match in judgement.matches if match.rule.code.startswith("ANE5")]
    return [(match.severity or match.rule.severity).value for match in matches]
