"""What identifies a finding across exports: the operation's neighbourhood, not its name or its number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from anecheck.mil.graph import Graph, Node

try:  # where hashlib has it from, without OpenSSL, which takes a twentieth of a small model's time to load
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

HOPS = 2
"""How far around an operation the neighbourhood reaches."""


Neighbourhoods: TypeAlias = dict[tuple[Node, int], str]
"""Descriptions already made of the neighbourhood of an operation, up to so many hops."""


def fingerprint(  # noqa: PLR0913
    code: str, label: str, graph: Graph | None, node: Node | None, subject: str, known: Neighbourhoods | None = None
) -> str:
    """Hash a finding: its rule, its function, and the types of the operation and its neighbours; 16 hex digits.

    Without an operation `subject` stands for it: what the finding is about, without the names and numbers that another
    export, or a better estimate, may change. Identical layers of a model give identical fingerprints; who compares them
    counts them. Give all findings of a model the same `known`, empty at first: an operation with hundreds of neighbours is
    then described once, not for each.
    """
    around = _describe(graph, node, HOPS, {} if known is None else known) if graph and node else subject
    return digest(f"{code}\n{label}\n{around}")


def digest(text: str) -> str:
    """Hash a text; 16 hex digits."""
    return blake2b(text.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()


def subject(data: Mapping[str, object], graph: Graph | None, target: str = "") -> str:
    """What a finding without an operation is about: the target, if it speaks of one, and the types of the function's inputs
    and outputs that its data names.

    All else in a message or in data (sizes, times, counts, names of values) says how much or where, and changes from one
    export to the next while the finding stays.
    """
    interface = {operand.name: str(operand.type) for operand in (*graph.inputs, *graph.outputs)} if graph else {}
    named = sorted(interface[text] for text in _texts(data) if text in interface)
    return "\n".join((target, *named))


def _texts(data: Mapping[str, object]) -> Iterator[str]:
    for value in data.values():
        for item in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(item, str):
                yield item


def _neighbourhood(graph: Graph, node: Node, hops: int, known: Neighbourhoods) -> str:
    text = known.get((node, hops))
    if text is None:
        text = known[node, hops] = _describe(graph, node, hops, known)
    return text


def _describe(graph: Graph, node: Node, hops: int, known: Neighbourhoods) -> str:
    if hops == 0:
        return _signature(node)
    before = sorted(
        f"{parameter}<{_neighbourhood(graph, operand.producer, hops - 1, known)}"
        for parameter, operand in node.operands()
        if operand.producer
    )
    after = sorted(
        f"{parameter}>{_neighbourhood(graph, user, 0, known)}"
        for output in node.outputs
        for user, parameter in graph.consumers(output)
    )
    return f"{_neighbourhood(graph, node, 0, known)}({';'.join(before)})({';'.join(after)})"


def _signature(node: Node) -> str:
    operands = ",".join(
        f"{parameter}:{operand.type}" for parameter, operand in sorted(node.operands(), key=lambda o: o[0])
    )
    return f"{node.type}[{operands}]->{','.join(str(output.type) for output in node.outputs)}"
