"""What identifies a finding across exports: the operation's neighbourhood, not its name or its number."""

from __future__ import annotations

import hashlib

from anecheck.mil.graph import Graph, Node

HOPS = 2
"""How far around an operation the neighbourhood reaches."""


def fingerprint(  # noqa: PLR0913, PLR0917
    code: str, label: str, graph: Graph | None, node: Node | None, message: str, known: dict[Node, str] | None = None
) -> str:
    """Hash a finding: its rule, its function, and the types of the operation and its neighbours; 16 hex digits.

    Identical layers of a model give identical fingerprints; who compares them counts them. Give the same `known`, empty at
    first, for all findings of a model: it keeps the neighbourhoods of what comes before them, which one operation that
    hundreds use would otherwise have described as often.
    """
    around = _neighbourhood(graph, node, HOPS, {} if known is None else known) if graph and node else message
    return hashlib.blake2b(f"{code}\n{label}\n{around}".encode(), digest_size=8).hexdigest()


def _neighbourhood(graph: Graph, node: Node, hops: int, known: dict[Node, str]) -> str:
    text = _signature(node)
    if hops == 0:
        return text
    if hops < HOPS and node in known:
        return known[node]
    before = sorted(
        f"{parameter}<{_neighbourhood(graph, operand.producer, hops - 1, known)}"
        for parameter, operand in node.operands()
        if operand.producer
    )
    after = sorted(
        f"{parameter}>{_signature(user)}" for output in node.outputs for user, parameter in graph.consumers(output)
    )
    text = f"{text}({';'.join(before)})({';'.join(after)})"
    if hops < HOPS:
        known[node] = text
    return text


def _signature(node: Node) -> str:
    operands = ",".join(
        f"{parameter}:{operand.type}" for parameter, operand in sorted(node.operands(), key=lambda o: o[0])
    )
    return f"{node.type}[{operands}]->{','.join(str(output.type) for output in node.outputs)}"
