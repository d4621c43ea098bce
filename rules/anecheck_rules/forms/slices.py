"""Slices with constant bounds, and the grids of pixels that several of them take apart."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Final

from anecheck.mil.graph import Node, Operand
from anecheck.mil.pattern import maker, sizes

MASKS: Final = ("begin_mask", "end_mask")
DEEPEST: Final = 3
"""How many slices lead from a value to one of its grids: one for each axis, and one of all there is."""
LARGEST_STEP: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class PixelGrid:
    """What a concat of every `step`-th pixel from each offset takes apart, the slices it does so with, and the offsets."""

    source: Operand
    step: int
    slices: tuple[Node, ...]
    offsets: tuple[tuple[int, int], ...]


def is_plain(node: Node) -> bool:
    """Whether bounds and steps are constants, the steps forwards, and the sizes known."""
    stride = node.constant("stride")
    if node.operand("stride") is not None and (stride is None or any(int(step) < 1 for step in stride)):
        return False
    if any(node.operand(mask) is not None and node.constant(mask) is None for mask in MASKS):
        return False
    return (
        node.constant("begin") is not None and node.constant("end") is not None and sizes(node.operand("x")) is not None
    )


def drops_axes(node: Node) -> bool:
    """Whether a slice takes axes away, so that those of the next one are counted differently."""
    return any(node.constant("squeeze_mask") or ())


def pixel_grid(concat: Node) -> PixelGrid | None:
    """The grid of pixels that a concat along the channels puts together again, each offset once."""
    values = concat.inputs.get("values", ())
    step = isqrt(len(values))
    if not 2 <= step <= LARGEST_STEP or step * step != len(values) or concat.scalar("axis") not in {1, -3}:
        return None
    found, slices = [], {}
    for value in values:
        origin = _origin(value)
        if origin is None:
            return None
        source, begins, steps, passed = origin
        found.append((source, begins[-2:]))
        slices.update(dict.fromkeys(passed))
        whole = sizes(source)
        if begins[:2] != (0, 0) or steps != (1, 1, step, step) or whole is None or whole[2] % step or whole[3] % step:
            return None
        if sizes(value) != (*whole[:2], whole[2] // step, whole[3] // step):
            return None
    offsets = tuple((begins[0], begins[1]) for _, begins in found)
    if len({source for source, _ in found}) > 1 or len(set(offsets)) != step * step:
        return None
    return PixelGrid(found[0][0], step, tuple(slices), offsets)


def _origin(value: Operand) -> tuple[Operand, tuple[int, ...], tuple[int, ...], list[Node]] | None:
    """What several slices of rank 4 come from, and the begin and the step of all of them together along each axis."""
    begins: tuple[int, ...] = (0,) * 4
    steps: tuple[int, ...] = (1,) * 4
    passed: list[Node] = []
    for _ in range(DEEPEST):
        node = maker(value, "slice_by_index")
        if node is None:
            break
        source, own = node.operand("x"), _bounds(node)
        if source is None or own is None:
            return None
        begins = tuple(start + stride * begin for (start, stride), begin in zip(own, begins, strict=True))
        steps = tuple(stride * step for (_, stride), step in zip(own, steps, strict=True))
        passed.append(node)
        value = source
    return (value, begins, steps, passed) if passed else None


def _bounds(node: Node) -> list[tuple[int, int]] | None:
    """The begin and the step of a plain slice of rank 4 along each axis."""
    tensor, begin = node.tensor("x"), node.constant("begin")
    if tensor is None or tensor.rank != 4 or begin is None or not is_plain(node) or drops_axes(node):
        return None
    stride, mask = node.constant("stride") or (1,) * 4, node.constant("begin_mask") or (False,) * 4
    if not len(begin) == len(stride) == len(mask) == 4:
        return None
    starts = [0 if masked else int(start) for start, masked in zip(begin, mask, strict=True)]
    return [(start, int(step)) for start, step in zip(starts, stride, strict=True)] if min(starts) >= 0 else None
