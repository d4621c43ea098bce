"""What the interface says of shapes that the program leaves open."""

from __future__ import annotations

from collections.abc import Iterable

from anecheck.lint.rule import Context, GraphContext
from anecheck.mil.model import Feature, Flexibility
from anecheck.predict.whole import is_flexible


def flexible(context: Context, function: GraphContext, kind: str) -> tuple[tuple[Feature, Flexibility], ...]:
    """The inputs of a function whose shapes are given as a "range" or "enumerated", each with the shapes it accepts."""
    interface = context.model.interface(function.label)
    return tuple(
        (feature, feature.flexibility)
        for feature in (interface.inputs if interface else ())
        if feature.flexibility is not None and is_flexible(feature, kind)
    )


def spelt(shape: Iterable[object]) -> str:
    """A shape as people write it."""
    return f"({', '.join(map(str, shape))})"


def joined(parts: Iterable[str]) -> str:
    """Several things in one sentence."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
